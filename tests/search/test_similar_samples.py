"""Finding by sound: what is nearest, with filters in force, and never anything of somebody else's."""

from __future__ import annotations

import pytest

from app.audio.similarity import layout
from app.extensions import db
from app.library.samples import edit_sample
from app.library.trash import delete_sample, restore_sample
from app.models import SampleVector, User
from app.models.base import transaction
from app.models.sample_vector import replace_vector
from app.search import matching, nearest
from app.search.sample_query import SampleQuery
from app.search.similar_samples import NoVectorError, read_source
from tests.measurements import loop_analysis
from tests.query_counter import counted_queries
from tests.search.vectors import names, random_vector, shelve_vectors, similar, vector


def test_the_nearest_come_first_and_the_source_is_left_out(owner: User) -> None:
    made = shelve_vectors(owner, {"far": vector(body=3), "near": vector(body=0.5), "source": vector()})
    found = similar(owner, made["source"])
    assert names(found) == ["near", "far"]
    assert [hit.distance for hit in found] == [0.5, 3.0]
    assert 100 > found[0].match > found[1].match >= 0


def test_equal_distances_stand_in_the_order_of_ids(owner: User) -> None:
    made = shelve_vectors(owner, {f"{n}": vector(shape=1) for n in range(40)} | {"source": vector()})
    assert names(similar(owner, made["source"])) == [str(n) for n in range(40)]
    assert names(similar(owner, made["source"], limit=3)) == ["0", "1", "2"]


def test_ties_at_the_end_of_what_is_compared_are_all_compared(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest, "MIN_COMPARED", 2)
    made = shelve_vectors(owner, {f"{n}": random_vector(1) for n in range(30)} | {"source": vector()})
    assert names(similar(owner, made["source"], limit=2)) == ["0", "1"]


def test_a_preset_weighs_the_blocks(owner: User) -> None:
    vectors = {"rhythm": vector(body=1, rhythm=0), "body": vector(rhythm=1), "source": vector()}
    made = shelve_vectors(owner, vectors, kind="loop", sound=None, bpm=100.0)
    assert names(similar(owner, made["source"], preset=layout.TIMBRE)) == ["body", "rhythm"]
    assert names(similar(owner, made["source"], preset=layout.RHYTHM)) == ["rhythm", "body"]


def test_filters_and_the_sentence_are_in_force(owner: User) -> None:
    made = shelve_vectors(owner, {"source": vector(), "near kick": vector(body=0.1)})
    made |= shelve_vectors(owner, {"dusty snare": vector(body=1)}, sound="snare")
    made |= shelve_vectors(owner, {"snare": vector(body=2)}, sound="snare")
    edit_sample(made["snare"], liked=True)
    for search, found in (
        (SampleQuery(sound="snare"), ["dusty snare", "snare"]),
        (SampleQuery(liked=True), ["snare"]),
        (SampleQuery(ask="snares"), ["dusty snare", "snare"]),
        (SampleQuery(q="dusty"), ["dusty snare"]),
        (SampleQuery(kind="loop"), []),
    ):
        assert names(similar(owner, made["source"], search=search)) == found, search


@pytest.mark.parametrize("most_looked_up", [10_000, 5])
def test_few_matches_among_many_are_found_however_far_they_are(
    owner: User, monkeypatch: pytest.MonkeyPatch, most_looked_up: int
) -> None:
    """By looking up what matches, and where that is too much, by comparing more and more."""
    monkeypatch.setattr(nearest, "MIN_COMPARED", 4)
    monkeypatch.setattr(matching, "MAX_GATHERED", most_looked_up)
    made = shelve_vectors(owner, {"source": vector()} | {f"{n}": vector(body=n / 100) for n in range(60)})
    far = shelve_vectors(owner, {f"far {n}": vector(body=5 + n) for n in range(10)}, sound="snare")
    assert names(similar(owner, made["source"], search=SampleQuery(sound="snare"))) == list(far)
    assert len(similar(owner, made["source"], limit=200)) == 70


