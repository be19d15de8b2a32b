"""Each limit of a plan at, below and above it, and the sentence for what has no room."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.billing.plan_room import PlanUsage, format_dollars, format_size
from app.billing.plans import GB, MB, PLANS

RESET = datetime(2026, 12, 1, tzinfo=UTC)


def usage(
    plan: str = "free", uploads: int = 0, stored: int = 0, overage: int = 0, cap: int | None = None
) -> PlanUsage:
    return PlanUsage(PLANS[plan], uploads, stored, RESET, overage, cap)


@pytest.mark.parametrize(("used", "left"), [(0, 10), (9, 1), (10, 0), (11, 0)])
def test_uploads_left(used: int, left: int) -> None:
    now = usage(uploads=used)
    assert (now.uploads_left, now.refusal(1) is None) == (left, left > 0)
    assert now.refusing_limit == ("storage" if left else "uploads")


@pytest.mark.parametrize(
    ("stored", "left", "over"),
    [(0, 100 * MB, 0), (100 * MB - 1, 1, 0), (100 * MB, 0, 0), (100 * MB + 1, 0, 1), (30 * MB, 70 * MB, 0)],
)
def test_storage_left(stored: int, left: int, over: int) -> None:
    now = usage(stored=stored)
    assert (now.storage_left_bytes, now.storage_over_bytes) == (left, over)
    assert now.storage_refusal(left) is None or over
    assert now.storage_refusal(left + 1) is not None


def test_a_refusal_for_storage_says_what_is_left_and_how_much_to_delete() -> None:
    sentence = usage(stored=98_500_000).storage_refusal(4 * MB)
    assert sentence == (
        "Not enough storage: 1.5 MB left. Delete 2.5 MB of samples you no longer need, or upgrade to Pro."
    )
    assert usage("enterprise", stored=1000 * GB).storage_refusal(MB) == (
        "Not enough storage: 0.0 MB left. Delete 1 MB of samples you no longer need."
    )
    assert usage(uploads=3, stored=100 * MB).refusal() == usage(stored=100 * MB).storage_refusal(1)


@pytest.mark.parametrize(
    ("overage", "cap", "cents", "left"),
    [
        (0, None, 0, 0),
        (0, 100, 0, 50),
        (49, 100, 98, 1),
        (49, 99, 98, 0),
        (50, 100, 100, 0),
        (60, 100, 120, 0),
    ],
)
def test_extra_uploads_stop_at_the_cap(overage: int, cap: int | None, cents: int, left: int) -> None:
    now = usage("pro", 1000, overage=overage, cap=cap)
    assert (now.overage_cents, now.extra_uploads_left, now.takes_overage) == (cents, left, left > 0)
    assert (now.refusal(1) is None) is (left > 0)


def test_without_a_consent_nothing_is_owed() -> None:
    now = PlanUsage(PLANS["pro"], 1000, 0, RESET)
    assert (now.overage_cents, now.extra_uploads_left) == (0, 0)


def test_a_plan_without_extra_uploads_has_none_whatever_the_cap() -> None:
    now = usage("free", 10, overage=3, cap=100)
    assert (now.overage_cents, now.extra_uploads_left, now.takes_overage) == (0, 0, False)


@pytest.mark.parametrize(
    ("plan", "cap", "overage", "sentence"),
    [
        ("free", None, 0,
            "You have used all 10 uploads for today. Wait until 1 Dec, 00:00, or upgrade to Pro.",
        ),
        (
            "pro", None, 0,
            "You have used all 1,000 uploads for this month. Wait until 1 Dec, 00:00, turn on extra uploads "
            "on the Plan page ($0.02 for each upload, up to a cap you set), or upgrade to Enterprise.",
        ),
        (
            "pro", 100, 50,
            "You have used all 1,000 uploads for this month and reached your $1.00 cap for extra uploads. "
            "Wait until 1 Dec, 00:00, raise the cap on the Plan page, or upgrade to Enterprise.",
        ),
        ("enterprise", None, 0, "You have used all 20,000 uploads for this month. Wait until 1 Dec, 00:00."),
    ],
)  # fmt: skip
def test_a_refused_upload_names_every_way_on(plan: str, cap: int | None, overage: int, sentence: str) -> None:
    assert usage(plan, PLANS[plan].uploads, overage=overage, cap=cap).refusal() == sentence


def test_several_uploads_without_room_say_how_many_there_were() -> None:
    assert usage(uploads=7).refusal_of_several(4, 1) == (
        "That would be 4 uploads; you have 3 left today. "
        "Choose fewer, wait until 1 Dec, 00:00, or upgrade to Pro."
    )
    assert usage(uploads=7).refusal_of_several(3, 1) is None


@pytest.mark.parametrize(
    ("uploads", "stored", "words"),
    [
        (7, 79_999_999, []),
        (8, 0, ["2 uploads left today"]),
        (9, 80 * MB, ["1 upload left today", "20.0 MB of storage left"]),
    ],
)
def test_what_is_nearly_used_is_named_from_four_fifths_on(
    uploads: int, stored: int, words: list[str]
) -> None:
    assert usage(uploads=uploads, stored=stored).nearly_used == words


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 MB"), (999_900_000, "999.9 MB"), (GB, "1 GB"), (GB + 1, "1.1 GB"), (MB, "1 MB")],
)
def test_sizes_in_words(size: int, words: str) -> None:
    assert format_size(size) == words


def test_dollars_in_words() -> None:
    assert [format_dollars(cents) for cents in (2, 150, 123_456)] == ["$0.02", "$1.50", "$1,234.56"]


@pytest.mark.parametrize(
    ("plan", "used", "cap_cents", "overage", "count", "is_refused"),
    [
        ("free", 7, None, 0, 3, False),
        ("free", 7, None, 0, 4, True),
        ("pro", 997, None, 0, 3, False),
        ("pro", 997, None, 0, 4, True),
        ("pro", 1_000, 100, 0, 50, False),  # 50 at 2 cents are exactly the cap
        ("pro", 1_000, 100, 0, 51, True),
        ("pro", 1_000, 100, 10, 40, False),
        ("pro", 1_000, 100, 10, 41, True),
    ],
)
def test_several_uploads_are_refused_when_one_of_them_has_no_room(
    plan: str, used: int, cap_cents: int | None, overage: int, count: int, is_refused: bool
) -> None:
    now = PlanUsage(PLANS[plan], used, 0, RESET, overage, cap_cents)
    assert (now.refusal_of_several(count, 1) is not None) is is_refused
    assert now.extra_uploads(count) == max(used + count - PLANS[plan].uploads, 0)


def test_several_uploads_need_storage_too() -> None:
    full = PlanUsage(PLANS["free"], 0, 99 * MB, RESET)
    assert "Not enough storage" in (full.refusal_of_several(2, 2 * MB) or "")


def test_a_refusal_without_a_size_is_about_one_byte() -> None:
    assert usage(stored=100 * MB - 1).refusal() is None
    assert usage(stored=100 * MB).refusal() is not None
