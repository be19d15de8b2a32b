"""A pixel font of our own, with every character that a name on the unit can have.

Capitals stand on seven rows and letters with a tail use two more below. Each is as wide as it needs to be.
"""

from __future__ import annotations

ROWS = 9
CAPITAL_ROWS = 7
GAP = 1
UNKNOWN = "?"

# Rows from the top, parted by blanks; `#` is lit. Rows that are missing at the bottom are dark.
GLYPHS = {
    "A": ".###. #...# #...# ##### #...# #...# #...#",
    "B": "####. #...# #...# ####. #...# #...# ####.",
    "C": ".###. #...# #.... #.... #.... #...# .###.",
    "D": "####. #...# #...# #...# #...# #...# ####.",
    "E": "##### #.... #.... ####. #.... #.... #####",
    "F": "##### #.... #.... ####. #.... #.... #....",
    "G": ".###. #...# #.... #.### #...# #...# .###.",
    "H": "#...# #...# #...# ##### #...# #...# #...#",
    "I": "### .#. .#. .#. .#. .#. ###",
    "J": "..### ...#. ...#. ...#. ...#. #..#. .##..",
    "K": "#...# #..#. #.#.. ##... #.#.. #..#. #...#",
    "L": "#.... #.... #.... #.... #.... #.... #####",
    "M": "#...# ##.## #.#.# #.#.# #...# #...# #...#",
    "N": "#...# ##..# ##..# #.#.# #..## #..## #...#",
    "O": ".###. #...# #...# #...# #...# #...# .###.",
    "P": "####. #...# #...# ####. #.... #.... #....",
    "Q": ".###. #...# #...# #...# #.#.# #..#. .##.#",
    "R": "####. #...# #...# ####. #.#.. #..#. #...#",
    "S": ".#### #.... #.... .###. ....# ....# ####.",
    "T": "##### ..#.. ..#.. ..#.. ..#.. ..#.. ..#..",
    "U": "#...# #...# #...# #...# #...# #...# .###.",
    "V": "#...# #...# #...# #...# .#.#. .#.#. ..#..",
    "W": "#...# #...# #...# #.#.# #.#.# ##.## #...#",
    "X": "#...# #...# .#.#. ..#.. .#.#. #...# #...#",
    "Y": "#...# #...# .#.#. ..#.. ..#.. ..#.. ..#..",
    "Z": "##### ....# ...#. ..#.. .#... #.... #####",
    "a": ".... .... .##. ...# .### #..# .###",
    "b": "#... #... ###. #..# #..# #..# ###.",
    "c": ".... .... .### #... #... #... .###",
    "d": "...# ...# .### #..# #..# #..# .###",
    "e": ".... .... .##. #..# #### #... .##.",
    "f": "..# .#. ### .#. .#. .#. .#.",
    "g": ".... .... .### #..# #..# #..# .### ...# .##.",
    "h": "#... #... ###. #..# #..# #..# #..#",
    "i": "# . # # # # #",
    "j": "..# ... ..# ..# ..# ..# ..# #.# .#.",
    "k": "#... #... #..# #.#. ##.. #.#. #..#",
    "l": "#. #. #. #. #. #. .#",
    "m": "..... ..... ####. #.#.# #.#.# #.#.# #.#.#",
    "n": ".... .... ###. #..# #..# #..# #..#",
    "o": ".... .... .##. #..# #..# #..# .##.",
    "p": ".... .... ###. #..# #..# #..# ###. #... #...",
    "q": ".... .... .### #..# #..# #..# .### ...# ...#",
    "r": "... ... #.# ##. #.. #.. #..",
    "s": ".... .... .### #... .##. ...# ###.",
    "t": ".#. .#. ### .#. .#. .#. ..#",
    "u": ".... .... #..# #..# #..# #..# .###",
    "v": "..... ..... #...# #...# .#.#. .#.#. ..#..",
    "w": "..... ..... #...# #.#.# #.#.# #.#.# .#.#.",
    "x": "..... ..... #...# .#.#. ..#.. .#.#. #...#",
    "y": ".... .... #..# #..# #..# #..# .### ...# .##.",
    "z": ".... .... #### ...# .##. #... ####",
    "0": ".###. #...# #..## #.#.# ##..# #...# .###.",
    "1": ".#. ##. .#. .#. .#. .#. ###",
    "2": ".###. #...# ....# ..##. .#... #.... #####",
    "3": "####. ....# ....# .###. ....# ....# ####.",
    "4": "...#. ..##. .#.#. #..#. ##### ...#. ...#.",
    "5": "##### #.... ####. ....# ....# #...# .###.",
    "6": ".###. #.... #.... ####. #...# #...# .###.",
    "7": "##### ....# ...#. ..#.. ..#.. ..#.. ..#..",
    "8": ".###. #...# #...# .###. #...# #...# .###.",
    "9": ".###. #...# #...# .#### ....# ....# .###.",
    " ": "... ... ... ... ... ... ...",
    "_": ".... .... .... .... .... .... ####",
    "!": "# # # # # . #",
    "&": ".##.. #..#. #..#. .##.. #.#.# #..#. .##.#",
    "(": ".# #. #. #. #. #. .#",
    ")": "#. .# .# .# .# .# #.",
    "+": "..... ..... ..#.. ..#.. ##### ..#.. ..#..",
    ",": ".. .. .. .. .. .# .# #.",
    "-": ".... .... .... .... #### .... ....",
    ".": ". . . . . . #",
    "=": ".... .... .... #### .... #### ....",
    "@": ".###. #...# #.### #.#.# #.### #.... .####",
    "[": "## #. #. #. #. #. ##",
    "]": "## .# .# .# .# .# ##",
    "{": "..# .#. .#. #.. .#. .#. ..#",
    "}": "#.. .#. .#. ..# .#. .#. #..",
    "?": ".###. #...# ....# ...#. ..#.. ..... ..#..",
}


