"""Real processes on PostgreSQL describe a sample by one model, then another, and analyse it again."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from tests.fake_openrouter import KEY, running_openrouter
from tests.live import Producer, Product
from tests.support import PASSWORD, drum_loop

pytestmark = pytest.mark.services

FIRST, SECOND = "maker/first", "maker/second"
SECRET = "a secret for tests, long enough to be taken"


def test_a_sample_is_described_by_one_model_and_then_by_another(tmp_path: Path, postgres_url: str) -> None:
    settings = {"VIBE_MODEL_FREE": f"{FIRST},{SECOND}", "FREE_TIER_DELAY_S": "0", "SECRET_KEY": SECRET}
    with running_openrouter() as fake:
        asking = {"OPENROUTER_API_KEY": KEY, "OPENROUTER_BASE_URL": fake.url}
        with Product(tmp_path / "data", DATABASE_URL=postgres_url, **settings, **asking) as product:
            producer = Producer(product)
            producer.post("/register", email="p@example.com", password=PASSWORD, timezone="UTC")
            producer.upload(("Dusty break.wav", drum_loop(93)))
            producer.wait_for_jobs(1)
            sample_id = found(r'<tr class="row" id="sample-(\w+)"', producer.http.get("/samples").text)
            page = f"/samples/{sample_id}"
            assert FIRST in producer.http.get(page).text
            producer.post("/settings/ai", ai_allowed="y", ai_model=SECOND)
            offer = producer.http.get("/again", params={"purpose": "describe", "sample": sample_id}).text
            assert SECOND in offer
            producer.post("/again/jobs", purpose="describe", sample=sample_id)
            producer.wait_for_jobs(2)
            assert SECOND in producer.http.get(page).text
            producer.post("/again/jobs", purpose="analyse", sample=sample_id)
            producer.wait_for_jobs(3)
            assert SECOND in producer.http.get(page).text
            assert producer.http.get(f"{page}/sp404").status_code == 200
    assert [asked["model"] for asked in fake.asked] == [FIRST, SECOND]
    assert abs(spent(postgres_url) - fake.billed_usd) < Decimal("0.000002")


def found(pattern: str, page: str) -> str:
    match = re.search(pattern, page)
    assert match is not None
    return match.group(1)


def spent(url: str) -> Decimal:
    """Return the sum of the ledger, in which every reservation was settled."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT sum(cost_usd) FROM api_usage WHERE kind = 'ai'").fetchone()
    assert row is not None
    return Decimal(row[0])
