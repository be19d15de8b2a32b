"""What the page of a kit shows: its banks, the pads of one bank, and a pad beside its sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from app.extensions import db
from app.kits.kit_rows import load_state
from app.kits.kit_state import KitState, PadState
from app.models import Kit, Sample
from app.music.sound_classes import sound_colour, sound_label
from app.sp404.fresh_pad import tempo_for_pad
from app.sp404.pad_settings import PadSettings
from app.sp404.pads import bank_of, pads_of_bank
from app.sp404.unit_limits import BANKS

COLUMNS = (
    Sample.id, Sample.name, Sample.kind, Sample.sound, Sample.bpm, Sample.key, Sample.duration_s, Sample.bars,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PadSample:
    """The part of a sample that its pad shows."""

    id: str
    name: str
    kind: str
    sound: str | None
    bpm: float | None
    key: str | None
    duration_s: float
    bars: bytes

    @property
    def sound_label(self) -> str:
        return sound_label(self.kind, self.sound)


@dataclass(frozen=True, slots=True)
class Mark:
    """A short sign on a pad, and what it means."""

    sign: str
    words: str


@dataclass(frozen=True, slots=True)
class ShownPad:
    """A pad with its sample; without one it is empty, or a gap where one was."""

    name: str
    held: PadState
    sample: PadSample | None

    @property
    def number(self) -> str:
        return self.name[1:]

    @property
    def is_gap(self) -> bool:
        return self.held.holds_a_sound and self.sample is None

    @property
    def title(self) -> str:
        return self.held.settings.name or (self.sample.name if self.sample else self.held.sample_name)

    @property
    def family(self) -> str:
        """The group of classes that gives the pad its colour."""
        if self.sample is None:
            return "gap" if self.is_gap else "empty"
        return sound_colour(self.sample.kind, self.sample.sound)

    @property
    def marks(self) -> list[Mark]:
        return pad_marks(self.held.settings) if self.held.holds_a_sound else []

    @property
    def other_tempo(self) -> float | None:
        """The tempo that the sample has now, unless the pad plays it with that or was shaped to another."""
        recipe = self.held.settings.recipe
        if self.sample is None or not self.sample.bpm or not self.held.settings.bpm_sync:
            return None
        if recipe is not None and recipe.bpm is not None:
            return None
        measured = tempo_for_pad(self.sample.bpm)
        return measured if measured != self.held.settings.bpm else None


def shown_bank(kit: Kit, state: KitState, bank: str) -> list[ShownPad]:
    """Return the 16 pads of a bank in the order of the unit, pad 1 first."""
    names = pads_of_bank(bank)
    known = load_pad_samples(kit, [state.pad(name).sample_id for name in names])
    return [ShownPad(name, state.pad(name), known.get(state.pad(name).sample_id or "")) for name in names]


def load_pad_samples(kit: Kit, ids: list[str | None]) -> Mapping[str, PadSample]:
    """Return what pads show of these samples of the kit's owner, without those in the trash."""
    wanted = [each for each in ids if each is not None]
    own = Sample.user_id == kit.user_id, Sample.id.in_(wanted), Sample.deleted_at.is_(None)
    if not wanted:
        return {}
    return {row.id: PadSample(*row) for row in db.session.execute(select(*COLUMNS).where(*own))}


def pad_titles(kit: Kit) -> dict[str, str]:
    """Return what is on each pad of a kit that holds a sound, gaps included."""
    held = {name: pad for name, pad in load_state(kit).pads.items() if pad.holds_a_sound}
    known = load_pad_samples(kit, [pad.sample_id for pad in held.values()])
    return {name: ShownPad(name, pad, known.get(pad.sample_id or "")).title for name, pad in held.items()}


def filled_pads(state: KitState) -> dict[str, int]:
    """Return how many pads of each bank hold a sound, gaps included."""
    counts = dict.fromkeys(BANKS, 0)
    for name, pad in state.pads.items():
        counts[bank_of(name)] += pad.holds_a_sound
    return counts


def pad_marks(settings: PadSettings) -> list[Mark]:
    """Return the marks of a pad: how it plays, what it chokes, whether it is shaped."""
    group = group_letter(settings.mute_group)
    marks = [
        (settings.loop, "L", "loop"),
        (settings.gate, "G", "gate: plays while it is pressed"),
        (settings.one_shot, "1", "one-shot: plays to its end whatever is pressed"),
        (settings.bpm_sync, "S", "in sync with the tempo"),
        (settings.play_mode != "forward", "R", settings.play_mode),
        (bool(settings.mute_group), f"M{group}", f"mute group {group}"),
        (bool(settings.chops), f"×{len(settings.chops)}", f"{len(settings.chops)} chops"),
        (settings.recipe is not None, "~", "shaped"),
    ]
    return [Mark(sign, words) for applies, sign, words in marks if applies]


def group_letter(group: int) -> str:
    """Return the unit's letter of a mute group or pad link; empty for none."""
    return BANKS[group - 1] if group else ""
