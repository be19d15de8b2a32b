"""The offer page takes as many database queries for five samples as for fifty."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Sample, User
from app.reprocessing.reprocess_purposes import ANALYSE, DESCRIBE
from tests.query_counter import counted_queries
from tests.search.test_text_conditions import shelve
from tests.support import Browser

MAX_QUERIES = 20


def queries_of_offer(browser: Browser, purpose: str, **form: Any) -> int:
    browser.get("/samples")  # brings the search index up to date
    with counted_queries() as statements:
        answer = browser.post("/again", purpose=purpose, **form)
    assert answer.status_code == 200, answer.text
    return len(statements)


@pytest.mark.parametrize("purpose", [DESCRIBE, ANALYSE])
@pytest.mark.parametrize("chosen_by", ["ticks", "search"])
class TestQueries:
    """With a model: `environ` of the conftest names one."""

    def test_the_offer_for_fifty_samples_takes_no_more_queries_than_for_five(
        self, as_owner: Browser, owner: User, purpose: str, chosen_by: str
    ) -> None:
        counts = []
        for added in (5, 45):
            shelve(owner, {f"Loop {number} of {added}": {} for number in range(added)})
            ids = list(db.session.scalars(select(Sample.id)))
            form = {"all": "1"} if chosen_by == "search" else {"sample": ids}
            counts.append(queries_of_offer(as_owner, purpose, **form))
        assert counts[0] == counts[1] <= MAX_QUERIES


class TestQueriesWithoutModel(TestQueries):
    @pytest.fixture
    def environ(self, tmp_path: Any) -> dict[str, str]:
        return {"DATA_DIR": str(tmp_path / "instance")}
