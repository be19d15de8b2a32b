"""What we accept, in one frozen table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Bounds on a decoded file.

    `values` bounds frames x channels, hence the scratch file: an hour of silence packs into a few
    kilobytes of FLAC, so the size of the upload says nothing about what it unpacks to.
    """

    channels_max: int = 8
    sample_rate_min_hz: int = 4_000
    sample_rate_max_hz: int = 384_000
    duration_max_s: float = 1_800.0
    values_max: int = 270_000_000
    chunks_max: int = 1_000
    whole_share_min: float = 0.5
    duration_min_truncated_s: float = 0.02


DEFAULT_LIMITS = DecodeLimits()
