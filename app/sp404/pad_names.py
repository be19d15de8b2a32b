"""Make names that the SP-404MKII loads and shows.

The unit lists a file whose name has an unsupported character, but fails to load it. A pad's name holds
23 characters and the screen shows about 16, so the part that tells sounds apart comes first.
"""

from __future__ import annotations

import re

from anyascii import anyascii

from app.music.musical_keys import key_symbol

MAX_PAD_NAME = 23
UNLOADABLE_CHARACTER = re.compile(r"[^A-Za-z0-9 _!&()+,\-.=@\[\]{}]")
PITCH_SIGNS = str.maketrans({"#": "s", "♯": "s", "♭": "b"})


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
        1 to `max_length` characters out of ``A-Z a-z 0-9 space _ ! & ( ) + - , . = @ [ ] { }``, never
        starting with a dot (hidden on the card) nor ending with a dot or space (lost on FAT).
    """
    plain = UNLOADABLE_CHARACTER.sub(" ", anyascii(text.translate(PITCH_SIGNS)))
    tidy = re.sub(r"\s+", " ", plain).strip(" .")
    return tidy[:max_length].rstrip(" .") or "sample"


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
    words = name.split()
    wanted = " ".join(fact for fact in facts if fact and fact not in words)
    if not wanted:
        return safe_name(name, max_length)
    return f"{safe_name(name, max_length - len(wanted) - 1)} {wanted}"


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
    result = []
    for name in names:
        candidate, number = safe_name(name, max_length), 2
        while candidate.casefold() in taken:
            ending = f"-{number}"
            candidate, number = safe_name(name, max_length - len(ending)) + ending, number + 1
        taken.add(candidate.casefold())
        result.append(candidate)
    return result