def test_like_this_but_brighter(owner: User) -> None:
    made = shelve_vectors(owner, {"source": vector(), "as bright": vector(body=0.1)}, brightness=40.0)
    shelve_vectors(owner, {"brighter": vector(body=1)}, brightness=70.0)
    shelve_vectors(owner, {"unknown": vector(body=0.2)}, brightness=None)
    found = similar(owner, made["source"], but="brighter")
    assert names(found) == ["brighter"]
    assert "brighter" in found[0].reason
    assert names(similar(owner, made["source"], but="darker")) == []


def test_faster_finds_nothing_without_a_tempo(owner: User) -> None:
    loop = {"kind": "loop", "sound": None}
    made = shelve_vectors(owner, {"source": vector()}, **loop, bpm=100.0)
    shelve_vectors(owner, {"fast": vector(body=1)}, **loop, bpm=120.0)
    shelve_vectors(owner, {"none": vector(body=0.1)}, **loop, bpm=None)
    assert names(similar(owner, made["source"], but="faster")) == ["fast"]
    assert names(similar(owner, made["source"], but="slower")) == []


def test_like_several_compares_with_their_mean(owner: User) -> None:
    vectors = {"a": vector(body=0), "b": vector(body=2), "between": vector(body=1), "apart": vector(body=2.5)}
    made = shelve_vectors(owner, vectors)
    assert names(similar(owner, made["a"], made["b"])) == ["between", "apart"]


def test_a_sample_without_a_vector_has_nothing_to_compare(owner: User) -> None:
    made = shelve_vectors(owner, {"new": vector(), "other": vector(body=1)})
    made |= shelve_vectors(owner, {"old": ()})
    with pytest.raises(NoVectorError):
        read_source(owner, [made["old"].id])
    assert names(similar(owner, made["new"])) == ["other"]
    assert read_source(owner, [made["old"].id, made["new"].id]).left_out == 1


def test_vectors_of_another_version_are_not_compared(owner: User) -> None:
    made = shelve_vectors(owner, {"new": vector(), "other": vector(body=1)})
    old = shelve_vectors(owner, {"old": vector(body=0.1)}, similarity_version=layout.SIMILARITY_VERSION + 1)
    assert names(similar(owner, made["new"])) == ["other"]
    with pytest.raises(NoVectorError):
        read_source(owner, [old["old"].id])


def test_deleted_samples_are_never_found(owner: User) -> None:
    made = shelve_vectors(owner, {"source": vector(), "near": vector(body=0.1), "far": vector(body=1)})
    assert names(similar(owner, made["source"])) == ["near", "far"]
    delete_sample(made["near"])
    assert names(similar(owner, made["source"])) == ["far"]
    db.session.refresh(made["near"])
    restore_sample(made["near"])
    assert names(similar(owner, made["source"])) == ["near", "far"]


def test_nothing_of_a_stranger_is_found(owner: User, stranger: User) -> None:
    made = shelve_vectors(owner, {"source": vector(), "mine": vector(body=2)})
    theirs = shelve_vectors(stranger, {"theirs": vector()})
    assert names(similar(owner, made["source"])) == ["mine"]
    with pytest.raises(NoVectorError):
        read_source(owner, [theirs["theirs"].id])


def test_a_new_measurement_replaces_the_vector(owner: User) -> None:
    made = shelve_vectors(owner, {"source": vector(), "moved": vector(body=3), "other": vector(body=1)})
    assert names(similar(owner, made["source"])) == ["other", "moved"]
    before = db.session.query(SampleVector).filter_by(sample_id=made["moved"].id).one().number
    with transaction():
        assert replace_vector(made["moved"], loop_analysis(similarity=vector(body=0.5)))
        assert not replace_vector(made["other"], loop_analysis(similarity=vector(body=1)))
        assert not replace_vector(made["other"], loop_analysis(similarity=()))
    assert db.session.query(SampleVector).filter_by(sample_id=made["moved"].id).one().number > before
    found = similar(owner, made["source"])
    assert names(found) == ["moved", "other"]
    assert found[0].distance == 0.5


def test_queries_do_not_grow_with_the_library(owner: User) -> None:
    made = shelve_vectors(owner, {"source": vector()})
    counts = []
    for first in (1, 200):
        shelve_vectors(owner, {f"{n}": random_vector(n) for n in range(first, first + 60)})
        similar(owner, made["source"])
        with counted_queries() as statements:
            similar(owner, made["source"])
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 8, statements
