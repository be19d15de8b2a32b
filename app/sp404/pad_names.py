"""Make names that the SP-404MKII loads and shows.

The unit lists a file whose name has an unsupported character, but fails to load it. A pad's name holds
23 characters and the screen shows about 16, so the part that tells sounds apart comes first.
"""

from __future__ import annotations

import re
import unicodedata

from anyascii import anyascii

from app.download_names import is_reserved
from app.music.musical_keys import key_symbol
from app.sp404.name_shortening import shorten_name

MAX_PAD_NAME = 23
UNLOADABLE_CHARACTER = re.compile(r"[^A-Za-z0-9 _!&()+,\-.=@\[\]{}]")
SAFE_NAME_RULE = "of A–Z, a–z, 0–9, spaces and _ ! & ( ) + - , . = @ [ ] { }"
# A sharp or flat belongs to a note: `F#m7`, but not `Loop #1`.
PITCH = re.compile(r"(?<![^\W\d_])([A-G])([#♯♭]{1,2})", re.I)
PITCH_SIGNS = str.maketrans({"#": "s", "♯": "s", "♭": "b"})
NUMBER = re.compile(r"-(\d{1,9})$")


def safe_name(text: str, max_length: int = MAX_PAD_NAME) -> str:
    """Return a name that the unit loads, made from any text.

    Parameters
    ----------
    text : str
        Any name, in any script. Accents and other scripts are transliterated by `anyascii`.
    max_length : int
        Maximum length of the result in characters.

    Returns
    -------
    str
        1 to `max_length` characters from ``A-Z a-z 0-9 space _ ! & ( ) + - , . = @ [ ] { }``, never
        starting with a dot (hidden on the card) or hyphen, ending with a dot or space (lost on FAT), or
        naming a device of Windows. A longer name keeps its numbers and its ending.
    """
    spelled = PITCH.sub(_spell_pitch, unicodedata.normalize("NFKC", text))
    plain = UNLOADABLE_CHARACTER.sub(" ", anyascii(spelled))
    tidy = re.sub(r"\s+", " ", plain).lstrip(" .-").rstrip(" .")
    name = shorten_name(tidy, max_length) or "sample"
    return f"_{name}"[:max_length].rstrip(" .") if is_reserved(name) else name


def append_facts(name: str, bpm: float | None, key: str | None, max_length: int = MAX_PAD_NAME) -> str:
    """Return a safe name that ends with tempo and key, because the unit keeps neither from a file.

    Parameters
    ----------
    name : str
        Any name. It is shortened so that the facts still fit.
    bpm : float or None
        Tempo in beats a minute, rounded to a whole number.
    key : str or None
        Like ``A minor``. It is written ``Am``, with ``s`` for a sharp because the unit refuses ``#``.

    max_length : int
        Maximum length of the result in characters.

    Returns
    -------
    str
        Like ``Dusty break 93 Am``. A fact that the name already contains is not repeated.
    """
    facts = [f"{bpm:.0f}" if bpm else "", key_symbol(key).translate(PITCH_SIGNS) if key else ""]
    found, ending = safe_name(name, max_length), list[str]()
    while missing := [fact for fact in facts if fact and fact not in re.split("[ _-]", found)]:
        ending = [fact for fact in facts if fact in missing or fact in ending]
        length = max_length - len(" ".join(ending)) - 1
        found = f"{safe_name(name, length)} {' '.join(ending)}"
    return found


def unique_names(names: list[str], max_length: int = MAX_PAD_NAME) -> list[str]:
    """Return safe names that all differ, as a folder or a bank needs them.

    Parameters
    ----------
    names : list of str
        Any names.

    max_length : int
        Maximum length of each name in characters.

    Returns
    -------
    list of str
        As many names in the same order. A repeated one ends in ``-2``, ``-3`` … Names that differ only in
        case count as the same, as they do on the card.
    """
    taken: set[str] = set()
    last_number: dict[str, int] = {}
    result = []
    for name in names:
        first = candidate = safe_name(name, max_length)
        number = last_number.get(first.casefold(), 1)
        while candidate.casefold() in taken:
            number += 1
            candidate = numbered_name(name, number, max_length)
        last_number[first.casefold()] = number
        taken.add(candidate.casefold())
        result.append(candidate)
    return result


def numbered_name(name: str, number: int, max_length: int = MAX_PAD_NAME) -> str:
    """Return a safe name for one of several sounds with the same name.

    Parameters
    ----------
    name : str
        Any name.
    number : int
        Which of the sounds it is, from 1.
    max_length : int
        Maximum length of the result in characters.

    Returns
    -------
    str
        The safe name alone for the first, and one that ends in ``-2``, ``-3`` … for the others.
    """
    ending = f"-{number}" if number > 1 else ""
    return safe_name(name, max_length - len(ending)) + ending


def is_numbered_name(text: str, name: str) -> bool:
    """Return whether a text is the safe name for `name`, with any number or none."""
    number = NUMBER.search(text)
    return text == safe_name(name) or (number is not None and text == numbered_name(name, int(number[1])))


def _spell_pitch(match: re.Match[str]) -> str:
    return match[1] + match[2].translate(PITCH_SIGNS)
