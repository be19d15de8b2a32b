"""What the SP-404MKII can hold."""

from __future__ import annotations

MAX_PAD_S = 960.0  # 46,080,000 frames at 48 kHz, by the manual


def fits_on_pad(duration_s: float) -> bool:
    """Say whether the unit can hold a sound of this length in seconds."""
    return duration_s <= MAX_PAD_S
