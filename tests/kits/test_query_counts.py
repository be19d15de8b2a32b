"""A kit of 160 pads takes as many database queries as one of a single pad, to show and to change."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from app.extensions import db
from app.kits import history, kit_list, pad_edits
from app.kits.documents import kit_document
from app.kits.kit_state import KitState
from app.models import Kit, Sample, User
from app.search.indexing import follow_changes
from app.search.match_counts import kept_counts
from app.search.page_order import kept_ids, kept_page
from app.sp404.pads import PAD_NAMES
from tests.kits.stock import some_samples
from tests.query_counter import counted_queries
from tests.support import Browser


@pytest.fixture
def samples(owner: User) -> list[Sample]:
    found = some_samples(owner, len(PAD_NAMES))
    follow_changes(owner.id)
    return found


def kit_with(owner: User, samples: list[Sample]) -> Kit:
    held = {pad: pad_edits.pad_for_sample(each) for pad, each in zip(PAD_NAMES, samples, strict=False)}
    return kit_list.create_kit(owner, KitState("Dusty kit").with_pads(held))


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("/kits", 4),
        ("/kits/{id}", 13),
        ("/kits/{id}/card", 14),
        ("/kits/{id}/pads/A1", 14),
        ("/kits/{id}/library?ask=loop", 15),
    ],
)
def test_pages_of_kits(as_owner: Browser, owner: User, samples: list[Sample], path: str, count: int) -> None:
    counts = []
    for pads in (1, 160):
        address = path.format(id=kit_with(owner, samples[:pads]).id)
        db.session.commit()
        for kept in (kept_counts, kept_ids, kept_page):  # of the first page
            kept.cache_clear()
        with counted_queries() as statements:
            answer = as_owner.get(address)
        assert answer.status_code == 200
        counts.append(len(statements))
    assert counts == [count, count], statements


def test_changes_and_documents(owner: User, samples: list[Sample]) -> None:
    place = pad_edits.place("A1", pad_edits.pad_for_sample(samples[-1]))
    counts = []
    for pads in (32, 160):
        kit = kit_with(owner, samples[:pads])
        db.session.refresh(kit)
        steps = (
            partial(history.change_kit, kit, "Place", place),
            partial(history.change_kit, kit, "Copy", pad_edits.copy_bank("A", "B")),
            partial(history.undo_change, kit),
            partial(kit_document, kit),
        )
        counts.append([count_queries(step) for step in steps])
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 14, counts


def count_queries(step: Callable[[], object]) -> int:
    with counted_queries() as statements:
        step()
    return len(statements)
