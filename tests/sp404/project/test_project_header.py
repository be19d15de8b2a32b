"""Name, tempo and banks of a project."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sp404.errors import UnitFileError
from app.sp404.project.project_header import ProjectHead, UnitBank, decode_head, encode_head, fresh_header
from tests.sp404.project.made_files import padconf, padconf_2

TEMPOS = st.integers(4000, 20_000).map(lambda hundredths: hundredths / 100)
HEADS = st.builds(
    ProjectHead,
    st.text("abcXYZ 019_!&()+,-.=@[]{}", max_size=32).map(lambda name: name.rstrip(" ")),
    TEMPOS,
    st.booleans(),
    st.tuples(*[st.builds(UnitBank, TEMPOS, st.integers(0, 127), st.booleans())] * 10),
)


def test_a_fresh_head_is_what_the_unit_writes() -> None:
    assert fresh_header() == padconf(name="")[:160]
    assert encode_head(ProjectHead("PROJECT_01"), fresh_header()) == padconf()[:160]
    assert decode_head(padconf()[:160]) == (ProjectHead("PROJECT_01"), [])
    assert decode_head(padconf_2()[:128]) == (ProjectHead(""), [])


def test_banks_stand_where_the_unit_has_them() -> None:
    banks = [UnitBank()] * 10
    banks[0] = UnitBank(tempo=92.17, volume=27)
    banks[1] = UnitBank(volume=126, protect=True)
    banks[9] = UnitBank(tempo=200.0, volume=0)
    made = encode_head(ProjectHead("K", 120.5, by_project=True, banks=tuple(banks)), fresh_header())
    assert struct.unpack_from(">I", made, 0x10) == (12_050 | 0x10000,)
    assert struct.unpack_from(">I", made, 0x40) == (9217 << 1,)
    assert struct.unpack_from(">I", made, 0x44) == (9000 << 1 | 1,)
    assert struct.unpack_from(">HH", made, 0x6C) == (1, 100)  # B, then A
    assert struct.unpack_from(">HH", made, 0x7C) == (127, 0)  # J, then I


@settings(deadline=None)
@given(HEADS)
def test_any_head_comes_back(head: ProjectHead) -> None:
    assert decode_head(encode_head(head, fresh_header())) == (head, [])


@settings(deadline=None)
@given(st.binary(min_size=160, max_size=160))
def test_bytes_that_nobody_changed_stay(data: bytes) -> None:
    head, _problems = decode_head(data)
    assert encode_head(head, data) == data


def test_what_the_unit_can_not_have_is_said() -> None:
    data = bytearray(fresh_header())
    struct.pack_into(">I", data, 0x10, 3999)
    struct.pack_into(">I", data, 0x48, 20_001 << 1)
    struct.pack_into(">H", data, 0x6C, 128)
    data[0x80:0x82] = b"\xe9?"
    head, problems = decode_head(bytes(data))
    assert [str(problem) for problem in problems] == [
        "Project: Its tempo of 39.99 is not 40 to 200; 90 was taken.",
        "Project: Its name has characters that the unit does not show.",
        "Bank B: Its volume is out of range; 127 was taken.",
        "Bank C: Its tempo of 200.01 is not 40 to 200; 90 was taken.",
    ]
    assert head == ProjectHead("e")


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (ProjectHead("x" * 33), "at most 32 characters"),
        (ProjectHead("Br#ken"), "letters, digits"),
        (ProjectHead("x", tempo=39.9), "A tempo is 40 to 200, not 39.9."),
        (ProjectHead("x", banks=(UnitBank(),)), "10 banks, not 1"),
        (ProjectHead("x", tempo=200.01), "A tempo is 40 to 200, not 200.01."),
        (
            ProjectHead("x", banks=(*(UnitBank(),) * 9, UnitBank(tempo=201.0))),
            "A tempo is 40 to 200, not 201.",
        ),
        (ProjectHead("x", banks=(UnitBank(volume=128),) * 10), "0 to 127, not 128"),
        (ProjectHead("x", banks=(*(UnitBank(),) * 9, UnitBank(volume=-1))), "0 to 127, not -1"),
    ],
)
def test_what_the_unit_can_not_have_is_refused(head: ProjectHead, sentence: str) -> None:
    with pytest.raises(UnitFileError, match=sentence):
        encode_head(head, fresh_header())


def test_a_name_edited_on_the_unit_ends_in_spaces() -> None:
    data = padconf(name="Dusty" + " " * 27)[:160]
    head, problems = decode_head(data)
    assert (head.name, problems) == ("Dusty", [])
    assert encode_head(replace(head, tempo=91.0), data)[0x80:] == data[0x80:]


def test_every_limit_of_the_unit_is_within_its_range() -> None:
    for tempo, volume in ((40.0, 0), (200.0, 127)):
        head = ProjectHead("x" * 32, tempo, banks=(UnitBank(tempo, volume),) * 10)
        assert decode_head(encode_head(head, fresh_header())) == (head, [])
