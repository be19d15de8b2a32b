"""What the SP-404MKII can hold."""

from __future__ import annotations

MOST_SECONDS_A_PAD = 960.0  # 46,080,000 frames at 48 kHz, by the manual


def fits_a_pad(duration_s: float) -> bool:
    """Say whether the unit can hold a sound of this length in seconds."""
    return duration_s <= MOST_SECONDS_A_PAD
