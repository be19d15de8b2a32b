"""Worker processes with the same question at the same time: one asks, the others get its answer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from flask_migrate import upgrade
from sqlalchemy import func, select

from app import create_app
from app.ai import budget
from app.auth import accounts
from app.config import Settings
from app.extensions import db
from app.jobs import reprocess
from app.models import Job, Sample, SingleFlightLock, User
from app.models.base import transaction
from app.reprocessing.reprocess_purposes import DESCRIBE
from tests.fake_openrouter import KEY, FakeOpenRouter
from tests.reprocessing.support import ledger
from tests.search.test_text_conditions import shelve
from tests.support import PASSWORD

pytestmark = pytest.mark.services

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a secret for tests, long enough to be taken"
Environ = dict[str, str]


@pytest.fixture(params=["sqlite", "postgresql"])
def deployed(request: pytest.FixtureRequest, tmp_path: Path, fake: FakeOpenRouter) -> Iterator[Environ]:
    """Return the settings of all processes, inside the app of this one."""
    asking = {"OPENROUTER_API_KEY": KEY, "OPENROUTER_BASE_URL": fake.url, "VIBE_MODEL_FREE": "maker/first"}
    given = asking | {"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET}
    if request.param == "postgresql":
        given["DATABASE_URL"] = request.getfixturevalue("postgres_url")
    with create_app(Settings.from_env(given)).app_context():
        upgrade()
        yield given
        db.session.remove()
        db.engine.dispose()


def test_the_same_question_is_paid_for_once(deployed: Environ, fake: FakeOpenRouter) -> None:
    fake.script = ["slow"]
    users = [accounts.register_user(f"{name}@example.com", PASSWORD, "UTC") for name in ("first", "second")]
    samples = [sample for user in users for sample in the_same_sound(user)]
    for user in users:
        reprocess.queue_jobs(user, [sample.id for sample in samples if sample.user_id == user.id], DESCRIBE)
    at_once([process(deployed) for _ in samples])
    db.session.commit()

    assert set(db.session.scalars(select(Job.state))) == {"completed"}
    assert {sample.vibe["source"] for sample in samples} == {"maker/first"}
    assert len(fake.asked) == 1
    assert abs(ledger() - fake.billed_usd) < Decimal("0.000002")
    assert abs(budget.spent_usd(budget.DAY) - ledger()) < Decimal("0.000001")
    assert db.session.scalar(select(func.count()).select_from(SingleFlightLock)) == 0


def the_same_sound(user: User) -> list[Sample]:
    """Add two samples with the same bytes and the same name."""
    made = [shelve(user, {"Break": {}})["Break"] for _ in range(2)]
    with transaction():
        for sample in made:
            sample.content_sha256 = "a" * 64
    return made


def process(deployed: Environ) -> subprocess.Popen[str]:
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "NUMBA_CACHE_DIR") if name in os.environ}
    command = [sys.executable, "-m", "tests.reprocessing.one_job"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=keep | deployed, stdin=pipe, stdout=pipe, text=True)


def at_once(processes: list[subprocess.Popen[str]]) -> None:
    for each in processes:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in processes:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    for each in processes:
        each.communicate(timeout=60)
        assert each.returncode == 0
