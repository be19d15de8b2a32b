"""Searching descriptions: corrections count, and words for a character only sort."""

from __future__ import annotations

from typing import Any

import pytest

from app.models import Job, Sample, User, corrections
from app.models.base import new_id, transaction
from app.search import search_rows, vibe_synonyms
from app.search.lexicon import DECADE_PHRASES, PHRASES
from app.search.sample_query import SampleQuery
from app.search.sample_search import find_samples
from app.search.term_labels import order_label
from app.upload.upload_purpose import build_sample
from tests.measurements import loop_measurement
from tests.models.test_sample import MEASURED

DULL: dict[str, Any] = {
    "moods": ["gloomy"], "texture": "clear", "era": "any", "genres": [], "instruments": [],
    "use": "drum loop to chop", "role": "loop", "energy": 30, "confidence": 0.5, "because": {},
    "source": "local", "corrections": [], "schema_version": 1, "prompt_version": None,
    "description": "A gloomy, clear loop.", "tags": [],
}  # fmt: skip
VIBES: dict[str, dict[str, Any]] = {
    "Popcorn": {"moods": ["sad", "wistful"], "era": "1990s", "description": "A dusty, slow loop of old."},
    "Blue": {"moods": ["melancholic"], "genres": [{"name": "boom bap", "weight": 0.8}], "texture": "gritty"},
    "Strings of sand": {"genres": [{"name": "drum and bass", "weight": 0.4}], "era": "1980s"},
    "Take 3": {"instruments": [{"name": "strings", "heard": False}], "tags": ["dusty"], "use": "transition"},
    "Plain": {"tags": ["dustbin"]},
}


def shelve(owner: User, vibes: dict[str, dict[str, Any]]) -> dict[str, Sample]:
    """Add samples as the jobs of such files would have made them, by name."""
    made = {}
    with transaction() as session:
        for name, vibe in vibes.items():
            job = Job(id=new_id(), user_id=owner.id, filename=f"{name}.wav", format="WAV", size_bytes=1)
            job.content_sha256, job.incoming_key = "", f"incoming/{owner.id}/{job.id}.wav"
            made[name] = build_sample(job, loop_measurement(**MEASURED), DULL | vibe)
            session.add(made[name])
    return made


@pytest.fixture
def shelf(owner: User) -> dict[str, Sample]:
    return shelve(owner, VIBES)


def names(user: User, sentence: str) -> list[str]:
    return [sample.name for sample in find_samples(user, SampleQuery(ask=sentence), "").samples]


FOUND = {
    "sad": {"Popcorn", "Blue"},
    "melancholic": {"Blue"},
    "not sad": {"Strings of sand", "Take 3", "Plain"},
    "from the nineties": {"Popcorn"},
    "80s or 90s": {"Popcorn", "Strings of sand"},
    "80s wistful": set(),
    "hip hop": {"Blue"},
    "dnb": {"Strings of sand"},
    "with strings": {"Strings of sand", "Take 3"},  # one is called so
    "without strings": {"Popcorn", "Blue", "Plain"},
    "gritty texture": {"Blue"},
    "transition": {"Take 3"},
    "to chop, no transitions": {"Popcorn", "Blue", "Strings of sand", "Plain"},
    "pop": set(),  # no part of another word
    "-dusty": {"Blue", "Strings of sand", "Plain"},
}


@pytest.mark.parametrize(("sentence", "expected"), FOUND.items())
def test_words_of_a_vibe_find_samples(
    owner: User, shelf: dict[str, Sample], sentence: str, expected: set[str]
) -> None:
    assert set(names(owner, sentence)) == expected


def test_corrections_replace_the_description(owner: User, shelf: dict[str, Sample]) -> None:
    with transaction():
        shelf["Popcorn"].correct(moods=["joyful"], era=None, description='It is "moods": ["sad"], they say.')
        shelf["Plain"].correct(era="1990s", genres=[{"name": "boom bap", "weight": 1.0}])
    assert names(owner, "sad") == ["Blue"]
    assert names(owner, "joyful") == ["Popcorn"]
    assert names(owner, "90s") == ["Plain"]
    assert set(names(owner, "boom bap")) == {"Plain", "Blue"}
    with transaction():
        shelf["Popcorn"].revert("moods", "description")
    assert set(names(owner, "sad")) == {"Popcorn", "Blue"}
    assert names(owner, "joyful") == []


def test_text_that_looks_like_a_json_field_is_not_one(owner: User) -> None:
    shelved = shelve(
        owner, {'"moods": [unsaid]': {"description": 'So "sad", he said.', "tags": ["happysad"]}}
    )
    assert names(owner, "sad") == []
    with transaction():
        shelved['"moods": [unsaid]'].correct(description='"moods": ["sad"], "joyful"')
    assert names(owner, "sad") == names(owner, "joyful") == []
    assert names(owner, "gloomy") == ['"moods": [unsaid]']


def test_a_character_sorts_and_excludes_nothing(owner: User, shelf: dict[str, Sample]) -> None:
    rest = [name for name in reversed(VIBES) if name not in ("Popcorn", "Take 3")]
    assert names(owner, "dusty") == ["Take 3", "Popcorn", *rest]
    assert names(owner, "not too dusty") == [*rest, "Take 3", "Popcorn"]
    assert names(owner, "dusty, from the 90s or 80s") == ["Popcorn", "Strings of sand"]
    assert names(owner, "zorblax") == []


def test_characters_and_measures_sort_together_page_by_page(owner: User, shelf: dict[str, Sample]) -> None:
    with transaction():
        for number, sample in enumerate(shelf.values()):
            sample.features.brightness = None if number == 4 else 20.0 * number
    query, seen, after = SampleQuery(ask="dusty, dark"), list[str](), ""
    while True:
        page = find_samples(owner, query, after, limit=1)
        seen += [sample.name for sample in page.samples]
        if page.next_after is None:
            break
        after = page.next_after
    assert seen == ["Popcorn", "Take 3", "Blue", "Strings of sand", "Plain"]
    assert order_label("", query.terms) == "dusty and darkest first"
    terms = SampleQuery(ask="bright, not too dusty").terms
    assert order_label("", terms) == "brightest first, dusty last"


def test_every_word_of_a_vibe_is_in_the_lexicon() -> None:
    assert set(search_rows.DESCRIPTION_FIELDS.values()) <= set(corrections.VIBE_FIELDS)
    for field, words in vibe_synonyms.VIBE_FIELDS.items():
        for word in words:
            spelled = f"{field} {word}"
            match = PHRASES.pattern.fullmatch(spelled)
            assert match is not None, spelled
            assert PHRASES.get(match) == (field, (word,))
    assert DECADE_PHRASES.pattern.fullmatch("1990s") is not None


@pytest.mark.parametrize(
    "name", ["Beat (Dusty) 90", "[dusty] 90", "dusty/loop", "dusty+warm", "Dusty & warm", "dusty!", "Dusty's"]
)
def test_punctuation_separates_words_in_names(owner: User, name: str) -> None:
    shelve(owner, {"Another": {}, name: {}, "Undusty": {}})
    assert names(owner, "dusty")[0] == name
    assert sorted(names(owner, "not dusty")) == ["Another", "Undusty"]


def test_quotation_marks_separate_words_in_descriptions(owner: User) -> None:
    shelve(owner, {"Another": {}, "One": {"description": 'A "dusty" loop.'}})
    assert names(owner, "dusty")[0] == "One"
