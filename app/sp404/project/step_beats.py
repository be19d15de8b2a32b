"""A beat of 16 steps as a pattern of the unit, and back where a pattern fits 16 steps."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.sp404.errors import UnitFileError
from app.sp404.pads import PAD_NAMES, PAD_PATTERN, bank_of
from app.sp404.project.pattern_files import TICKS_PER_QUARTER, TIME, Pattern, pattern_length
from app.sp404.project.pattern_notes import PatternNote, compose_pattern, notes_of

STEPS = 16
TICKS_PER_STEP = TICKS_PER_QUARTER // 4
TICKS_PER_BAR = STEPS * TICKS_PER_STEP
MAX_LATE = 0.75
METRE = "4/4"
NOT_A_BEAT = "A beat has 16 steps for each of its pads, with velocities of 0 to 127."

Velocity = Annotated[int, Field(ge=0, le=127)]
Row = Annotated[tuple[Velocity, ...], Field(min_length=STEPS, max_length=STEPS)]


class StepBeat(BaseModel):
    """A bar of sixteenths.

    Attributes
    ----------
    steps : dict of str to tuple of int
        By pads, A1 to J16: 16 velocities, 0 where the pad rests.
    late : float
        How much later every second step comes, as a part of a step: the swing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    steps: Annotated[
        dict[Annotated[str, Field(pattern=PAD_PATTERN)], Row], Field(max_length=len(PAD_NAMES))
    ] = Field(description="By pads: 16 velocities of 0 to 127, 0 for a rest.")
    late: float = Field(
        default=0.0,
        ge=0,
        le=MAX_LATE,
        description="The swing: how late every second step comes, as a part of a step.",
    )

    @property
    def bank(self) -> str | None:
        """Return the bank of all its pads; None where they are of several, or there is none."""
        banks = {bank_of(pad) for pad, row in self.steps.items() if any(row)}
        return banks.pop() if len(banks) == 1 else None


def read_beat(text: str) -> StepBeat:
    """Return the beat of a JSON text.

    Raises
    ------
    UnitFileError
        It is no beat.
    """
    try:
        return StepBeat.model_validate_json(text)
    except ValidationError as error:
        raise UnitFileError(NOT_A_BEAT) from error


def pattern_of_beat(beat: StepBeat, bars: int = 1) -> Pattern:
    """Return a beat as a pattern of the unit that repeats it.

    Parameters
    ----------
    beat : StepBeat
    bars : int
        1 to 64.

    Raises
    ------
    UnitFileError
        The beat has no hit, or the unit has no such length.
    """
    length = pattern_length(bars, METRE)
    if not any(any(row) for row in beat.steps.values()):
        raise UnitFileError("The beat has no step yet. Set some steps first.")
    late = round(beat.late * TICKS_PER_STEP)
    notes = []
    for bar in range(bars):
        for step in range(STEPS):
            tick = bar * TICKS_PER_BAR + step * TICKS_PER_STEP + late * (step % 2)
            gate = min(TICKS_PER_STEP, length - tick)
            rows = ((pad, beat.steps[pad][step]) for pad in PAD_NAMES if pad in beat.steps)
            notes += [PatternNote(tick, pad, velocity, gate) for pad, velocity in rows if velocity]
    return compose_pattern(notes, bars, METRE)


def beat_of_pattern(pattern: Pattern) -> StepBeat | None:
    """Return a pattern as a beat of 16 steps.

    Returns
    -------
    StepBeat or None
        None where something would be lost: the pattern has another metre, bars that differ, chromatic notes,
        motions or notes off the grid. How long pads are held is left out.
    """
    notes = notes_of(pattern)
    is_plain = len(notes) == sum(record.kind != TIME for record in pattern.records)
    is_plain = is_plain and not any(note.semitones for note in notes)
    if (
        pattern.metre != METRE
        or not is_plain
        or max((note.tick for note in notes), default=0) >= (pattern.bars * TICKS_PER_BAR)
    ):
        return None
    late = {note.tick % TICKS_PER_STEP for note in notes if note.tick // TICKS_PER_STEP % 2}
    early = {note.tick % TICKS_PER_STEP for note in notes if not note.tick // TICKS_PER_STEP % 2}
    bars = [_rows_of_bar(notes, bar) for bar in range(pattern.bars)]
    if len(late) > 1 or early - {0} or not bars[0] or any(bar != bars[0] for bar in bars):
        return None
    ticks = late.pop() if late else 0
    if ticks > MAX_LATE * TICKS_PER_STEP:
        return None
    return StepBeat(steps=bars[0], late=ticks / TICKS_PER_STEP)


def _rows_of_bar(notes: tuple[PatternNote, ...], bar: int) -> dict[str, tuple[int, ...]] | None:
    """Return the steps of one bar by pads; None where a pad is hit twice in a step."""
    rows: dict[str, list[int]] = {}
    for note in notes:
        if note.tick // TICKS_PER_BAR == bar:
            row = rows.setdefault(note.pad, [0] * STEPS)
            step = note.tick % TICKS_PER_BAR // TICKS_PER_STEP
            if row[step]:
                return None
            row[step] = note.velocity
    return {pad: tuple(row) for pad, row in rows.items()}
