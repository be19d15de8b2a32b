"""Limits of the SP-404MKII."""

from __future__ import annotations

MAX_PAD_S = 960.0
"""Longest sound of a pad in seconds: 46,080,000 frames at 48 kHz, from the manual."""


def fits_on_pad(duration_s: float) -> bool:
    """Return whether a pad of the unit can hold a sound of this length in seconds."""
    return duration_s <= MAX_PAD_S
