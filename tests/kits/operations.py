"""Random operations on a kit, for property tests."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from app.kits import pad_edits, pattern_edits
from app.kits.history import KitEdit
from app.kits.kit_state import PadState
from app.sp404.project.step_beats import StepBeat, pattern_of_beat
from app.sp404.unit_limits import BANKS
from tests.sp404.any_settings import LOADABLE, any_settings

FEW_PADS = ("A1", "A2", "A16", "B1", "J16")
PADS = st.sampled_from(FEW_PADS)
SOME_BANKS = st.sampled_from("ABJ")
PATTERNS = [
    pattern_edits.make_pattern(pattern_of_beat(StepBeat(steps={pad: (90,) * 16}), bars), pad)
    for pad, bars in (("A1", 1), ("J16", 64))
]
# As every way to name a kit stores them: without blanks around them
NAMES = st.text(LOADABLE, min_size=1, max_size=32).map(lambda name: name.strip(" ")).filter(bool)
TEMPI = st.integers(4_000, 20_000)


def some_edits(sounds: Sequence[PadState]) -> st.SearchStrategy[KitEdit]:
    """Any operation on a kit that can't be refused, with one of these sounds."""
    return st.one_of(
        st.builds(pad_edits.place, PADS, st.sampled_from(sounds)),
        st.builds(_put_with_settings, PADS, st.sampled_from(sounds), any_settings()),
        st.builds(pad_edits.clear, st.lists(PADS, max_size=3)),
        st.builds(pad_edits.exchange, PADS, PADS),
        st.builds(pad_edits.copy_bank, SOME_BANKS, SOME_BANKS),
        st.builds(pad_edits.lock, st.lists(PADS, max_size=3), st.booleans()),
        st.builds(_name, NAMES, TEMPI),
        st.builds(pattern_edits.keep_pattern, PADS, st.sampled_from(PATTERNS)),
        st.builds(_set_bank, SOME_BANKS, TEMPI, st.integers(0, 127), st.booleans()),
    )


def _put_with_settings(pad: str, sound: PadState, settings: object) -> KitEdit:
    held = PadState(sound.sample_id, sound.sample_name, sound.content_sha256, True, settings)  # type: ignore[arg-type]  # hypothesis builds PadSettings
    return pad_edits.put(pad, held)


def _name(name: str, tempo: int) -> KitEdit:
    return pad_edits.change_values(name=name, tempo=tempo, tempo_source="bank")


def _set_bank(bank: str, tempo: int, volume: int, protect: bool) -> KitEdit:
    assert bank in BANKS
    return pad_edits.change_bank(bank, tempo=tempo, volume=volume, protect=protect)
