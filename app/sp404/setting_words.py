"""Name the settings of a pad as the unit does, and say in a sentence what each may be."""

from __future__ import annotations

from typing import NamedTuple

from app.audio.unit_format import MAX_FRAMES
from app.sp404 import unit_limits
from app.sp404.pad_names import MAX_PAD_NAME
from app.sp404.unit_limits import Limits

SPOKEN_CHARACTERS = "A–Z, a–z, 0–9, spaces and _ ! & ( ) + - , . = @ [ ] { }"
FRAME = f"is a whole number of frames from 0 to {MAX_FRAMES:,}"
ON_OFF = "is true (on) or false (off)"


class SettingWords(NamedTuple):
    """The name of a setting on the unit, and the rest of the sentence “Level is …”."""

    label: str
    rule: str

    @property
    def sentence(self) -> str:
        return f"{self.label} {self.rule}."


def _whole(limits: Limits, unit: str = "") -> str:
    return f"is a whole number from {limits.least} to {limits.most}{unit}"


def _hundredths(limits: Limits, unit: str) -> str:
    return f"is {limits.least} to {limits.most}{unit}, with at most two decimals"


def _one_of(choices: tuple[str, ...]) -> str:
    return f"is one of {', '.join(choices[:-1])} and {choices[-1]}"


SETTING_WORDS = {
    "version": SettingWords("Version", "is 1"),
    "name": SettingWords("Name", f"has at most {MAX_PAD_NAME} characters, of {SPOKEN_CHARACTERS}"),
    "level": SettingWords("Level", _whole(unit_limits.LEVEL)),
    "pan": SettingWords("Pan", f"{_whole(unit_limits.PAN)}; {unit_limits.PAN_CENTRE} is the centre"),
    "gate": SettingWords("Gate", ON_OFF),
    "loop": SettingWords("Loop", ON_OFF),
    "one_shot": SettingWords("One-shot", ON_OFF),
    "play_mode": SettingWords("Play mode", _one_of(unit_limits.PLAY_MODES)),
    "mute_group": SettingWords("Mute group", f"{_whole(unit_limits.GROUP)}; 0 is none and 1 is A"),
    "pad_link": SettingWords("Pad link", f"{_whole(unit_limits.GROUP)}; 0 is none and 1 is A"),
    "bus": SettingWords("Bus", "is 0 (dry), 1 or 2"),
    "roll": SettingWords("Roll", _one_of(unit_limits.ROLLS)),
    "bpm": SettingWords("BPM", _hundredths(unit_limits.TEMPO_BPM, "")),
    "bpm_sync": SettingWords("BPM sync", ON_OFF),
    "pitch": SettingWords("Pitch", _whole(unit_limits.PITCH_SEMITONES, " semitones")),
    "fine": SettingWords("Fine", _whole(unit_limits.FINE_CENTS, " cents")),
    "speed": SettingWords("Speed", _hundredths(unit_limits.SPEED_PERCENT, " %")),
    "vinyl": SettingWords("Vinyl mode", ON_OFF),
    "fixed_velocity": SettingWords("Fixed velocity", ON_OFF),
    "poly_mode": SettingWords("Chromatic", _one_of(unit_limits.POLY_MODES)),
    "attack": SettingWords("Attack", _whole(unit_limits.ATTACK)),
    "hold": SettingWords("Hold", _whole(unit_limits.HOLD_PERCENT, " %")),
    "release": SettingWords("Release", _whole(unit_limits.RELEASE)),
    "start": SettingWords("Start", FRAME),
    "end": SettingWords("End", f"{FRAME}, or null for the end of the sound"),
    "loop_top": SettingWords("Loop top", f"{FRAME}, or null for the start"),
    "chops": SettingWords(
        "Chops", f"are at most {unit_limits.MAX_CHOPS} frames of the sound, the first 0, each after the last"
    ),
    "recipe": SettingWords("Recipe", "is how the sound is shaped, or null"),
    "kept": SettingWords("Kept", "is at most 1,024 bytes in lower-case hexadecimal digits"),
}
"""By the names of the fields of `PadSettings`."""