def draw_text(text: str) -> list[list[bool]]:
    """Return a line of text as pixels.

    Parameters
    ----------
    text : str
        Characters that the font lacks are drawn as question marks.

    Returns
    -------
    list of list of bool
        Nine rows from the top, lit where True, all of the width of the text; no columns for an empty text.
    """
    rows: list[list[bool]] = [[] for _ in range(ROWS)]
    for place, character in enumerate(text):
        drawing = GLYPHS.get(character, GLYPHS[UNKNOWN]).split()
        dark = "." * len(drawing[0])
        for number, row in enumerate(rows):
            pixels = drawing[number] if number < len(drawing) else dark
            row += [False] * (GAP if place else 0) + [pixel == "#" for pixel in pixels]
    return rows


def enlarge(pixels: list[list[bool]], factor: int) -> list[list[bool]]:
    """Return a drawing 1 to 3 times as large, with smooth diagonals.

    Parameters
    ----------
    pixels : list of list of bool
        Rows of the same width.
    factor : int
        1, 2 or 3.

    Notes
    -----
    Where two lit pixels only touch at their corners, a corner of each dark pixel beside them is lit too.
    Right angles stay, so that a D does not become an O.
    """
    if factor == 1 or not pixels or not pixels[0]:
        return pixels
    height, width = len(pixels), len(pixels[0])

    def lit(row: int, column: int) -> bool:
        return 0 <= row < height and 0 <= column < width and pixels[row][column]

    large = [[False] * (width * factor) for _ in range(height * factor)]
    for y, row in enumerate(large):
        for x in range(len(row)):
            (row_at, part_y), (column_at, part_x) = divmod(y, factor), divmod(x, factor)
            up, left = _side(part_y, factor), _side(part_x, factor)
            fills = up and left and lit(row_at + up, column_at) and lit(row_at, column_at + left)
            row[x] = lit(row_at, column_at) or bool(fills and not lit(row_at + up, column_at + left))
    return large


def _side(part: int, factor: int) -> int:
    """Return which neighbour a part of an enlarged pixel is at: -1, 1, or 0 for none."""
    return -1 if part == 0 else 1 if part == factor - 1 else 0
