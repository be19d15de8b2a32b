"""Fold texts for searching, so that accents, case and width make no difference.

Texts are folded here, in Python, when they are stored and when they are typed. So both databases compare
plain text with plain text, and find the same samples.
"""

from __future__ import annotations

import unicodedata
from itertools import chain

from anyascii import anyascii

# Accents that a search leaves out, in the scripts where people type without them. The vowel signs of Indian
# scripts, Thai and others are letters to their readers and stay, and so do the voice marks of Japanese.
ACCENTS = (
    (0x0300, 0x036F), (0x0483, 0x0489), (0x0591, 0x05BD), (0x05BF, 0x05BF), (0x05C1, 0x05C2),
    (0x05C4, 0x05C5), (0x05C7, 0x05C7), (0x0610, 0x061A), (0x0640, 0x0640), (0x064B, 0x065F),
    (0x0670, 0x0670), (0x06D6, 0x06DC), (0x06DF, 0x06E4), (0x06E7, 0x06E8), (0x06EA, 0x06ED),
    (0x0711, 0x0711), (0x0730, 0x074A), (0x08CA, 0x08E1), (0x08E3, 0x08FF), (0x093C, 0x093C),
    (0x0A3C, 0x0A3C), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F),
)  # fmt: skip
# Characters that show nothing by themselves: joiners, marks of direction, fillers, variation selectors, tags
INVISIBLE = (
    (0x00AD, 0x00AD), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xE0000, 0xE0FFF),
)  # fmt: skip
# Latin letters that Unicode does not decompose, such as ø and ł; `anyascii` says how they are typed.
LATIN_BLOCKS = ((0x00C0, 0x02AF), (0x1D00, 0x1DBF), (0x1E00, 0x1EFF), (0x2C60, 0x2C7F), (0xA720, 0xA7FF))
# Letters of Arabic that keyboards and habits write in two ways
ARABIC = str.maketrans("ٱىیکةہھە", "اييكههه" + "ه")
# Punctuation that phones and text programs put in place of that on a keyboard
TYPOGRAPHIC = str.maketrans("‘’‚‛ʻʼʽʹ´`“”„‟«»‐‒–—―−⁄〜", "''''''''''" + '""""""' + "------/~")


def fold_text(text: str) -> str:
    """Return a text as searches compare it: `Café ŁÓDŹ` becomes `cafe lodz`."""
    folded = strip_accents(strip_accents(text.casefold()).casefold())
    return unicodedata.normalize("NFC", folded.translate(TYPOGRAPHIC))


def strip_accents(text: str) -> str:
    """Return a text in plain width and without accents; its case stays."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKD", text).translate(_PLAIN_LETTERS))


def _code_points(ranges: tuple[tuple[int, int], ...]) -> chain[int]:
    return chain.from_iterable(range(first, last + 1) for first, last in ranges)


def _plain_letters() -> dict[int, str]:
    """Return the plain form of every code point that has another one; accents become nothing."""
    latin = {each: anyascii(chr(each)) for each in _code_points(LATIN_BLOCKS) if chr(each).isalpha()}
    digits = {
        code: str(unicodedata.decimal(chr(code)))
        for code in range(0x0660, 0xABFA)  # digits of living scripts
        if chr(code).isdecimal()
    }
    removed = dict.fromkeys(chain(_code_points(ACCENTS), _code_points(INVISIBLE)), "")
    arabic = {code: chr(plain) for code, plain in ARABIC.items()}
    return {each: plain for each, plain in latin.items() if plain.isalpha()} | digits | arabic | removed


_PLAIN_LETTERS = str.maketrans(_plain_letters())
