"""File names of what is made of a sample: shaped sounds, slices, and the ZIP of slices."""

from __future__ import annotations

from app.audio.render.recipe import read_recipe
from app.models import Render, Sample
from app.sp404.pad_names import append_facts


def slice_name(sample: Sample, number: int) -> str:
    """Return the name of a slice, like `01 Amen 92 Fm`."""
    return append_facts(f"{number:02} {sample.name}", sample.bpm, sample.key)


def download_name(sample: Sample, render: Render) -> str:
    """Return the file name of a shaped sound or of a ZIP of slices."""
    if render.is_archive:
        return f"{append_facts(sample.name, sample.bpm, sample.key)} slices.zip"
    return f"{_shaped_name(sample, render)}.wav"


def _shaped_name(sample: Sample, render: Render) -> str:
    """Return the name of a shaped sound, with the tempo it has now, and its key where that stayed."""
    recipe = read_recipe(render.recipe)
    bpm = render.bpm or (sample.bpm * recipe.speed if sample.bpm else None)
    is_same_key = recipe.speed == 1 and not recipe.transpose
    return append_facts(sample.name, bpm, sample.key if is_same_key else None)
