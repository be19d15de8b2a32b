"""Doing it again as a browser asks for it."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from app.extensions import db
from app.jobs import run
from app.models import AiCall, Job, Sample, Usage
from app.models.base import transaction, utcnow
from app.reprocessing.reprocess_purposes import ANALYSE, DESCRIBE
from tests.support import Browser

LARGE, SMALL = "qwen/qwen3-235b-a22b-2507", "qwen/qwen3-8b"
BOTH = pytest.mark.parametrize("purpose", [DESCRIBE, ANALYSE])


def queued(browser: Browser, purpose: str, *samples: Sample) -> list[Job]:
    ids = [sample.id for sample in samples]
    assert browser.post("/again/jobs", purpose=purpose, sample=ids).status_code == 303
    wanted = select(Job).where(Job.purpose == purpose, Job.sample_id.in_(ids)).order_by(Job.id)
    return list(db.session.scalars(wanted))


def ran(browser: Browser, purpose: str, sample: Sample) -> Job:
    job = queued(browser, purpose, sample)[-1]
    run.run_next()
    db.session.refresh(job)
    db.session.refresh(sample)
    return job


def choose(browser: Browser, model: str) -> None:
    assert browser.post("/settings/ai", ai_allowed="y", ai_model=model).status_code == 303


def due_now() -> None:
    with transaction() as session:
        session.execute(update(Job).values(run_at=utcnow() - timedelta(seconds=1)))


def ledger() -> Decimal:
    calls = select(func.sum(Usage.cost_usd)).join(AiCall, AiCall.usage_id == Usage.id)
    return Decimal(str(db.session.scalar(calls)))


def words(page: str) -> str:
    """Return the text of a page as a reader sees it."""
    main = page.partition("<main")[2].partition("</main>")[0]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))
    return re.sub(r" ([.,:])", r"\1", text)


def chosen_ids(page: str) -> list[str]:
    return re.findall(r'name="sample" value="(\w+)"', page)
