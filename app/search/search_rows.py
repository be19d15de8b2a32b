"""Make the row of the search index, and its terms, from a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.models import Sample
from app.models.sample_places import folders_above
from app.models.search_row import NO_TEMPO
from app.models.text_folding import fold_text
from app.search import index_terms
from app.search.index_terms import trait

BARS_TOLERANCE = 0.04  # relative; cuts are rarely sample-accurate
HALF_SCORE_LENGTH_S = 10.0
# The words of a character that lie at the high and at the low end of an axis
AXIS_CHARACTERS: dict[str, tuple[set[str], set[str]]] = {
    "brightness": ({"crisp", "bright"}, {"dull"}),
    "noisiness": ({"noisy"}, {"clean"}),
    "punch": ({"punchy", "snappy"}, {"swelling"}),
    "length": ({"long"}, {"short"}),
}
# The field of a search term, which is the name of a trait, and the field of the description it is found in
DESCRIPTION_FIELDS = {
    "mood": "moods", "character": "character", "texture": "texture", "genre": "genres", "era": "era",
    "instrument": "instruments", "use": "use", "role": "role",
}  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """The figures of a sample's measurement that searches rank by."""

    brightness: float | None
    noisiness: float | None
    loudness_db: float | None
    crest_db: float | None


def make_row(sample: Sample, measured: Measured) -> dict[str, Any]:
    """Return the columns of a sample's row, all but its number."""
    text = sample.folded_text if sample.folded_text is not None else fold_text(sample.search_text)
    name = text.partition("\n")[0]
    vibe = sample.vibe
    return {
        "sample_id": sample.id,
        "user_id": sample.user_id,
        "live": sample.deleted_at is None,
        "kind": sample.kind,
        "sound": sample.sound or "",
        "key": sample.key or "",
        "liked": sample.liked,
        "bpm": sample.bpm or NO_TEMPO,
        "duration_s": sample.duration_s,
        "created_at": sample.created_at,
        "brightness": measured.brightness,
        "noisiness": measured.noisiness,
        "loudness": measured.loudness_db,
        "punch": measured.crest_db,
        "energy": vibe.get("energy"),
        **axis_scores(measured, vibe, sample.duration_s),
        "name": name[:200],
        "name_words": index_terms.frame_words(name),
        "words": index_terms.frame_words(text),
        "description_words": index_terms.frame_words(fold_text(vibe.get("description") or "")),
        "traits": index_terms.frame_traits(_traits(sample, vibe)),
        "text": text,
    }


def axis_scores(measured: Measured, vibe: dict[str, Any], duration_s: float) -> dict[str, float | None]:
    """Return where a sample lies on each axis, 0 to 1, half by its figure and half by its character.

    So a kick that is called punchy comes before a loop that happens to have the same crest. None for a figure
    that is not known.
    """
    figures = {
        "brightness": _scale_to_unit(measured.brightness, 0, 100),
        "noisiness": _scale_to_unit(measured.noisiness, 0, 100),
        "loudness": _scale_to_unit(measured.loudness_db, -60, 0),
        "punch": _scale_to_unit(measured.crest_db, 0, 30),
        "energy": _scale_to_unit(vibe.get("energy"), 0, 100),
        # Saturates, so that an hour-long recording does not outweigh every other term.
        "length": duration_s / (duration_s + HALF_SCORE_LENGTH_S),
    }
    words = set(vibe.get("character") or ())
    scores = {}
    for axis, figure in figures.items():
        high, low = (bool(words & end) for end in AXIS_CHARACTERS.get(axis, (set(), set())))
        scores[f"{axis}_score"] = None if figure is None else figure / 2 + 0.25 + (high - low) / 4
    return scores


def _scale_to_unit(figure: float | None, low: float, high: float) -> float | None:
    return None if figure is None else (figure - low) / (high - low)


def make_terms(row: dict[str, Any]) -> str:
    """Return the hashed terms of a row made by `make_row`."""
    terms = index_terms.terms_of_words(row["words"].split())
    terms |= index_terms.terms_of_words(row["name_words"].split(), index_terms.NAME)
    described = row["description_words"].split()
    terms |= {index_terms.word_term(word, index_terms.DESCRIPTION) for word in described}
    terms |= {index_terms.trait_term(each) for each in row["traits"].split(" ") if each}
    return index_terms.hash_terms(row["user_id"], terms)


def _traits(sample: Sample, vibe: dict[str, Any]) -> list[str]:
    """Return what a sample is, as words: values in force, those of its description, its tags."""
    values = {"kind": sample.kind, "sound": sample.sound, "key": sample.key, "format": sample.format}
    traits = [trait(field, value) for field, value in values.items() if value]
    for field, described in DESCRIPTION_FIELDS.items():
        traits += [trait(field, name) for name in _names(vibe.get(described))]
    traits += [trait("tag", name) for name in sample.tag_names]
    if sample.collection_id is not None:
        places = ["", *folders_above(sample.folder)]
        traits += [trait(*index_terms.place_trait(sample.collection_id, folder)) for folder in places]
    traits += index_terms.tempo_traits(sample.bpm, sample.duration_s, BARS_TOLERANCE)
    there = {"key": sample.key is not None, "bpm": sample.bpm is not None, "tags": bool(sample.tag_names)}
    traits += [trait("has" if is_there else "lacks", name) for name, is_there in there.items()]
    return [*traits, *(["liked"] if sample.liked else [])]


def _names(described: Any) -> list[str]:
    """Return the names in a field of a description: one, several, or several with a weight."""
    listed = described if isinstance(described, list) else [described] if described else []
    return [each["name"] if isinstance(each, dict) else each for each in listed]
