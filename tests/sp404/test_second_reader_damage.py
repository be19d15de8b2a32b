"""Whatever bytes are damaged, the second reader answers or says what is wrong; it never breaks off."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import example, given
from hypothesis import strategies as st

from tests.sp404 import hand_built
from tests.sp404.reading.padconf import read_padconf
from tests.sp404.reading.patterns import read_pattern
from tests.sp404.reading.pictures import read_picture
from tests.sp404.reading.smp import read_smp
from tests.sp404.reading.sx_card import read_sx_pads
from tests.sp404.second_reader import BrokenFile

CHANGES = st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), max_size=4)
PROJECT = hand_built.project_files()
CARD = hand_built.sx_files()


def damage(data: bytearray, changes: list[tuple[int, int]], cut: int) -> bytes:
    """Return the bytes with the changes made and `cut` bytes taken off the end."""
    copy = bytearray(data)
    for offset, value in changes:
        copy[offset % len(copy)] = value
    return bytes(copy[: len(copy) - cut])


@given(st.sampled_from(sorted(PROJECT)), CHANGES, st.sampled_from([0, 0, 0, 1, 8, 1000]))
@example("PTN/PTN00001.BIN", [], 96)
@example("PICTURE/startup_1.bmp", [], 1086)
def test_a_damaged_project_is_read_or_refused(name: str, changes: list[tuple[int, int]], cut: int) -> None:
    data = damage(PROJECT[name], changes, cut)
    with suppress(BrokenFile):
        if name == "PADCONF.BIN":
            assert len(read_padconf(data)["banks"]) == 10
        elif name.startswith("SMPL/"):
            assert read_smp(data, name).dtype == "int16"
        elif name.startswith("PTN/"):
            assert read_pattern(data, name)["notes"]
        else:
            assert read_picture(data, name).shape == (64, 128)


@given(st.sampled_from(sorted(CARD)), CHANGES, st.sampled_from([0, 0, 0, 1, 9600]))
@example("A0000002.WAV", [], 10_000)
def test_a_damaged_card_is_read_or_refused(name: str, changes: list[tuple[int, int]], cut: int) -> None:
    files = {each: bytes(data) for each, data in CARD.items()} | {name: damage(CARD[name], changes, cut)}
    with suppress(BrokenFile):
        assert read_sx_pads(files).keys() <= {"A2", "J12"}
