"""Give what a user did with samples that are freed to the one that stays."""

from __future__ import annotations

from collections.abc import Sequence

from app.models import Sample
from app.models.corrections import SOUND_FIELDS, UnfitCorrectionError
from app.models.display_names import file_title
from app.models.sample import MAX_TAGS


def hand_over(kept: Sample, freed: Sequence[Sample]) -> None:
    """Give the like, tags, corrections, name and collection of freed samples to the one that is kept.

    Where it has its own correction, name or collection, that stays.
    """
    names = [each.name for each in freed if each.name != file_title(each.filename)]
    has_name = kept.name != file_title(kept.filename)
    tags = list(dict.fromkeys([*kept.tag_names, *(tag for each in freed for tag in each.tag_names)]))
    corrections = _missing_corrections(kept, freed)
    if kept.collection_id is None:
        places = [(each.collection_id, each.folder) for each in freed if each.collection_id is not None]
        kept.collection_id, kept.folder = places[0] if places else (None, "")
    kept.liked = kept.liked or any(each.liked for each in freed)
    if corrections or tags != kept.tag_names or (names and not has_name):
        kept.name = kept.name if has_name or not names else names[0]
        kept.retag(tags[:MAX_TAGS])
        kept.correct(**corrections)


def _missing_corrections(kept: Sample, freed: Sequence[Sample]) -> dict[str, object]:
    """Return the corrections of freed samples that the kept one has none of; of the sound all or none."""
    found: dict[str, object] = {}
    for each in reversed(freed):
        found |= each.corrections
    found = {name: value for name, value in found.items() if name not in kept.corrections}
    try:
        if not kept.own_figures:
            kept.fit_to_kind(found)
            return found
    except UnfitCorrectionError:
        pass
    return {name: value for name, value in found.items() if name not in SOUND_FIELDS}
