"""The cost report of a month matches a ledger written by hand, as a page and as CSV."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from flask import Flask

from app.account import closing
from app.admin import costs, costs_csv
from app.admin.costs import Month
from app.billing.plans import GB
from app.models import Invoice, Usage, User
from app.models.base import transaction, utcnow
from tests.support import Browser, waiting_jobs

SEPTEMBER = Month(datetime(2025, 9, 1, tzinfo=UTC), datetime(2025, 10, 1, tzinfo=UTC))


def day(number: int, month: int = 9) -> datetime:
    return datetime(2025, month, number, tzinfo=UTC)


def ledger(user: User, *entries: tuple[str, int, datetime, str]) -> None:
    with transaction() as session:
        for number, (kind, quantity, at, usd) in enumerate(entries):
            key = f"{user.id}:{kind}:{number}"
            entry: dict[str, Any] = {"user_id": user.id, "kind": kind, "entry_key": key, "quantity": quantity}
            session.add(Usage(**entry, cost_usd=Decimal(usd), effective_at=at))


@pytest.fixture
def made_by_hand(app: Flask, owner: User, freeloader: User) -> None:
    """A ledger of September, which has thirty days: a GB for a day is a thirtieth of a GB-month."""
    ledger(
        owner,
        ("upload", 1, day(31, 8), "0"),  # before
        ("upload", 3, day(1), "0"),  # the first moment counts
        ("upload", 1, day(20), "0"),
        ("upload", -1, day(20), "0"),  # given back
        ("upload", 5, day(1, 10), "0"),  # the moment after the last
        ("ai", 1, day(2), "0.001500"),
        ("ai", 2, day(30), "0.020000"),
        ("ai", 1, day(1, 10), "9"),
        ("overage", 3, day(30), "0"),
        ("overage", -1, day(30), "0"),
        ("overage", 50, day(1, 10), "0"),
        ("export", 7, day(3), "0"),
        ("storage", 2 * GB, day(1, 7), "0"),  # all month
        ("storage", 3 * GB, day(21), "0"),  # ten days: 1 GB-month
        ("storage", -1 * GB, day(16), "0"),  # half a month less
        ("storage", 100 * GB, day(1, 10), "0"),
    )
    ledger(freeloader, ("ai", 4, day(9), "0.100000"), ("storage", GB // 10, day(1), "0"))
    ended = {"state": "completed", "run_at": day(5)}
    waiting_jobs(owner, 2, finished_at=day(30), **ended)
    waiting_jobs(owner, 1, finished_at=day(1, 10), **ended)
    waiting_jobs(freeloader, 1, finished_at=day(1), **(ended | {"state": "failed"}))


@pytest.fixture
def as_admin(app: Flask, stranger: User) -> Browser:
    with transaction():
        stranger.is_admin = True
    return Browser(app, stranger)


@pytest.mark.usefixtures("made_by_hand")
def test_the_figures_match_the_ledger(owner: User, freeloader: User) -> None:
    found = costs.monthly_report(SEPTEMBER)
    by_email = {line.email: line.figures for line in found.users}
    assert list(by_email) == [freeloader.email, owner.email]  # the dearest first
    assert by_email[owner.email] == costs.CostFigures(
        uploads=3,
        overage_uploads=2,
        jobs=2,
        ai_calls=3,
        ai_usd=Decimal("0.0215"),
        storage_gb_months=Decimal("2.5"),
        storage_usd=Decimal("0.0375"),
    )
    assert by_email[owner.email].cost_usd == Decimal("0.059")
    assert by_email[owner.email].overage_usd == Decimal("0.04")
    assert by_email[freeloader.email] == costs.CostFigures(
        0, 0, 1, 4, Decimal("0.1"), Decimal("0.1"), Decimal("0.0015")
    )


@pytest.mark.usefixtures("made_by_hand")
def test_plans_and_the_total_add_up() -> None:
    found = costs.monthly_report(SEPTEMBER)
    by_plan = {line.plan.name: (line.users, line.figures.cost_usd) for line in found.plans}
    assert by_plan == {
        "free": (1, Decimal("0.1015")),
        "pro": (1, Decimal("0.059")),
        "enterprise": (0, Decimal(0)),
    }
    assert found.total.cost_usd == Decimal("0.1605")
    assert (found.total.uploads, found.total.jobs, found.total.ai_calls) == (3, 3, 7)


@pytest.mark.usefixtures("made_by_hand")
def test_the_ai_costs_of_a_deleted_account_stay(as_admin: Browser, owner: User) -> None:
    closing.close_account(owner)
    closing.finish_due_closings()
    found = costs.monthly_report(SEPTEMBER)
    assert found.gone == costs.CostFigures(ai_calls=3, ai_usd=Decimal("0.0215"))
    assert (found.total.ai_usd, found.total.ai_calls) == (Decimal("0.1215"), 7)
    assert "Deleted" in as_admin.get("/admin/costs?month=2025-09").text


@pytest.mark.usefixtures("made_by_hand")
def test_the_revenue_of_a_plan_is_what_was_paid_for_it(as_admin: Browser, owner: User) -> None:
    invoice("in_1", owner.id, "pro", 1500, day(4))
    invoice("in_2", owner.id, "enterprise", 9900, day(5), refunded_cents=900)
    invoice("in_3", None, "pro", 1500, day(6))  # its account is gone
    invoice("in_4", owner.id, "pro", 1500, day(7), disputed_cents=1500, dispute_status="lost")
    invoice("in_5", owner.id, "pro", 1500, day(8), disputed_cents=1500, dispute_status="needs_response")
    invoice("in_6", owner.id, "pro", 1500, day(1, 10))  # the month after
    invoice("in_7", owner.id, "pro", 1500, day(9), currency="eur")
    found = costs.monthly_report(SEPTEMBER)
    by_plan = {line.plan.name: (line.figures.revenue_usd, line.figures.margin_usd) for line in found.plans}
    assert by_plan["free"] == (Decimal(0), Decimal("-0.1015"))
    assert by_plan["pro"] == (Decimal(45), Decimal("44.941"))
    assert by_plan["enterprise"] == (Decimal(90), Decimal(90))
    assert found.total.revenue_usd == Decimal(135)
    assert {line.email: line.figures.revenue_usd for line in found.users}[owner.email] == Decimal(120)
    assert "$134.84" in as_admin.get("/admin/costs?month=2025-09").text


def invoice(number: str, user_id: str | None, plan: str, cents: int, at: datetime, **values: Any) -> None:
    times = {"period_start": at, "period_end": at, "issued_at": at, "paid_at": at}
    paid = {"total_cents": cents, "paid_cents": cents, "currency": "usd", "status": "paid"}
    with transaction() as session:
        session.add(
            Invoice(id=number, user_id=user_id, customer_id="cus", plan=plan, **(times | paid | values))
        )


def test_the_price_of_storage_is_a_setting(environ: dict[str, str], made_dear: User) -> None:
    assert costs.monthly_report(SEPTEMBER).total.storage_usd == Decimal("2.3")


@pytest.fixture
def made_dear(environ: dict[str, str], request: pytest.FixtureRequest) -> User:
    environ["STORAGE_USD_PER_GB_MONTH"] = "0.23"
    owner: User = request.getfixturevalue("owner")
    ledger(owner, ("storage", 10 * GB, day(1), "0"))
    return owner


def test_the_present_month_counts_up_to_now(owner: User) -> None:
    now = Month.containing(utcnow())
    ledger(owner, ("storage", 1000 * GB, now.start, "0"))
    share = (utcnow() - now.start) / (now.end - now.start)
    assert float(costs.monthly_report(now).total.storage_gb_months) == pytest.approx(1000 * share, abs=0.01)


def test_storage_may_exceed_the_databases_integers(owner: User) -> None:
    ledger(owner, ("storage", 50_000 * GB, day(1), "0"))
    assert costs.monthly_report(SEPTEMBER).total.storage_gb_months == 50_000


@pytest.mark.parametrize(
    ("text", "name", "before", "after"),
    [
        ("2025-09", "2025-09", "2025-08", "2025-10"),
        ("2025-01", "2025-01", "2024-12", "2025-02"),
        ("2024-12", "2024-12", "2024-11", "2025-01"),
    ],
)
def test_each_month_names_its_neighbours(text: str, name: str, before: str, after: str) -> None:
    found = Month.parse(text)
    assert (found.name, found.before, found.after) == (name, before, after)


@pytest.mark.parametrize("text", ["", "2999-01", "2025-13", "2025-9", "٢٠٢٥-09", "nonsense", "2025-09\n"])
def test_an_invalid_or_future_month_is_the_present_one(text: str) -> None:
    assert Month.parse(text) == Month.containing(utcnow())
    assert Month.parse(text).after is None


@pytest.mark.usefixtures("made_by_hand")
def test_only_operators_see_the_cost_report(as_admin: Browser, as_owner: Browser, owner: User) -> None:
    for path in ("/admin/costs", "/admin/costs.csv"):
        assert as_owner.get(path).status_code == 404
    page = as_admin.get("/admin/costs?month=2025-09").text
    for words in ("Costs of September 2025", owner.email, "$0.0215", "2.500", "$0.1605", "month=2025-10"):
        assert words in page
    assert "No usage this month." in as_admin.get("/admin/costs?month=2020-01").text
    assert 'href="/admin/costs"' in as_admin.get("/admin/queues").text


@pytest.mark.usefixtures("made_by_hand")
def test_the_csv_has_a_line_for_each_user(as_admin: Browser, owner: User, freeloader: User) -> None:
    answer = as_admin.get("/admin/costs.csv?month=2025-09")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == "attachment; filename=costs-2025-09.csv"
    first, second = csv.DictReader(StringIO(answer.text))
    assert (first["email"], second["email"]) == (freeloader.email, owner.email)
    numbers = {name: Decimal(second[name]) for name in (*costs.COLUMNS, "cost_usd")}
    assert numbers["cost_usd"] == Decimal("0.059")
    assert numbers["storage_gb_months"] == Decimal("2.5")
    assert (second["month"], second["plan"], second["jobs"]) == ("2025-09", "pro", "2")


@pytest.mark.parametrize(
    "email", ["=cmd|'/c calc'!a1@x.org", "+1@x.org", "-1@x.org", "@sum(1)@x.org", "＝1@x.org"]
)
def test_an_address_is_never_a_formula(app: Flask, owner: User, email: str) -> None:
    with transaction():
        owner.email = email
    ledger(owner, ("ai", 1, day(2), "0.000001"))
    (line,) = csv.DictReader(StringIO(costs_csv.render_costs_csv(costs.monthly_report(SEPTEMBER))))
    assert line["email"] == "'" + email
    assert line["ai_usd"] == "0.000001"
