"""The Plan page, Checkout and plan changes, in a browser without JavaScript."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select

from app.account import closing
from app.billing import checkout, plans
from app.extensions import db
from app.integrations.payments import connection
from app.integrations.payments import stripe_pages as opening
from app.models import Invoice, User
from tests.billing.shop import BACK, Shop
from tests.fake_stripe import charges
from tests.fake_stripe import checkout as sessions
from tests.fake_stripe.subscriptions import MONTH, advance, pay_invoice, set_status
from tests.fake_stripe.world import Object
from tests.support import Browser


@pytest.fixture
def member(app: Flask, shop: Shop) -> Browser:
    return Browser(app, shop.user)


def to_checkout(member: Browser, plan: str = "pro") -> str:
    answer = member.post("/billing/checkouts", plan=plan)
    assert answer.status_code == 303
    return answer.headers["Location"].rsplit("/", 1)[-1]


def page(member: Browser) -> str:
    return " ".join(member.get("/billing").text.split())


def subscribed(shop: Shop, member: Browser, plan: str = "pro") -> None:
    sessions.act(shop.world, to_checkout(member, plan), "paid")
    shop.hear()


def test_the_welcome_page_waits_for_stripe_and_grants_nothing(shop: Shop, member: Browser) -> None:
    session = to_checkout(member)
    assert "Waiting for Stripe" in member.get("/billing/welcome?session_id=cs_made_up").text
    assert plans.plan_for_user(shop.user).name == "free"
    sessions.act(shop.world, session, "declined")
    assert "Waiting for Stripe" in member.get("/billing/welcome").text
    sessions.act(shop.world, session, "3-D Secure")
    fragment = member.get("/billing/welcome", headers={"HX-Request": "true"})
    assert (fragment.status_code, "You are on Pro" in fragment.text) == (286, True)
    assert plans.plan_for_user(shop.user).name == "pro"


def test_leaving_checkout_keeps_free_and_the_same_checkout(shop: Shop, member: Browser) -> None:
    session = to_checkout(member)
    assert to_checkout(member) == session
    made = shop.world.get("checkout.session", session)
    ends = made["success_url"].partition("?")[0], made["cancel_url"]
    assert [end.partition("/billing")[2] for end in ends] == ["/welcome", ""]
    assert "Subscribe to Pro" in page(member)
    assert plans.plan_for_user(shop.user).name == "free"


def test_a_user_with_a_plan_cannot_buy_another(shop: Shop, member: Browser) -> None:
    session = to_checkout(member)
    sessions.act(shop.world, session, "paid")
    answer = member.post("/billing/checkouts", plan="enterprise")
    assert answer.headers["Location"] == "/billing"
    assert "You have already paid" in page(member)
    shop.hear()
    member.post("/billing/checkouts", plan="enterprise")
    assert "You already have a plan" in page(member)
    assert len(shop.world.all("checkout.session")) == 1


def still_open(shop: Shop) -> list[str]:
    return [str(each["id"]) for each in shop.world.all("checkout.session", status="open")]


def test_choosing_another_plan_in_another_window_ends_the_first_checkout(shop: Shop, member: Browser) -> None:
    first, second = to_checkout(member), to_checkout(member, "enterprise")
    assert first != second
    assert still_open(shop) == [second]


def test_the_later_of_two_checkouts_at_once_stays_open(
    shop: Shop, member: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other window opens a session after this one looked for open ones, before it opens its own."""
    same, others = connection.make_idempotency_key, list[str]()

    def in_between(*parts: object) -> str:
        monkeypatch.setattr(opening, "make_idempotency_key", same)
        others.append(checkout.start_checkout(shop.user, "enterprise", *BACK).rsplit("/", 1)[-1])
        return same(*parts)

    monkeypatch.setattr(opening, "make_idempotency_key", in_between)
    made = checkout.start_checkout(shop.user, "pro", *BACK).rsplit("/", 1)[-1]
    assert (len(others), made in others) == (1, False)
    assert still_open(shop) == [made]


