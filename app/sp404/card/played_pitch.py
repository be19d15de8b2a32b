"""How far a pad is from its sound's own pitch, for samplers that know only semitones."""

from __future__ import annotations

from math import log2

from app.sp404.pad_settings import PadSettings


def played_cents(settings: PadSettings) -> int:
    """Return how many cents above or below its sound a pad plays.

    Parameters
    ----------
    settings : PadSettings

    Returns
    -------
    int
        With vinyl on and BPM sync off the speed sets the pitch, 1,200 · log2(speed / 100); with vinyl off
        semitones and cents do.
    """
    if not settings.vinyl:
        return 100 * settings.pitch + settings.fine
    return 0 if settings.bpm_sync else round(1200 * log2(settings.speed / 100))


def unplayed_settings(settings: PadSettings, mutes: bool, syncs: bool) -> tuple[str, ...]:
    """Return a sentence about the settings that another sampler's file has no place for.

    Parameters
    ----------
    settings : PadSettings
    mutes, syncs : bool
        Whether that file has mute groups, and a tempo to follow.
    """
    lost = {
        "chops": bool(settings.chops),
        "pad link": settings.pad_link > 0,
        "ping-pong": "ping-pong" in settings.play_mode,
        "mute group": settings.mute_group > 0 and not mutes,
        "BPM sync": settings.bpm_sync and not syncs,
        "envelope": (settings.attack, settings.hold, settings.release) != (0, 100, 0),
        "speed": settings.speed != 100 and (settings.bpm_sync or not settings.vinyl),
    }
    names = [name for name, is_lost in lost.items() if is_lost]
    return (f"Not carried over: {', '.join(names)}.",) if names else ()
