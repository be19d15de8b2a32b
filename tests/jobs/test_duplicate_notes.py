"""Which cards say that a sound was in the library already."""

from __future__ import annotations

from app.deduplication import groups
from app.jobs import card_facts, duplicate_notes
from app.library import trash
from app.models import Sample, User
from app.models.base import transaction, utcnow
from app.models.job import COMPLETED
from tests.search.vectors import shelve_vectors
from tests.support import waiting_jobs


def add_uploads(owner: User, *names: str) -> list[Sample]:
    """Add one-shots whose jobs have ended just now, the oldest first."""
    samples = list(shelve_vectors(owner, dict.fromkeys(names, (1.0, 0.0))).values())
    for sample in samples:
        ended = {"id": sample.id, "sample_id": sample.id, "state": COMPLETED, "finished_at": utcnow()}
        waiting_jobs(owner, 1, **ended)
    return samples


def told_of(owner: User, *samples: Sample) -> set[str]:
    """Return which of these samples have a card that tells of an older copy."""
    facts = [row for row in card_facts.find_facts(owner.id) if row.id in {each.id for each in samples}]
    return set(duplicate_notes.find_notes(facts).groups)


def test_a_card_tells_of_an_older_copy_that_is_still_there(owner: User) -> None:
    first, again, third, alone, other, copied = add_uploads(
        owner, "a", "again", "third", "alone", "b", "copy"
    )
    uploads = (first, again, third, alone, other, copied)
    with transaction():
        groups.join_group(owner.id, first.id, [first.id, again.id, third.id], [])
        groups.join_group(owner.id, other.id, [other.id, copied.id], [])
    assert told_of(owner, *uploads) == {again.id, third.id, copied.id}
    assert told_of(owner, again) == {again.id}
    trash.delete_sample(first)
    assert told_of(owner, *uploads) == {third.id, copied.id}
    trash.delete_sample(again)
    assert told_of(owner, *uploads) == {copied.id}
