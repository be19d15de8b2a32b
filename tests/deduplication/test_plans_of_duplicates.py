"""Pages of duplicates stay quick in large libraries: their statements use indexes, whatever there is."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import insert, select

from app.deduplication import candidates, comparison
from app.deduplication.group_list import count_groups, list_groups
from app.models import DuplicateGroup, Sample, User
from app.models.base import new_id, transaction, utcnow
from app.search.listed_samples import load_listed
from tests.deduplication.made_up import shelve_group
from tests.query_counter import counted_queries
from tests.search.test_plans import plans_of_searches
from tests.support import Browser

SCAN = re.compile(r"SCAN (?:TABLE )?(?:samples|audio_features|sample_vectors|sample_tags|duplicate_\w+)\b")
LARGE = 10_000


@pytest.fixture
def large_library(owner: User) -> list[Sample]:
    """Add ten thousand groups beside three real ones; only their sums can be seen."""
    made = [sample for n in range(3) for sample in shelve_group(owner, f"a{n}", f"b{n}", size_bytes=50_000)]
    row = {"user_id": owner.id, "is_chosen": False, "samples": 2, "told_apart": None, "kept_id": None}
    with transaction() as session:
        rows = [row | {"id": new_id(), "anchor_id": "", "spare_bytes": n + 1} for n in range(LARGE)]
        session.execute(insert(DuplicateGroup), rows)
    return made


def test_no_statement_reads_a_whole_table(owner: User, large_library: list[Sample]) -> None:
    with plans_of_searches() as plans:
        page = list_groups(owner, limit=2)
        list_groups(owner, page.next_after, limit=2)
        count_groups(owner)
        load_listed(owner, [sample.id for sample in large_library])
        candidates.find_candidates(owner.id, [large_library[0].id])
        comparison.compare_due_samples()
    assert len(plans) > 6
    assert [(statement, plan) for statement, plan in plans if SCAN.search(plan)] == []


def test_a_page_costs_the_same_in_a_large_library(
    as_owner: Browser, owner: User, large_library: list[Sample]
) -> None:
    with counted_queries() as many:
        page = as_owner.get("/duplicates").text
    assert "10,003</span>" in page
    assert page.count('class="panel copies"') == 3
    with transaction() as session:
        for group in session.scalars(select(DuplicateGroup).where(DuplicateGroup.anchor_id == "")):
            session.delete(group)
    with counted_queries() as few:
        as_owner.get("/duplicates")
    assert len(few) == len(many) <= 10


def test_the_index_of_due_samples_is_used(owner: User, large_library: list[Sample]) -> None:
    with plans_of_searches() as plans:
        comparison._claim_batch(utcnow())
    assert any("ix_sample_vectors_due" in plan for _, plan in plans), plans
