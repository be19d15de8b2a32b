"""Pages say what is nearly used up, and offer the next larger plan where something does not fit."""

from __future__ import annotations

from io import BytesIO

import pytest

from app.billing.plan_room import PlanUsage
from app.billing.plans import MB, PLANS
from app.models import Usage, User
from app.models.base import transaction, utcnow
from tests.support import Browser, kick


@pytest.mark.parametrize(
    ("uploads", "storage_bytes", "words"),
    [
        (7, 79 * MB, []),
        (8, 79 * MB, ["2 uploads left today"]),
        (9, 80 * MB, ["1 upload left today", "20.0 MB of storage left"]),
        (11, 101 * MB, ["0 uploads left today", "0.0 MB of storage left"]),
    ],
)
def test_what_is_used_to_four_fifths_is_named(uploads: int, storage_bytes: int, words: list[str]) -> None:
    assert PlanUsage(PLANS["free"], uploads, storage_bytes, utcnow()).nearly_used == words


def use_uploads(user: User, count: int) -> None:
    with transaction() as session:
        session.add(Usage(user_id=user.id, kind="upload", entry_key=f"used {count}", quantity=count))


def test_the_dashboard_tells_what_is_nearly_used_up(as_freeloader: Browser, freeloader: User) -> None:
    assert "Nearly used up" not in as_freeloader.get("/dashboard").text
    use_uploads(freeloader, 9)
    page = as_freeloader.get("/dashboard").text
    assert "Nearly used up: 1 upload left today." in page
    assert "Upgrade to Pro</button>" in page


def test_a_refusal_for_the_plan_names_its_limit_to_the_script(
    as_freeloader: Browser, freeloader: User
) -> None:
    def limit(content: bytes) -> object:
        answer = as_freeloader.upload(("a.wav", content))
        return answer.status_code, answer.get_json()["over_plan"]

    assert limit(b"%PDF-1.7") == (422, None)
    assert limit(kick() + bytes(10 * MB)) == (422, "size")
    with transaction() as session:
        session.add(Usage(user_id=freeloader.id, kind="storage", entry_key="full", quantity=100 * MB - 9))
    assert limit(kick()) == (422, "storage")
    use_uploads(freeloader, 10)
    assert limit(kick()) == (422, "uploads")


def test_without_javascript_one_notice_tells_of_all_files_over_the_plan(
    as_freeloader: Browser, freeloader: User
) -> None:
    use_uploads(freeloader, 9)
    audio = [(BytesIO(kick() + bytes(2 * number)), f"{number}.wav") for number in range(4)]
    as_freeloader.post("/upload", audio=audio)
    page = as_freeloader.get("/jobs").text
    assert page.count("3 files not uploaded. You have used all 10 uploads for today.") == 1
    assert 'class="notice bad"' not in page
    assert "Upgrade to Pro</button>" in page.split("not uploaded.")[1][:1500]
