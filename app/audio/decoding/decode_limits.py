"""Limits on the files we decode, in one frozen table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Limits on a decoded file.

    Attributes
    ----------
    channels_max, sample_rate_min_hz, sample_rate_max_hz
        What a header may declare.
    duration_max_s
        Longest file in seconds.
    values_max
        Most samples times channels, which limits the scratch file to four bytes for each. The size of the
        upload does not limit it: an hour of silence packs into a few kilobytes of FLAC.
    chunks_max
        Most chunks before the audio of a WAV or AIFF.
    whole_share_min, duration_min_truncated_s
        A file that is cut short is still used when this share of it, and this many seconds, are there.
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
