"""Repair settings that the unit could not take with a sound, and say what was changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from app.sp404.errors import UnitFileError
from app.sp404.pad_settings import PadSettings
from app.sp404.project.pad_blocks import encode_pad
from app.sp404.project.smp_files import SmpHeader


class Repair(NamedTuple):
    """What is wrong with the settings of a pad, and the change that puts it right.

    Attributes
    ----------
    code : str
        Short and stable, for programs.
    wrong, done : str
        A sentence each: what is wrong, and what an export does about it.
    changes : mapping of str to value
        By the names of `PadSettings`.
    """

    code: str
    wrong: str
    done: str
    changes: Mapping[str, Any]


def repair_settings(settings: PadSettings, header: SmpHeader) -> tuple[PadSettings, tuple[Repair, ...]]:
    """Return settings that fit a sound, and what had to be changed for it.

    Parameters
    ----------
    settings : PadSettings
        Of the pad.
    header : SmpHeader
        Of its sound.

    Returns
    -------
    tuple of PadSettings and tuple of Repair
        The settings themselves where they fit already.
    """
    repairs = tuple(_find_repairs(settings, header))
    for one in repairs:
        settings = settings.changed(one.changes)
    return settings, repairs


def _find_repairs(settings: PadSettings, header: SmpHeader) -> Iterator[Repair]:
    frames = header.frames
    points = _outside_points(settings, frames)
    if points:
        verb = "is" if len(points) == 1 else "are"
        wrong = " and ".join(f"{name.replace('_', ' ')} ({getattr(settings, name):,})" for name in points)
        yield Repair(
            "points_past_end",
            f"The {wrong} {verb} past the end of the sound, which has {frames:,} frames.",
            f"The {' and '.join(points).replace('_', ' ')} {verb} put back to the default.",
            points,
        )
    inside = tuple(chop for chop in settings.chops if chop < frames)
    if inside != settings.chops:
        left = list(inside) if len(inside) > 1 else []
        yield Repair(
            "chops_past_end",
            f"Chops stand past the end of the sound, which has {frames:,} frames.",
            f"The first {len(left)} of {len(settings.chops)} chops are kept.",
            {"chops": left},
        )
    if settings.kept and not _fits_kept(settings.kept, header):
        yield Repair(
            "kept_unusable",
            "What was kept of the pad in its original project is damaged.",
            "It is left out.",
            {"kept": ""},
        )


def _outside_points(settings: PadSettings, frames: int) -> dict[str, int | None]:
    """Return the positions to put back, with their defaults."""
    points: dict[str, int | None] = {}
    if settings.end is not None and settings.end > frames:
        points["end"] = None
    if settings.start >= frames:
        points["start"] = 0
    if settings.loop_top is not None and settings.loop_top >= frames:
        points["loop_top"] = None
    return points


def _fits_kept(kept: str, header: SmpHeader) -> bool:
    try:
        encode_pad(PadSettings(kept=kept), header.size_bytes, header.channels)
    except UnitFileError:
        return False
    return True
