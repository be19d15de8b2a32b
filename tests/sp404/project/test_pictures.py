"""Pictures of the unit's screen, and a kit's name as one."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sp404.errors import UnitFileError
from app.sp404.project.picture_files import UnitPicture, make_picture, read_picture
from app.sp404.project.pixel_font import GLYPHS, draw_text, enlarge
from app.sp404.project.startup_screen import draw_startup_screen
from tests.sp404.project.made_files import small_project

PICTURE = small_project()["PICTURE/startup_1.bmp"]
LOADABLE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 _!&()+,-.=@[]{}"


def rows_of(picture: UnitPicture) -> list[str]:
    return ["".join(".#"[picture.is_lit(row, column)] for column in range(128)) for row in range(64)]


def test_a_picture_is_read_from_the_bottom_and_written_as_it_was() -> None:
    found = read_picture(PICTURE)
    assert found.to_bytes() == PICTURE
    assert found.rows[63] == bytes(range(16)), "the first row of the file is the lowest"
    assert rows_of(found)[63][8:16] == ".......#"


def test_a_picture_made_here_has_the_header_of_the_unit() -> None:
    pixels = [[row == 0 and column < 3 for column in range(128)] for row in range(64)]
    made = make_picture(pixels).to_bytes()
    assert made[:62] == PICTURE[:62]
    assert made[62:].hex() == "00" * (63 * 16) + "e0" + "00" * 15


@settings(deadline=None)
@given(st.binary(min_size=1024, max_size=1024), st.binary(min_size=4, max_size=4))
def test_bytes_that_nobody_changed_stay(pixels: bytes, resolution: bytes) -> None:
    data = PICTURE[:38] + resolution + PICTURE[42:62] + pixels
    found = read_picture(data)
    assert found.to_bytes() == data
    again = make_picture([[found.is_lit(row, column) for column in range(128)] for row in range(64)])
    assert again.rows == found.rows


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (PICTURE[:-1], "BMP file of 1,086 bytes; this has 1,085"),
        (b"PM" + PICTURE[2:], "BMP file of 1,086 bytes"),
        (PICTURE[:18] + struct.pack("<i", 64) + PICTURE[22:], "this has 64 x 64 of 1"),
        (PICTURE[:28] + struct.pack("<H", 8) + PICTURE[30:], "of 8"),
        (PICTURE[:22] + struct.pack("<i", -64) + PICTURE[26:], "128 x -64"),
    ],
)
def test_another_picture_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(UnitFileError, match=sentence):
        read_picture(data)
    with pytest.raises(UnitFileError, match="128 x 64 pixels"):
        make_picture([[True] * 128] * 63)


def test_the_font_has_every_character_of_a_name() -> None:
    assert set(GLYPHS) == {*LOADABLE, "?"}
    drawings = {character: tuple(drawing.split()) for character, drawing in GLYPHS.items()}
    assert len(set(drawings.values())) == len(drawings), "no two look the same"
    for character, rows in drawings.items():
        assert len({len(row) for row in rows}) == 1, character
        assert 7 <= len(rows) <= 9
        assert set("".join(rows)) <= {"#", "."}
        assert "#" in "".join(rows) or character == " "
    assert [len(row) for row in draw_text("Hi")] == [5 + 1 + 1] * 9
    assert draw_text("é") == draw_text("?")


def test_enlarging_smooths_diagonals_and_keeps_right_angles() -> None:
    diagonal, angle = [[True, False], [False, True]], [[True, True], [True, False]]
    assert enlarge(diagonal, 1) == diagonal
    assert ["".join(".#"[lit] for lit in row) for row in enlarge(diagonal, 2)] == [
        "##..",
        "###.",
        ".###",
        "..##",
    ]
    assert ["".join(".#"[lit] for lit in row) for row in enlarge(angle, 2)] == [
        "####",
        "####",
        "##..",
        "##..",
    ]


def test_a_short_name_is_drawn_large_in_the_middle() -> None:
    rows = rows_of(draw_startup_screen("Dusty"))
    letters = [row[8:-8] for row in rows[8:-8]]  # without the corners
    lit = [number for number, row in enumerate(letters, start=8) if "#" in row]
    assert lit[0] == (64 - 3 * 7) // 2, "three times as large as the font, which has seven rows"
    columns = [column for column in range(112) if any(row[column] == "#" for row in letters)]
    assert abs(columns[0] - (111 - columns[-1])) <= 1
    assert rows[0][:9] == "########."


def test_a_caption_stands_dark_in_a_lit_bar() -> None:
    rows = rows_of(draw_startup_screen("Dusty Breaks", "92 BPM"))
    assert rows[51:54] == ["#" * 128] * 3
    assert all("." in row for row in rows[54:61])
    assert rows[0] == "." * 128


@settings(deadline=None)
@given(st.text(LOADABLE, max_size=32), st.text(LOADABLE, max_size=40))
def test_any_name_fits(name: str, caption: str) -> None:
    rows = rows_of(draw_startup_screen(name, caption))
    if not caption:
        assert rows[0] == rows[63] == "#" * 8 + "." * 112 + "#" * 8
    above = rows if not caption else rows[:51]
    assert any("#" in row[8:-8] for row in above[1:-1]) == bool(set(name) - {" "})
