"""Limits of the SP-404MKII."""

from __future__ import annotations

from app.audio.unit_format import MAX_FRAMES, RATE_HZ

MAX_PAD_S = MAX_FRAMES / RATE_HZ
"""Longest sound of a pad in seconds."""


def fits_on_pad(duration_s: float) -> bool:
    """Return whether a pad of the unit can hold a sound of this length in seconds."""
    return duration_s <= MAX_PAD_S
