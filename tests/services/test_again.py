"""The whole way with real processes: described by a model, described again by another, each paid for once."""

from __future__ import annotations

import re
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fake_openrouter import KEY, market
from tests.live import Producer, Product
from tests.support import drum_loop

pytestmark = pytest.mark.services

FIRST, SECOND = "maker/first", "maker/second"


def test_a_sample_is_described_by_one_model_and_then_by_another(tmp_path: Path) -> None:
    with market() as fake:
        models = {"VIBE_MODEL_PRO": f"{FIRST},{SECOND}"}
        asking = {"OPENROUTER_API_KEY": KEY, "OPENROUTER_BASE_URL": fake.url}
        with Product(tmp_path / "data", **models, **asking) as product:
            producer = Producer(product)
            producer.post("/demo")
            producer.upload(("Dusty break.wav", drum_loop(93)))
            producer.wait_for_jobs(1)
            sample_id = found(r'data-href="/samples/(\w+)"', producer.http.get("/samples").text)
            assert FIRST in producer.http.get(f"/samples/{sample_id}").text
            producer.post("/settings/ai", ai_allowed="y", ai_model=SECOND)
            offer = producer.http.get("/again", params={"purpose": "describe", "sample": sample_id}).text
            assert SECOND in offer
            producer.post("/again/jobs", purpose="describe", sample=sample_id)
            producer.wait_for_jobs(2)
            assert SECOND in producer.http.get(f"/samples/{sample_id}").text
    assert [asked["model"] for asked in fake.asked] == [FIRST, SECOND]
    assert abs(spent(tmp_path / "data" / "library.db") - fake.billed_usd) < Decimal("0.000002")


def found(pattern: str, page: str) -> str:
    match = re.search(pattern, page)
    assert match is not None
    return match.group(1)


def spent(database: Path) -> Decimal:
    """All of the ledger: what was put aside was given back."""
    with sqlite3.connect(database) as connection:
        [(total,)] = connection.execute("SELECT sum(cost_usd) FROM api_usage WHERE kind = 'ai'")
    return Decimal(str(total))
