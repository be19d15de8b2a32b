"""Set a pad for the sound that is put on it: how it plays, its tempo, and what it chokes."""

from __future__ import annotations

from app.music.sound_classes import HI_HAT, LOOP, ONE_SHOT
from app.sp404.pad_settings import PadSettings
from app.sp404.unit_limits import TEMPO_BPM

HATS = ("closed hat", "open hat", HI_HAT)
HAT_GROUP = 1
"""Mute group A: a closed hat cuts an open one."""


def settings_for_sound(kind: str, sound: str | None, bpm: float | None) -> PadSettings:
    """Return the settings of a pad for a sound, where they differ from those of any fresh pad.

    Hits play to their end, loops repeat in time while their tempo is known, and hats choke one another.
    A hit is never in sync, which would stretch it.

    Parameters
    ----------
    kind : str
        One of `app.music.sound_classes.KINDS`.
    sound : str or None
        Its class, if it has one.
    bpm : float or None
        Its tempo in beats a minute, if it has one. It is halved or doubled into the range of the unit.
    """
    changes: dict[str, object] = {}
    if bpm:
        changes["bpm"] = tempo_for_pad(bpm)
    if kind == LOOP:
        changes |= {"loop": True, "bpm_sync": bool(bpm)}
    if kind == ONE_SHOT:
        changes["gate"] = False
    if sound in HATS and kind == ONE_SHOT:
        changes["mute_group"] = HAT_GROUP
    return PadSettings().changed(changes)


def tempo_for_pad(bpm: float) -> float:
    """Return a tempo halved or doubled into the range of a pad, in hundredths.

    Parameters
    ----------
    bpm : float
        Beats a minute, above 0.
    """
    while bpm < TEMPO_BPM.least:
        bpm *= 2
    while bpm > TEMPO_BPM.most:
        bpm /= 2
    return round(bpm, 2)
