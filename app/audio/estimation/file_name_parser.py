"""What a file's name says about its tempo, key and kind: `SM_NP_100_guitar_Dmaj.wav`, `Kick 03.wav`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

_MIN_BPM, _MAX_BPM = 50.0, 210.0
_FLATS = {"Db": "C#", "Eb": "D#", "Fb": "E", "Gb": "F#", "Ab": "G#", "Bb": "A#", "Cb": "B"}
_SHARPS = {"E#": "F", "B#": "C"}

_NUMBER = r"(\d{2,3}(?:\.\d{1,3})?)"
_BPM_MARKED = re.compile(rf"(?<![\d.]){_NUMBER}\s?bpm(?![a-z])|bpm\s?{_NUMBER}", re.IGNORECASE)
_BPM_BARE = re.compile(r"(?:^|(?<=\s))(\d{2,3})(?=\s|$)")
_KEY = re.compile(
    r"(?:^|(?<=\s))([A-G])\s?(#|♯|b|♭|sharp|flat)?\s?(major|minor|maj|min|dur|moll|m|M)?(?=\s|$)", re.I
)
_MINOR, _MAJOR = ("minor", "min", "moll"), ("major", "maj", "dur")
_SOUND_WORDS: tuple[tuple[str, str], ...] = (
    (r"kicks?|bd|bassdrum|bass drum|kik", "kick"),
    (r"snares?|snr|sd|rimshot|rim", "snare"),
    (r"claps?|clp", "clap"),
    (r"hi ?hats?|hats?|hh|oh|ch|open hat|closed hat", "hi-hat"),
    (r"toms?", "tom"),
    (r"cymbals?|crash|ride|cym", "cymbal"),
    (r"perc|percussion|conga|bongo|shaker|tambourine|cowbell|clave", "percussion"),
    (r"bass|sub|808", "bass"),
    (r"keys|piano|rhodes|organ|epiano", "keys"),
    (r"lead|synth lead", "lead"),
    (r"pads?", "pad"),
    (r"vox|vocals?|voice", "vocal-like"),
    (r"fx|sfx|riser|impact|sweep", "fx"),
)
_LOOP = re.compile(r"(?:^|\s)(loops?|groove|break|beat|bars?)(?:\s|$)", re.I)
_ONE_SHOT = re.compile(r"(?:^|\s)(one ?shots?|hit|stab)(?:\s|$)", re.I)


@dataclass(frozen=True, slots=True)
class NameEvidence:
    """What a name says; each None when it says nothing. `bpm_marked`: the number had "bpm" beside it."""

    bpm: float | None
    bpm_marked: bool
    key: str | None
    kind: str | None
    sound: str | None


def parse_file_name(name: str) -> NameEvidence:
    """Read a file name.

    A number without "bpm" counts as a tempo only when it is the only one from 60 to 200, so that
    "Kick 03" and "Juno 106 Pad 90" say nothing; a lone letter is a key only with a mode or sharp or flat,
    or as the last word ("guitar 100 D" says nothing about the mode and is left out).
    """
    words = re.sub(r"[_\-.,()\[\]{}]+(?!\d{1,3}\s?bpm)", " ", _file_stem(name)).strip()
    bpm, marked = _parse_bpm(_file_stem(name).replace("_", " "), words)
    return NameEvidence(bpm, marked, _parse_key(words), _parse_kind(words), _parse_sound(words))


def _file_stem(name: str) -> str:
    return re.sub(r"\.[A-Za-z0-9]{2,5}$", "", PurePath(name.replace("\\", "/")).name)


def _parse_bpm(raw: str, words: str) -> tuple[float | None, bool]:
    marked = _BPM_MARKED.search(raw)
    if marked:
        value = float(marked[1] or marked[2])
        return (value, True) if _MIN_BPM <= value <= _MAX_BPM else (None, False)
    bare = [float(number) for number in _BPM_BARE.findall(words) if 60 <= float(number) <= 200]
    return (bare[0] if len(bare) == 1 else None), False


def _parse_key(words: str) -> str | None:
    found = {name for match in _KEY.finditer(words) if (name := _key_name(match))}
    return found.pop() if len(found) == 1 else None


def _key_name(match: re.Match[str]) -> str | None:
    letter, accidental, mode = match[1], (match[2] or "").lower(), match[3] or ""
    if not mode or (letter.islower() and len(mode) < 3):
        return None
    sign = {"#": "#", "♯": "#", "sharp": "#", "b": "b", "♭": "b", "flat": "b"}.get(accidental, "")
    tonic = letter.upper() + sign
    tonic = _FLATS.get(tonic, _SHARPS.get(tonic, tonic))
    is_minor = mode == "m" or mode.lower() in _MINOR
    return f"{tonic} {'minor' if is_minor else 'major'}"


def _parse_kind(words: str) -> str | None:
    loop, hit = bool(_LOOP.search(words)), bool(_ONE_SHOT.search(words))
    if loop == hit:
        return None
    return "loop" if loop else "one-shot"


def _parse_sound(words: str) -> str | None:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z\d])", " ", words).lower()
    found = [
        sound for pattern, sound in _SOUND_WORDS if re.search(rf"(?:^|\s)(?:{pattern})(?=\s|\d|$)", spaced)
    ]
    return found[0] if found else None
