"""The page of a card that is being made: how far it is, cancel, try again, and a small card straight away."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from app.cards import card_job, card_orders, export_page
from app.config import Settings
from app.extensions import db
from app.integrations.storage import DiskStore, S3Store, open_store
from app.jobs import run
from app.kits import kit_list, pad_edits
from app.kits.kit_state import KitState
from app.models import CardExport, Kit, Sample, User
from app.models.base import transaction, utcnow
from app.models.card_export import CARD_LIFETIME
from tests.support import Browser, finished_job, kick

HTMX = {"HX-Request": "true"}
STRAIGHT = "HX-Trigger-After-Settle"


@pytest.fixture
def kit(as_owner: Browser, owner: User) -> Kit:
    sample = db.session.get_one(Sample, finished_job(as_owner, "Deep kick.wav", kick()).id)
    return kit_list.create_kit(
        owner, KitState("Dusty kit").with_pads({"A1": pad_edits.pad_for_sample(sample)})
    )


@pytest.fixture
def place(as_owner: Browser, kit: Kit) -> str:
    """The address of the page that an order leads to."""
    answer = as_owner.post(f"/kits/{kit.id}/exports", target="import", project_number="1")
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def test_a_small_card_comes_by_itself_once_it_is_ready(
    as_owner: Browser, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = as_owner.get(place, headers=HTMX)
    assert ("Cancel" in waiting.get_data(as_text=True), STRAIGHT in waiting.headers) == (True, False)
    run.run_next()
    card = db.session.scalars(db.select(CardExport)).one()
    ready = as_owner.get(place, headers=HTMX)
    assert f'href="/exports/{card.id}"' in ready.get_data(as_text=True)
    assert "hx-trigger" not in ready.get_data(as_text=True), "it no longer asks"
    assert json.loads(ready.headers[STRAIGHT]) == {"card-ready": {"address": f"/exports/{card.id}"}}
    assert STRAIGHT not in as_owner.get(place).headers, "a page that is opened again downloads nothing"
    monkeypatch.setattr(export_page, "STRAIGHT_BYTES", card.size_bytes)
    assert STRAIGHT in as_owner.get(place, headers=HTMX).headers
    monkeypatch.setattr(export_page, "STRAIGHT_BYTES", card.size_bytes - 1)
    assert STRAIGHT not in as_owner.get(place, headers=HTMX).headers


def test_a_card_tells_its_pads_while_it_is_made(
    as_owner: Browser, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def look_and_open(chosen: Settings) -> DiskStore | S3Store:
        told.append(as_owner.get(place, headers=HTMX).get_data(as_text=True))
        return open_store(chosen)

    monkeypatch.setattr(card_job, "open_store", look_and_open)  # it is called after the last pad
    run.run_next()
    assert "Pad 1 of 1." in told[0]


def test_a_card_is_cancelled_and_one_that_failed_is_tried_again(
    as_owner: Browser, owner: User, kit: Kit, place: str
) -> None:
    assert as_owner.post(f"{place}/cancel").status_code == 303
    assert "Cancelled. The kit has not changed." in as_owner.get(place).get_data(as_text=True)
    assert as_owner.post(f"{place}/retry").status_code == 409
    again = card_orders.order_card(owner, kit, ["import"])
    with transaction():
        again.state, again.error, again.finished_at = "failed", "The store was away.", utcnow()
        again.kept_until = utcnow() + CARD_LIFETIME
    place = f"/kits/{kit.id}/exports/{again.id}"
    told = as_owner.get(place).get_data(as_text=True)
    assert ("The store was away." in told, "Try again" in told) == (True, True)
    assert as_owner.post(f"{place}/retry").status_code == 303
    assert again.state == "pending"


def test_a_card_is_told_as_gone_and_belongs_to_its_kit(
    as_owner: Browser, owner: User, kit: Kit, place: str
) -> None:
    run.run_next()
    card = db.session.scalars(db.select(CardExport)).one()
    other = kit_list.create_kit(owner, KitState("Other kit"))
    assert as_owner.get(f"/kits/{other.id}/exports/{card.id}").status_code == 404
    assert (card_orders.kept_cards(owner, kit), card_orders.kept_cards(owner, other)) == ([card], [])
    with transaction():
        card.created_at = utcnow() - CARD_LIFETIME
    card_orders.remove_old_cards()
    assert "A card is kept for seven days. Make it again." in as_owner.get(place).get_data(as_text=True)


def test_the_cards_of_a_kit_are_listed_newest_first_for_seven_days(
    owner: User, stranger: User, kit: Kit
) -> None:
    other = kit_list.create_kit(owner, KitState("Other kit"))
    now, week = utcnow(), timedelta(days=7)
    rows = (
        ("b", owner, kit, timedelta(hours=2)),
        ("c", owner, kit, timedelta(hours=1)),
        ("a", owner, kit, week - timedelta(minutes=1)),
        ("old", owner, kit, week + timedelta(minutes=1)),
        ("other", owner, other, timedelta(0)),
        ("foreign", stranger, kit, timedelta(0)),
    )
    with transaction() as session:
        for name, user, of_kit, age in rows:
            made: dict[str, Any] = {
                "targets": ["mk2"],
                "findings": [],
                "store_key": f"cards/{name}",
                "size_bytes": 1,
            }
            named = {"user_id": user.id, "kit_id": of_kit.id, "kit_name": "Dusty"}
            session.add(CardExport(id=name, created_at=now - age, **made, **named))
    assert [card.id for card in card_orders.kept_cards(owner, kit)] == ["c", "b", "a"]
    card_orders.remove_old_cards()
    assert set(db.session.scalars(db.select(CardExport.id))) == {"a", "b", "c", "other", "foreign"}
