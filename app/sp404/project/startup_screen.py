"""Draw the name of a kit as a picture that the unit shows when it starts."""

from __future__ import annotations

from collections.abc import Iterable

from app.sp404.project.picture_files import HEIGHT, WIDTH, UnitPicture, make_picture
from app.sp404.project.pixel_font import CAPITAL_ROWS, ROWS, draw_text, enlarge

Pixels = list[list[bool]]
MARGIN = 6
BAR_ROWS = 13
LINES_AT = {3: 1, 2: 3, 1: 4}
"""How many lines of a name are drawn at most, by their size."""
LEADING = 2


def draw_startup_screen(name: str, caption: str = "") -> UnitPicture:
    """Return a start-up screen with a name in the largest letters that fit.

    Parameters
    ----------
    name : str
        Of the kit, at most 32 characters; a longer one is cut where the screen ends.
    caption : str
        A short line in a lit bar at the bottom, such as ``90 BPM``.

    Returns
    -------
    UnitPicture
        128 x 64 pixels.
    """
    canvas: Pixels = [[False] * WIDTH for _ in range(HEIGHT)]
    room = HEIGHT - (BAR_ROWS if caption else 0)
    size, lines = _fit(name.strip(), room)
    # Tails of letters do not count, so that capitals sit in the middle.
    step = ROWS * size + LEADING
    tall = step * (len(lines) - 1) + CAPITAL_ROWS * size
    top = (room - tall) // 2
    for number, line in enumerate(lines):
        _draw_centred(canvas, enlarge(draw_text(line), size), top + number * step)
    if caption:
        _draw_bar(canvas, caption)
    else:
        _draw_corners(canvas)
    return make_picture(canvas)


def _fit(name: str, room: int) -> tuple[int, list[str]]:
    """Return the largest size at which a name fits, and its lines."""
    for size, most in LINES_AT.items():
        lines = _wrap(name, size)
        if lines and len(lines) <= most and len(lines) * (ROWS * size + LEADING) <= room + LEADING:
            return size, lines
    return 1, (_wrap(name, 1) or _cut(name))[: LINES_AT[1]]


def _wrap(name: str, size: int) -> list[str]:
    """Return a name in as few lines as it needs, of even lengths; none where a word is too wide."""
    words = name.split()
    for count in range(1, len(words) + 1):
        fitting = [lines for lines in _divisions(words, count) if all(_fits(line, size) for line in lines)]
        if fitting:
            return min(fitting, key=lambda lines: max(_width(line, size) for line in lines))
    return []


def _divisions(words: list[str], count: int) -> Iterable[list[str]]:
    """Yield every way to put words on so many lines."""
    if count == 1:
        yield [" ".join(words)]
        return
    for first in range(1, len(words) - count + 2):
        for rest in _divisions(words[first:], count - 1):
            yield [" ".join(words[:first]), *rest]


def _cut(name: str) -> list[str]:
    """Return a name cut into lines wherever the screen ends."""
    lines = [""]
    for character in name:
        if not _fits(lines[-1] + character, 1):
            lines.append("")
        lines[-1] += character
    return lines


def _width(line: str, size: int) -> int:
    return len(draw_text(line)[0]) * size


def _fits(line: str, size: int) -> bool:
    return _width(line, size) <= WIDTH - 2 * MARGIN


def _draw_centred(canvas: Pixels, drawing: Pixels, top: int, lit: bool = True) -> None:
    left = (WIDTH - len(drawing[0])) // 2
    for y, row in enumerate(drawing):
        for x, pixel in enumerate(row):
            if pixel and 0 <= top + y < HEIGHT:
                canvas[top + y][left + x] = lit


def _draw_bar(canvas: Pixels, caption: str) -> None:
    """Draw a lit bar over the whole width with a dark caption."""
    text = caption.strip()
    while not _fits(text, 1):
        text = text[:-1]
    for row in canvas[HEIGHT - BAR_ROWS :]:
        row[:] = [True] * WIDTH
    _draw_centred(canvas, draw_text(text), HEIGHT - BAR_ROWS + (BAR_ROWS - CAPITAL_ROWS) // 2, lit=False)


def _draw_corners(canvas: Pixels) -> None:
    """Draw four corners around the picture."""
    for step in range(8):
        for row, column in ((0, step), (step, 0)):
            for y in (row, HEIGHT - 1 - row):
                for x in (column, WIDTH - 1 - column):
                    canvas[y][x] = True
