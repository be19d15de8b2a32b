"""Reads tempo, key and kind of sound from a file's name: `SM_NP_100_guitar_Dmaj.wav`, `Kick 03.wav`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from app.music.musical_keys import GERMAN_MODE_WORDS, MODE_WORDS, MODES, parse_mode
from app.music.pitch_names import pitch_name
from app.music.sound_classes import DRUMS, HI_HAT, KINDS, TEXTURE
from app.music.sound_words import (
    KIND_WORDS,
    KIND_WORDS_IN_FILE_NAMES,
    LOOP_WORDS,
    SOUND_WORDS,
    SOUND_WORDS_IN_FILE_NAMES,
    merge_words,
)

FROM_NAME = "file name"

_MIN_BPM, _MAX_BPM = 40.0, 300.0
_MIN_BARE_BPM, _MAX_BARE_BPM = 60.0, 200.0
# Other plurals are left out: "breaks" or "hits" in a name tends to be the title of a pack.
_PLURALS = frozenset(
    {
        "kick", "snare", "rim", "clap", "hi hat", "hat", "tom", "cymbal", "shaker", "pad", "vocal", "loop",
        "one shot", "bar", "texture", "atmosphere", "soundscape", "drone", "field recording", "riser",
        "sweep",
    }
)  # fmt: skip

_NUMBER = r"(\d{2,3}(?:\.\d{1,3})?)"
_BPM_MARKED = re.compile(rf"(?<![\d.]){_NUMBER}\s?bpm(?![a-z])|bpm\s?{_NUMBER}", re.IGNORECASE)
_BPM_BARE = re.compile(r"(?:^|(?<=\s))(\d{2,3})(?=\s|$)")
_MODES = "|".join(word for mode in MODES for table in (MODE_WORDS, GERMAN_MODE_WORDS) for word in table[mode])
_KEY = re.compile(rf"(?:^|(?<=\s))([A-G])\s?(#|♯|b|♭|sharp|flat)?\s?({_MODES})?(?=\s|$)", re.I)


def _words_pattern(words: tuple[str, ...]) -> str:
    return "|".join(word.replace(" ", " ?") + ("s?" if word in _PLURALS else "") for word in words)


_KINDS = {
    kind: re.compile(rf"(?:^|\s)(?:{_words_pattern(words)})(?:\s|$)", re.I)
    for kind, words in merge_words(KIND_WORDS, KIND_WORDS_IN_FILE_NAMES).items()
}
_SOUNDS = {
    sound: re.compile(rf"(?:^|\s)(?:{_words_pattern(words)})(?=\s|\d|$)")
    for sound, words in merge_words(SOUND_WORDS, SOUND_WORDS_IN_FILE_NAMES).items()
}


_LOOP_SOUNDS = {
    sound: re.compile(rf"(?:^|\s)(?:{_words_pattern(words)}) ?loops?(?=\s|\d|$)")
    for sound, words in LOOP_WORDS.items()
}


@dataclass(frozen=True, slots=True)
class NameEvidence:
    """Facts that a file name states; each is None when the name does not state it.

    Attributes
    ----------
    bpm
        Tempo in beats a minute.
    bpm_marked
        Whether "bpm" stood beside the number.
    key
        One of `musical_keys.ALL_KEYS`.
    kind
        One of `sound_classes.KINDS`.
    sound
        The class of a one-shot, or "hi-hat".
    loop_sound
        The class of a loop, as in "drum loop".
    bpm_source
        What states the tempo: the name, unless the file does itself.
    """

    bpm: float | None
    bpm_marked: bool
    key: str | None
    kind: str | None
    sound: str | None
    loop_sound: str | None = None
    bpm_source: str = FROM_NAME


def parse_file_name(name: str) -> NameEvidence:
    """Read tempo, key, kind and class of sound from a file name.

    Parameters
    ----------
    name : str
        A name or path with `/` or `\\`, with or without an extension.

    Notes
    -----
    A number without "bpm" counts as a tempo only when it is the only one from 60 to 200, so "Kick 03" and
    "Juno 106 Pad 90" state no tempo. A letter is a key only with a mode: "guitar 100 D" leaves open whether
    major or minor.
    """
    words = re.sub(r"[_\-.,()\[\]{}]+(?!\d{1,3}\s?bpm)", " ", _file_stem(name)).strip()
    bpm, marked = _parse_bpm(_file_stem(name).replace("_", " "), words)
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z\d])", " ", words).lower()
    kind, sound = _parse_kind(words), _first_named(spaced, _SOUNDS)
    if kind == TEXTURE and (sound in DRUMS or sound == HI_HAT):
        kind = None  # "Dark Textures - Kick 01": the name of a pack
    return NameEvidence(bpm, marked, _parse_key(words), kind, sound, _first_named(spaced, _LOOP_SOUNDS))


def _file_stem(name: str) -> str:
    return re.sub(r"\.[A-Za-z0-9]{2,5}$", "", PurePath(name.replace("\\", "/")).name)


def _parse_bpm(raw: str, words: str) -> tuple[float | None, bool]:
    marked = _BPM_MARKED.search(raw)
    if marked:
        value = float(marked[1] or marked[2])
        return (value, True) if _MIN_BPM <= value <= _MAX_BPM else (None, False)
    numbers = [float(number) for number in _BPM_BARE.findall(words)]
    bare = [number for number in numbers if _MIN_BARE_BPM <= number <= _MAX_BARE_BPM]
    return (bare[0] if len(bare) == 1 else None), False


def _parse_key(words: str) -> str | None:
    """Return the one key that is named, None for several."""
    found = {key for match in _KEY.finditer(words) if (key := _key_of_match(match))}
    return found.pop() if len(found) == 1 else None


def _key_of_match(match: re.Match[str]) -> str | None:
    letter, accidental, mode = match[1], match[2] or "", match[3] or ""
    # A lower-case letter before "m" may be any word's: "a m" is no key.
    if not mode or (letter.islower() and len(mode) < 3):
        return None
    return f"{pitch_name(letter, accidental)} {parse_mode(mode)}"


def _parse_kind(words: str) -> str | None:
    """Return the kind that is named, None when both are."""
    found = [kind for kind in KINDS if _KINDS[kind].search(words)]
    return found[0] if len(found) == 1 else None


def _first_named(spaced: str, classes: Mapping[str, re.Pattern[str]]) -> str | None:
    """Return the first class, in their order, that a word names."""
    return next((sound for sound, pattern in classes.items() if pattern.search(spaced)), None)
