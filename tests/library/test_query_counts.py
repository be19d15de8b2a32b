"""Pages of the library take as many database queries for five samples as for fifty."""

from __future__ import annotations

import pytest

from app.extensions import db
from app.models import Sample, User
from app.search.indexing import follow_changes
from tests.query_counter import counted_queries
from tests.search.test_text_conditions import shelve
from tests.support import Browser, drum_loop, finished_job

FRAGMENT = {"HX-Request": "true"}
EVERY_FILTER = (
    "q=loop&kind=loop&key=A+minor&compatible=1&bpm_min=80&bpm_max=100&tag=a&liked=1&ask=dusty+flac+kicks"
)


@pytest.fixture
def sample(as_owner: Browser) -> Sample:
    job = finished_job(as_owner, "Dusty break.wav", drum_loop(93))
    return db.session.get_one(Sample, job.sample_id)


@pytest.mark.parametrize(
    ("path", "headers", "most"),
    [
        ("/samples", {}, 9),
        ("/samples", FRAGMENT, 9),
        ("/samples?after={id}&sort=oldest", FRAGMENT, 6),
        ("/samples?ask=dusty+loops,+longest+first", {}, 12),
        (f"/samples?{EVERY_FILTER}", {}, 16),
        ("/samples/{id}", {}, 7),
        ("/samples/{id}/peaks", {}, 4),
        ("/dashboard", {}, 17),
    ],
)
def test_fifty_samples_take_no_more_queries_than_five(
    as_owner: Browser, owner: User, sample: Sample, path: str, headers: dict[str, str], most: int
) -> None:
    path, counts = path.format(id=sample.id), []
    for added in (5, 45):
        shelve(owner, {f"Loop {number} of {added}": {"moods": ["sad"]} for number in range(added)})
        follow_changes(owner.id)
        with counted_queries() as statements:
            answer = as_owner.get(path, headers=headers)
        assert answer.status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1] <= most, statements
