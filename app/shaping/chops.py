"""Find where to cut a sample into slices, from what was measured and a few frames of its WAV."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from app.audio.listening.zero_crossings import snap_to_zero_crossing
from app.audio.render import chop
from app.audio.render.chop import Way
from app.audio.render.recipe import RecipeError
from app.audio.unit_format import RATE_HZ
from app.extensions import settings
from app.integrations.storage import open_store
from app.models import Sample
from app.shaping.orders import analysis_in_force

HEADER_BYTES, FRAME_BYTES = 44, 2
WHOLE_BYTES = 8 * 10**6
TOO_MANY_SLICES = f"A sound can be cut into at most {chop.MAX_CHOPS} slices."


@dataclass(frozen=True)
class Chops:
    """Where slices of a sample begin: frames of the unit's WAV, 0 first."""

    cuts: tuple[int, ...]
    frames: int  # of the WAV
    source_rate: int  # of the original, in Hz
    rate: int = RATE_HZ

    def source_frame(self, frame: int) -> int:
        """Return the same place in the original, at its own rate."""
        return round(frame * self.source_rate / self.rate)


class WavFrames:
    """The frames of a unit's WAV in the store, read part by part, as 16-bit integers."""

    def __init__(self, key: str) -> None:
        self._store, self._key = open_store(settings()), key
        header = self._store.read(key, 0, HEADER_BYTES)
        self._channels: int = struct.unpack_from("<H", header, 22)[0]
        self._frames: int = struct.unpack_from("<I", header, 40)[0] // self._width
        size = self._frames * self._width
        # A short sound is read at once: a bucket takes as long for a few frames as for a second.
        self._whole = self._store.read(key, HEADER_BYTES, size) if size <= WHOLE_BYTES else None

    @property
    def _width(self) -> int:
        return FRAME_BYTES * self._channels

    def __len__(self) -> int:
        return self._frames

    def __getitem__(self, span: slice, /) -> list[tuple[int, ...]]:
        first, last, _ = span.indices(len(self))
        if last <= first:
            return []
        start, count = first * self._width, (last - first) * self._width
        if self._whole is not None:
            data = self._whole[start : start + count]
        else:
            data = self._store.read(self._key, HEADER_BYTES + start, count)
        return list(struct.iter_unpack(f"<{self._channels}h", data))


def find_chops(sample: Sample, by: Way, count: int, sensitivity: float) -> Chops:
    """Return where to cut a sample. Raises RecipeError and StorageError."""
    analysis, sound = analysis_in_force(sample), WavFrames(sample.sp404_key)
    cuts = chop.find_chops(analysis, sound, RATE_HZ, by=by, count=count, sensitivity=sensitivity)
    return Chops(cuts, len(sound), analysis.sample_rate)


def snap_cuts(sample: Sample, sound: WavFrames, cuts: Sequence[int]) -> Chops:
    """Return cuts that a producer chose, each moved to the nearest zero crossing within 2 ms."""
    snapped = {round(snap_to_zero_crossing(cut / RATE_HZ, sound, RATE_HZ) * RATE_HZ) for cut in cuts}
    return Chops(tuple(sorted(snapped | {0})), len(sound), sample.features.sample_rate)


def chosen_chops(sample: Sample, cuts: Sequence[int]) -> Chops:
    """Return the cuts of a script, in frames of the unit's WAV. Raises RecipeError and StorageError."""
    sound = WavFrames(sample.sp404_key)
    outside = next((cut for cut in cuts if cut >= len(sound)), None)
    if outside is not None:
        raise RecipeError(f"Frame {outside:,} is outside the sound: at 48 kHz it has {len(sound):,} frames.")
    found = snap_cuts(sample, sound, cuts)
    if len(found.cuts) > chop.MAX_CHOPS:
        raise RecipeError(TOO_MANY_SLICES)
    return found


def source_frames(sample: Sample) -> int:
    """Return the length of a sample's original, in frames at its own rate."""
    return round(sample.duration_s * sample.features.sample_rate)


def source_cuts(sample: Sample, chops: Chops) -> list[int]:
    """Return the cuts as frames of the original, without those that its rate can't tell apart."""
    frames = source_frames(sample)
    cuts = sorted({chops.source_frame(cut) for cut in chops.cuts})
    return [cut for cut in cuts if cut < frames]
