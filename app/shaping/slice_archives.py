"""Order the slices of a sample as one ZIP of WAVs."""

from __future__ import annotations

from app.audio.render.slice_set import SliceSet
from app.jobs import reprocess
from app.models import Job, Render, Sample, User
from app.shaping import chops as chopping
from app.shaping import renders
from app.shaping.archive_purpose import SLICE_ZIP, SLICES
from app.shaping.chops import Chops
from app.shaping.sound_names import slice_name


def order_archive(user: User, sample: Sample, chops: Chops) -> Render | Job:
    """Return the ZIP of a sample's slices if it is still cached, or else the job that makes it.

    The ZIP counts as one shaped sound. The caller wakes a worker. Raises DailyLimitError, and
    RowNotFoundError when the sample was deleted.
    """
    slices = name_slices(sample, chops)
    cached = renders.find_render(sample.id, slices)
    if cached is not None:
        renders.touch(cached)
        return cached
    choices = {SLICES: slices.to_dict(), "recipe_sha256": slices.digest()}
    return reprocess.queue_job(user, sample.id, SLICE_ZIP, choices)


def name_slices(sample: Sample, chops: Chops) -> SliceSet:
    """Return where the original is cut, with the names that the slices have now."""
    cuts = chopping.source_cuts(sample, chops)
    names = tuple(f"{slice_name(sample, number)}.wav" for number in range(1, len(cuts) + 1))
    return SliceSet(cuts=tuple(cuts), names=names)


def cuts_of(job: Job, sample: Sample) -> str:
    """Return the cuts that a job was asked for as the page writes them, in seconds; empty for other jobs."""
    slices = (job.choices or {}).get(SLICES)
    if slices is None:
        return ""
    rate = sample.features.sample_rate
    return " ".join(f"{cut / rate:.4f}" for cut in SliceSet.model_validate(slices).cuts)
