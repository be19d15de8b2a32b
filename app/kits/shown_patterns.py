"""The patterns of a kit as its page lists them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from app.kits.kit_state import KitState
from app.sp404.pads import PLACES
from app.sp404.project.packed_patterns import unpack_pattern
from app.sp404.project.pattern_files import RECORD_BYTES, read_pattern
from app.sp404.project.step_beats import StepBeat, beat_of_pattern

# Longer and denser ones are not compared with the 16 steps: reading all of a kit must stay quick.
MAX_BARS_OF_BEAT = 4
MAX_BEAT_BYTES = 1_200 * RECORD_BYTES
MAX_BEAT_CHARACTERS = MAX_BEAT_BYTES // 3 * 4 + 100  # of a packed one, if compressing gains nothing


@dataclass(frozen=True, slots=True)
class ShownPattern:
    """A line of the list."""

    place: str
    name: str
    bars: int
    beat: StepBeat | None

    def fits_steps_of(self, bank: str) -> bool:
        """Whether the strip of 16 steps can show it while this bank is open."""
        return self.beat is not None and self.beat.bank == bank


def shown_patterns(state: KitState) -> list[ShownPattern]:
    """Return the patterns of a kit in the order of the unit."""
    return [
        ShownPattern(place, state.patterns[place].name, state.patterns[place].bars, _beat(state, place))
        for place in sorted(state.patterns, key=PLACES.__getitem__)
    ]


def _beat(state: KitState, place: str) -> StepBeat | None:
    pattern = state.patterns[place]
    is_short = pattern.bars <= MAX_BARS_OF_BEAT and len(pattern.ptn) <= MAX_BEAT_CHARACTERS
    return _read_beat(pattern.ptn) if is_short else None


@lru_cache(maxsize=512)
def _read_beat(ptn: str) -> StepBeat | None:
    data = unpack_pattern(ptn)
    return beat_of_pattern(read_pattern(data)) if len(data) <= MAX_BEAT_BYTES else None
