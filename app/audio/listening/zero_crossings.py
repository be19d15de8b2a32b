"""Zero crossings, where a cut makes no click. Plain Python: a page finds cuts without numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from app.audio.decoding.scratch_file import SampleSource

MAX_SNAP_S = 0.002
_MIN_MEAN_POWER = 0.03  # of the loudest channel's

Frames = Sequence[Sequence[float]]
"""Shape (frames, channels)."""


class FrameReader(Protocol):
    """A sound whose frames are read part by part, as plain numbers of any scale."""

    def __len__(self) -> int: ...

    def __getitem__(self, span: slice, /) -> Frames: ...


def snap_to_zero_crossing(time_s: float, sound: SampleSource | FrameReader, sample_rate: int) -> float:
    """Return the time of the nearest zero crossing of the sound, where a cut makes no click.

    Parameters
    ----------
    time_s : float
        In seconds.
    sound : SampleSource or FrameReader
        Shape (frames, channels), at its own rate: crossings at the front end's rate would be samples off.
    sample_rate : int
        In Hz.

    Returns
    -------
    float
        Seconds, exact to a sample: where the mean of the channels, or the loudest channel if the channels
        cancel each other out, is zero or has just changed its sign. When there is no crossing within 2 ms,
        where it is quietest there. The start of the sound stays 0.
    """
    at, reach = round(time_s * sample_rate), max(int(MAX_SNAP_S * sample_rate), 1)
    if at == 0:
        return 0.0
    low = max(at - reach, 0)
    part = sound[low : at + reach + 1]
    signal = _one_signal(part if isinstance(part, Sequence) else part.tolist())
    if not signal:
        return at / sample_rate
    places = _crossings(signal) or [min(range(len(signal)), key=lambda place: abs(signal[place]))]
    return (low + min(places, key=lambda place: abs(low + place - at))) / sample_rate


def _one_signal(part: Frames) -> list[float]:
    """Return the mean of the channels, or the loudest one where they cancel each other out."""
    signal = [sum(frame) / len(frame) for frame in part]
    channels = list(zip(*part, strict=True))
    powers = [sum(value * value for value in channel) for channel in channels]
    if powers and sum(value * value for value in signal) < _MIN_MEAN_POWER * max(powers):
        return list(channels[powers.index(max(powers))])
    return signal


def _crossings(signal: Sequence[float]) -> list[int]:
    """Return where the signal is zero, or has another sign than just before."""
    before = [signal[0], *signal[:-1]]
    pairs = zip(before, signal, strict=True)
    return [place for place, (last, now) in enumerate(pairs) if now == 0 or now * last <= 0]