def test_the_earlier_of_two_checkouts_sends_the_user_to_the_other_window(
    shop: Shop, member: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other window opens its session just after this one."""
    add, made = shop.world.add, []

    def and_another(kind: str, prefix: str, **given: object) -> Object:
        session = add(kind, prefix, **given)
        if kind == "checkout.session":
            made.append(sessions.session_update(add(kind, prefix, **given), status="open", url="http://x"))
        return session

    monkeypatch.setattr(shop.world, "add", and_another)
    assert member.post("/billing/checkouts", plan="pro").headers["Location"] == "/billing"
    assert "You have just chosen or paid for a plan in another window" in page(member)
    assert still_open(shop) == [made[0]["id"]]


def test_a_user_who_pays_in_another_window_is_not_asked_to_pay_again(
    shop: Shop, member: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other window opened its session just before this one, and it is paid while this one looks."""
    add, get, older = shop.world.add, shop.world.get, []

    def one_before(kind: str, prefix: str, **given: object) -> Object:
        if kind == "checkout.session":
            older.append(sessions.session_update(add(kind, prefix, **given), status="open", url="http://x"))
        return add(kind, prefix, **given)

    def paid_now(kind: str, key: str) -> Object:
        found = get(kind, key)
        return sessions.session_update(found, status="complete") if found in older else found

    monkeypatch.setattr(shop.world, "add", one_before)
    monkeypatch.setattr(shop.world, "get", paid_now)
    assert member.post("/billing/checkouts", plan="pro").headers["Location"] == "/billing"
    assert "You have just chosen or paid for a plan in another window" in page(member)
    assert still_open(shop) == []


@pytest.mark.parametrize("plan", ["free", "none", ""])
def test_a_plan_that_is_not_for_sale_is_refused(shop: Shop, member: Browser, plan: str) -> None:
    member.post("/billing/checkouts", plan=plan)
    assert "not for sale" in page(member)


def test_a_plan_change_is_charged_as_it_was_shown(shop: Shop, member: Browser) -> None:
    subscribed(shop, member)
    offer = member.get("/billing/swap?plan=enterprise").text
    found = re.search(r'name="at" value="(\d+)"', offer)
    charged = re.search(r"Charged now: <span class=\"num\">\$([\d.]+)", offer)
    assert found is not None
    assert charged is not None
    member.post("/billing/swap", plan="enterprise", at=found.group(1))
    assert "You are on Enterprise" in page(member)
    latest = db.session.scalars(select(Invoice).order_by(Invoice.id.desc())).first()
    assert latest is not None
    assert (latest.plan, latest.paid_cents / 100) == ("enterprise", float(charged.group(1)))


@pytest.mark.parametrize("shift", [-3700, 86400])
def test_an_offer_that_is_too_old_or_in_the_future_is_not_charged(
    shop: Shop, member: Browser, shift: int
) -> None:
    """A second at the end of the period would make the change free."""
    subscribed(shop, member)
    answer = member.post("/billing/swap", plan="enterprise", at=str(shop.world.now + shift))
    assert answer.headers["Location"] == "/billing/swap?plan=enterprise"
    assert "This is what the change costs now." in member.get(answer.headers["Location"]).text
    assert plans.plan_for_user(shop.user).name == "pro"
    assert shop.subscription["items"]["data"][0]["price"]["metadata"]["plan"] == "pro"


def test_a_plan_change_that_the_bank_must_confirm_links_to_the_invoice(shop: Shop, member: Browser) -> None:
    subscribed(shop, member)
    shop.world.cards[shop.customer] = "needs_action"
    member.post("/billing/swap", plan="enterprise", at=str(shop.world.now))
    assert plans.plan_for_user(shop.user).name == "pro"
    shown = page(member)
    assert "Pay or confirm it now" in shown
    bill = shop.subscription["latest_invoice"]
    answer = member.get(f"/billing/invoices/{bill}")
    assert answer.headers["Location"] == f"{shop.fake.url}/hosted/invoice/{bill}"
    pay_invoice(shop.world, bill)
    shop.hear()
    assert plans.plan_for_user(shop.user).name == "enterprise"
    assert "Pay or confirm it now" not in page(member)


def test_a_plan_is_cancelled_and_resumed(shop: Shop, member: Browser) -> None:
    subscribed(shop, member)
    member.post("/billing/cancellation")
    assert "you keep Pro until" in page(member)
    assert plans.plan_for_user(shop.user).name == "pro"
    member.post("/billing/resumption")
    assert "Resumed. Your plan renews as before." in page(member)
    assert shop.row.ends_at is None


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("past_due", "Your last payment failed"),
        ("unpaid", "Until then you are on Free"),
        ("incomplete", "Until then you are on Free"),
        ("paused", "is paused"),
        ("trialing", "Your Pro trial ends on"),
    ],
)
def test_each_subscription_status_is_explained(shop: Shop, member: Browser, status: str, words: str) -> None:
    subscribed(shop, member)
    set_status(shop.world, shop.subscription, status)
    shop.hear()
    assert words in page(member)


