"""Musical keys: their names (`A minor`), how people write them, and the Camelot wheel that DJs mix by."""

from __future__ import annotations

from app.music.pitch_names import PITCH_NAMES

MODES = ("major", "minor")
ALL_KEYS = tuple(f"{pitch} {mode}" for mode in MODES for pitch in PITCH_NAMES)

MODE_WORDS = {"minor": ("minor", "min", "m"), "major": ("major", "maj")}
"""Words for a mode in English. `m` counts in lower case only: `CM` is C major."""

GERMAN_MODE_WORDS = {"minor": ("moll",), "major": ("dur",)}
"""Words for a mode in German, met in the file names of sample packs; the search is in English."""

# C major is 8B and A minor 8A; a fifth up is one number on.
_FIFTHS_TO_NUMBER = {"major": 8, "minor": 5}
_CAMELOT_LETTERS = {"major": "B", "minor": "A"}


def parse_mode(word: str) -> str | None:
    """Return `major` or `minor` for a word such as `min`, `Maj` or `dur`, None for any other word.

    A lone `m` is minor and a lone `M` major, as in chord symbols.
    """
    if word == "M":
        return "major"
    for words in (MODE_WORDS, GERMAN_MODE_WORDS):
        for mode, spellings in words.items():
            if word.lower() in spellings:
                return mode
    return None


def keys_of_mode(mode: str) -> list[str]:
    """Return the twelve keys of a mode (`major` or `minor`), from C upward."""
    return [key for key in ALL_KEYS if key.endswith(f" {mode}")]


def camelot_code(key: str) -> str:
    """Return the place of a key on the Camelot wheel, such as `8A` for `A minor`.

    Neighbouring numbers are a fifth apart; A and B are the minor and major key of the same notes.

    Raises
    ------
    ValueError
        `key` is not one of `ALL_KEYS`.
    """
    pitch, mode = key.split(" ")
    fifths = PITCH_NAMES.index(pitch) * 7 % 12
    number = (fifths + _FIFTHS_TO_NUMBER[mode] - 1) % 12 + 1
    return f"{number}{_CAMELOT_LETTERS[mode]}"


def key_of_camelot(code: str) -> str:
    """Return the key at a place of the Camelot wheel, such as `A minor` for `8A` or `8a`.

    Raises
    ------
    KeyError
        `code` is not on the wheel.
    """
    return _KEYS_BY_CODE[code.upper()]


def relative_key(key: str) -> str:
    """Return the key of the other mode with the same notes, such as `C major` for `A minor`."""
    code = camelot_code(key)
    return key_of_camelot(code[:-1] + ("B" if code.endswith("A") else "A"))


def compatible_keys(key: str) -> list[str]:
    """Return the keys that mix with `key`: itself, its relative and its two neighbours on the wheel."""
    code = camelot_code(key)
    number, letter = int(code[:-1]), code[-1]
    wanted = {f"{number}A", f"{number}B", f"{number % 12 + 1}{letter}", f"{(number - 2) % 12 + 1}{letter}"}
    return [other for other in ALL_KEYS if camelot_code(other) in wanted]


def format_key(key: str | None, notation: str) -> str:
    """Return a key in a notation a user chose, a dash for none.

    Parameters
    ----------
    key : str or None
        One of `ALL_KEYS`.
    notation : str
        `camelot` (`8A`), `both` (`A min · 8A`), anything else for `A min`.
    """
    if key is None:
        return "–"
    if notation == "camelot":
        return camelot_code(key)
    return f"{short_key_name(key)} · {camelot_code(key)}" if notation == "both" else short_key_name(key)


def short_key_name(key: str) -> str:
    """Return a key as table rows show it, such as `A min` for `A minor` and `F♯ maj` for `F# major`."""
    pitch, mode = key.split(" ")
    return f"{pitch.replace('#', '♯')} {mode[:3]}"


def key_symbol(key: str) -> str:
    """Return a key as its tonic chord is written, such as `Am` for `A minor` and `F#` for `F# major`."""
    pitch, mode = key.split(" ")
    return f"{pitch}{'m' if mode == 'minor' else ''}"


_KEYS_BY_CODE = {camelot_code(key): key for key in ALL_KEYS}
CAMELOT_ORDER = tuple(_KEYS_BY_CODE[f"{number}{letter}"] for letter in "AB" for number in range(1, 13))
"""All keys as the wheel has them: 1A to 12A, which are minor, then 1B to 12B."""
