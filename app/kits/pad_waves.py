"""The waveform of a pad's sound as it goes on the pad, and the frames near which a cut makes no click."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import joinedload, lazyload

from app.audio.listening.zero_crossings import snap_to_zero_crossing
from app.audio.render.recipe import RecipeError, RenderRecipe
from app.audio.unit_format import RATE_HZ
from app.extensions import db
from app.integrations.storage import StorageError
from app.models import Render, Sample
from app.shaping import orders, renders
from app.shaping.chops import WavFrames
from app.sp404.pad_settings import PadSettings

MAX_ONSETS = 400


@dataclass(frozen=True, slots=True)
class PadWave:
    """What the editor of a pad's positions draws.

    A shaped sound that is not kept has no length yet: `frames` is None, and the peaks are the sample's.
    """

    peaks: bytes
    frames: int | None
    onsets: tuple[int, ...] = ()


def load_measured(sample_id: str) -> Sample:
    """Return a sample with what was measured of it."""
    return db.session.get_one(Sample, sample_id, options=[joinedload(Sample.features), lazyload(Sample.tags)])


def load_wave(sample: Sample, settings: PadSettings) -> PadWave:
    """Return the waveform of a pad that holds a sample."""
    if settings.recipe is not None:
        made = _kept_render(sample, settings.recipe)
        return PadWave(made.peaks, made.frames) if made else PadWave(sample.features.peaks, None)
    onsets = sample.features.measured.get("onsets") or ()
    frames = tuple(round(time_s * RATE_HZ) for time_s, _ in onsets[:MAX_ONSETS])
    return PadWave(sample.features.peaks, round(sample.duration_s * RATE_HZ), frames)


def snap_frame(sample: Sample, settings: PadSettings, frame: int) -> int:
    """Return the frame of the nearest zero crossing within 2 ms; the same one if the sound can't be read."""
    made = _kept_render(sample, settings.recipe) if settings.recipe is not None else None
    if settings.recipe is not None and made is None:
        return frame
    try:
        sound = WavFrames(made.store_key if made else sample.sp404_key)
    except StorageError:
        return frame
    if frame >= len(sound):
        return len(sound)
    return round(snap_to_zero_crossing(frame / RATE_HZ, sound, RATE_HZ) * RATE_HZ)


def _kept_render(sample: Sample, recipe: RenderRecipe) -> Render | None:
    try:
        return renders.find_render(sample.id, orders.fit_to(sample, recipe))
    except RecipeError:
        return None
