"""The sound format of the SP-404MKII: 48 kHz, 16 bits, mono or stereo, of these lengths."""

from __future__ import annotations

RATE_HZ = 48_000

MIN_FRAMES = 4_900
"""The shortest sound. A pad shorter than about 100 ms reportedly does not play."""

MAX_FRAMES = 46_080_000
"""The longest sound of a pad, from the manual: 16 minutes."""
