"""Cut one loop over the pads of a bank, a slice on each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.audio.render.chop import Way, chop_recipes
from app.audio.render.recipe import RecipeError
from app.kits.kit_state import PadState
from app.models import Sample
from app.shaping.chops import Chops, find_chops
from app.sp404.fresh_pad import settings_for_sound

# The most musical way first; the others are for loops with fewer hits than pads.
WAYS: tuple[tuple[Way, float], ...] = (("onsets", 0.8), ("onsets", 1.0), ("grid", 0.8), ("equal", 0.8))


def chop_over(sample: Sample, pads: Sequence[str], settings: Mapping[str, Any]) -> dict[str, PadState]:
    """Return the slices of a sample on these pads, in order. Raises RecipeError and StorageError."""
    found = _best_chops(sample, len(pads))
    cuts = [found.source_frame(cut) for cut in found.cuts]
    recipes = chop_recipes(cuts, found.source_frame(found.frames))
    fresh = settings_for_sound(sample.kind, sample.sound, sample.bpm)
    held = {}
    for pad, recipe in zip(pads, recipes, strict=False):
        changes = {**settings, "recipe": recipe.to_dict()}
        held[pad] = PadState(sample.id, sample.name, sample.content_sha256, settings=fresh.changed(changes))
    return held


def is_chopped(pads: Sequence[PadState]) -> bool:
    """Return whether the pads that hold a sound are slices of one sample."""
    filled = [pad for pad in pads if pad.holds_a_sound and not pad.locked]
    ids = {pad.sample_id for pad in filled}
    return len(filled) > 1 and len(ids) == 1 and all(pad.settings.recipe is not None for pad in filled)


def _best_chops(sample: Sample, count: int) -> Chops:
    """Return the first way of cutting that gives a slice for each pad, or else the one that gives most."""
    tried: list[Chops] = []
    for way, sensitivity in WAYS:
        try:
            tried.append(find_chops(sample, way, count, sensitivity))
        except RecipeError:
            continue  # no tempo to cut by
        if len(tried[-1].cuts) == count:
            return tried[-1]
    if not tried:
        raise RecipeError("This sound can't be cut.")
    return max(tried, key=lambda chops: len(chops.cuts))
