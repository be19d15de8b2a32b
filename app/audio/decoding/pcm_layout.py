"""Where uncompressed audio lies in a file, as the readers of WAV and AIFF headers find it."""

from __future__ import annotations

from dataclasses import dataclass

_BIT_DEPTHS = {"PCM_U8": 8, "PCM_S8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 64}


@dataclass(frozen=True, slots=True)
class PcmLayout:
    """Where uncompressed audio lies in a file and how to read it.

    Attributes
    ----------
    channels, sample_rate
        As declared, the rate in Hz; not checked yet.
    subtype, endian
        In the words of libsndfile, such as "PCM_24" and "LITTLE".
    frame_bytes
        Bytes of one sample of all channels.
    start, end
        Offsets in bytes of the first frame and of what follows the last one.
    declared_bytes
        Length of the audio in bytes, None when the header leaves it open, as for a stream.
    warnings
        Sentences for the owner about what contradicts itself in the header.
    """

    channels: int
    sample_rate: int
    subtype: str
    endian: str
    frame_bytes: int
    start: int
    end: int
    declared_bytes: int | None
    warnings: tuple[str, ...] = ()

    @property
    def bit_depth(self) -> int | None:
        """Return how many bits a sample has; None where they don't tell the quality, as in A-law."""
        return _BIT_DEPTHS.get(self.subtype)


def describe_channels(channels: int) -> str:
    """Return a number of channels as people say it: "mono", "stereo", "6-channel"."""
    return {1: "mono", 2: "stereo"}.get(channels, f"{channels}-channel")
