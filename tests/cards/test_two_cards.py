"""Which cards are offered and removed, and which samples go onto one."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from app.cards import card_orders
from app.cards.known_sounds import load_card_samples
from app.extensions import db
from app.kits import kit_list
from app.kits.kit_state import KitState
from app.library import trash
from app.models import CardExport, Kit, User
from app.models.base import new_id, transaction, utcnow
from app.models.card_export import CARD_LIFETIME
from tests.search.test_text_conditions import shelve

MINUTE = timedelta(minutes=1)


def add_card(kit: Kit, age: timedelta = MINUTE) -> CardExport:
    key = f"made/{kit.user_id}/{new_id()}"
    made = CardExport(user_id=kit.user_id, kit_id=kit.id, kit_name=kit.name, store_key=key, size_bytes=1)
    made.targets, made.findings, made.created_at = ["mk2"], [], utcnow() - age
    with transaction() as session:
        session.add(made)
    return made


def test_a_kit_offers_its_own_cards_of_the_last_week_the_newest_first(owner: User) -> None:
    kit, other = (kit_list.create_kit(owner, KitState(name)) for name in ("Dusty kit", "Other kit"))
    add_card(other)
    add_card(kit, CARD_LIFETIME + MINUTE)
    first, second = add_card(kit, CARD_LIFETIME - MINUTE), add_card(kit)
    assert card_orders.kept_cards(owner, kit) == [second, first]


def test_only_cards_that_are_older_than_a_week_are_removed(owner: User) -> None:
    kit = kit_list.create_kit(owner, KitState("Dusty kit"))
    add_card(kit, CARD_LIFETIME + MINUTE)
    young = add_card(kit, CARD_LIFETIME - MINUTE)
    card_orders.remove_old_cards()
    assert db.session.scalars(select(CardExport.id)).all() == [young.id]


def test_a_card_takes_ones_own_samples_that_are_there(owner: User, stranger: User) -> None:
    theirs = shelve(stranger, {"Theirs": {}})["Theirs"]
    mine = shelve(owner, {name: {} for name in ("Hat", "Rim", "Gone")})
    trash.delete_sample(mine["Gone"])
    wanted = [theirs.id, mine["Hat"].id, mine["Gone"].id]
    assert load_card_samples(owner.id, wanted) == {mine["Hat"].id: mine["Hat"]}
