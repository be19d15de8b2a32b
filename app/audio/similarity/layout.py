"""The layout of a similarity vector: its blocks, the presets that weigh them, and its bytes.

Any process can import it: it loads no numerical library.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from types import MappingProxyType

SIMILARITY_VERSION = 1
"""The version of the vector and the fingerprint. Compare only those of the same version."""

FINGERPRINT_BANDS, FINGERPRINT_SPANS = 16, 6
FINGERPRINT_LENGTH = FINGERPRINT_BANDS * FINGERPRINT_SPANS
"""How many numbers from 0 to 255 a fingerprint has: one byte each."""

BODY, SHAPE, CLASS, RHYTHM, HARMONY, TEMPO = "body", "shape", "class", "rhythm", "harmony", "tempo"
BLOCKS: Mapping[str, slice] = MappingProxyType(
    {
        BODY: slice(0, 64),
        SHAPE: slice(64, 104),
        CLASS: slice(104, 115),
        RHYTHM: slice(115, 147),
        HARMONY: slice(147, 171),
        TEMPO: slice(171, 173),
    }
)
"""The place of each block. `RHYTHM`, `HARMONY` and `TEMPO` are zero unless the sound is a loop."""

LENGTH = 173
BALANCED, TIMBRE = "balanced", "timbre"
PRESETS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        BALANCED: {BODY: 1.0, SHAPE: 1.0, CLASS: 1.0, RHYTHM: 1.0, HARMONY: 1.0, TEMPO: 1.0},
        TIMBRE: {BODY: 1.5, SHAPE: 1.5, CLASS: 1.0, RHYTHM: 0.2, HARMONY: 0.2, TEMPO: 0.2},
        RHYTHM: {BODY: 0.35, SHAPE: 0.35, CLASS: 0.35, RHYTHM: 1.0, HARMONY: 0.35, TEMPO: 1.0},
        HARMONY: {BODY: 0.2, SHAPE: 0.2, CLASS: 0.2, RHYTHM: 0.2, HARMONY: 2.0, TEMPO: 5.0},
    }
)
"""The weight of each block by preset. Two sounds are as far apart as their weighted blocks (Euclidean)."""


def block_weights(preset: str) -> tuple[float, ...]:
    """Return the weight of each of `BLOCKS`.

    Parameters
    ----------
    preset : str
        One of `PRESETS`.

    Raises
    ------
    ValueError
        There is no such preset.
    """
    if preset not in PRESETS:
        raise ValueError(f"there is no preset {preset!r}, only {', '.join(PRESETS)}")
    return tuple(PRESETS[preset][name] for name in BLOCKS)


def preset_weights(preset: str) -> tuple[float, ...]:
    """Return the weight of each number of a vector, `LENGTH` in all: that of its block.

    Parameters
    ----------
    preset : str
        One of `PRESETS`.

    Raises
    ------
    ValueError
        There is no such preset.
    """
    sizes = (place.stop - place.start for place in BLOCKS.values())
    weights = zip(block_weights(preset), sizes, strict=True)
    return tuple(weight for weight, size in weights for _ in range(size))


def to_bytes(vector: Sequence[float]) -> bytes:
    """Return a vector as little-endian float32, four bytes a number.

    Parameters
    ----------
    vector : sequence of float
    """
    return struct.pack(f"<{len(vector)}f", *vector)


def from_bytes(stored: bytes) -> tuple[float, ...]:
    """Return the vector that `to_bytes` stored, rounded to float32.

    Parameters
    ----------
    stored : bytes

    Raises
    ------
    ValueError
        The length is no multiple of four.
    """
    if len(stored) % 4:
        raise ValueError(f"{len(stored)} bytes are no float32 numbers")
    return struct.unpack(f"<{len(stored) // 4}f", stored)