def test_a_failed_renewal_links_to_its_invoice(shop: Shop, member: Browser) -> None:
    subscribed(shop, member)
    shop.world.cards[shop.customer] = "declined"
    advance(shop.world, MONTH)
    shop.hear()
    assert f"/billing/invoices/{shop.subscription['latest_invoice']}" in page(member)


def test_the_next_invoice_and_pdfs_are_shown(shop: Shop, member: Browser) -> None:
    subscribed(shop, member)
    assert "$15.00" in member.get("/billing/next-invoice").text
    bill = shop.subscription["latest_invoice"]
    assert "/hosted/pdf/" in member.get(f"/billing/invoices/{bill}?as=pdf").headers["Location"]
    member.post("/billing/cancellation")
    assert "no upcoming invoice" in member.get("/billing/next-invoice").text


def test_another_users_invoice_answers_404(shop: Shop, member: Browser, as_stranger: Browser) -> None:
    subscribed(shop, member)
    bill = shop.subscription["latest_invoice"]
    assert as_stranger.get(f"/billing/invoices/{bill}").status_code == 404


def test_plan_and_usage_are_shown_while_stripe_is_unreachable(shop: Shop, member: Browser) -> None:
    subscribed(shop, member)
    shop.world.is_away = True
    assert "1,000" in page(member)
    assert "can't be reached" in member.get("/billing/next-invoice").text
    member.post("/billing/cancellation")
    assert "Nothing was changed or charged" in page(member)
    assert member.get("/billing/welcome").status_code == 200


def test_an_account_is_cancelled_at_stripe_before_it_is_deleted(shop: Shop, member: Browser) -> None:
    subscribed(shop, member)
    closing.close_account(shop.user)
    shop.world.is_away = True
    closing.finish_due_closings()
    assert shop.user.id == shop.user_id
    assert closing.try_again_now(shop.user_id)
    shop.world.is_away = False
    closing.finish_due_closings()
    assert shop.subscription["status"] == "canceled"
    db.session.expire_all()
    assert db.session.get(User, shop.user_id) is None
    assert db.session.scalars(select(Invoice)).one().user_id is None


def test_a_dispute_of_a_deleted_account_is_shown_to_the_operator(
    app: Flask, shop: Shop, member: Browser, owner: User
) -> None:
    subscribed(shop, member)
    closing.close_account(shop.user)
    closing.finish_due_closings()
    (charge,) = shop.world.all("charge")
    charges.dispute(shop.world, charge["id"])
    shop.world.events = shop.world.events[-1:]
    for event in shop.world.take_events():
        shop.post(event)
    shop.apply()
    owner.is_admin = True
    db.session.commit()
    shown = Browser(app, owner).get("/admin/payments").text
    assert "needs_response" in shown
    assert "charge.dispute.created" in shown


def test_ending_subscriptions_twice_or_without_one_is_safe(shop: Shop, stranger: User) -> None:
    for _ in range(2):
        checkout.end_subscriptions(shop.user)
    checkout.end_subscriptions(stranger)


def test_whatever_stripe_may_still_charge_is_ended(shop: Shop) -> None:
    shop.subscribe()
    for status in ("trialing", "active", "past_due", "unpaid", "paused", "incomplete"):
        set_status(shop.world, shop.subscription, status)
        checkout.end_subscriptions(shop.user)
        assert shop.subscription["status"] == "canceled", status
