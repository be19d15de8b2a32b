"""Musical keys as people write them: `A minor`, and the Camelot wheel that DJs mix by."""

from __future__ import annotations

PITCH_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MODES = ("major", "minor")
ALL_KEYS = tuple(f"{pitch} {mode}" for mode in MODES for pitch in PITCH_NAMES)

# C major is 8B and A minor 8A; a fifth up is one hour on.
_FIFTHS_TO_HOUR = {"major": 8, "minor": 5}


def camelot_code(key: str) -> str:
    """`A minor` → `8A`."""
    pitch, mode = key.split(" ")
    fifths = PITCH_NAMES.index(pitch) * 7 % 12
    hour = (fifths + _FIFTHS_TO_HOUR[mode] - 1) % 12 + 1
    return f"{hour}{'A' if mode == 'minor' else 'B'}"


def compatible_keys(key: str) -> list[str]:
    """The key itself, its relative, and the neighbours on the wheel."""
    hour, letter = int(camelot_code(key)[:-1]), camelot_code(key)[-1]
    wanted = {f"{hour}A", f"{hour}B", f"{hour % 12 + 1}{letter}", f"{(hour - 2) % 12 + 1}{letter}"}
    return [other for other in ALL_KEYS if camelot_code(other) in wanted]


def format_key(key: str | None, notation: str) -> str:
    """A key in the notation somebody chose; a dash for none."""
    if key is None:
        return "–"
    if notation == "camelot":
        return camelot_code(key)
    return f"{short_key_name(key)} · {camelot_code(key)}" if notation == "both" else short_key_name(key)


def short_key_name(key: str) -> str:
    """`A minor` → `A min`, as rows show it."""
    pitch, mode = key.split(" ")
    return f"{pitch.replace('#', '♯')} {mode[:3]}"
