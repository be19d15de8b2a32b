"""A model may be asked, and a sample is described by it."""

from __future__ import annotations

import pytest

from app.extensions import db
from app.models import Sample
from tests.fake_openrouter import KEY, FakeOpenRouter
from tests.support import Browser, drum_loop, finished_job, kick


@pytest.fixture
def environ(environ: dict[str, str], fake: FakeOpenRouter) -> dict[str, str]:
    return environ | {"OPENROUTER_API_KEY": KEY, "OPENROUTER_BASE_URL": fake.url}


@pytest.fixture
def sample(as_owner: Browser) -> Sample:
    return db.session.get_one(Sample, finished_job(as_owner, "Dusty break.wav", drum_loop(93)).id)


@pytest.fixture
def two(as_owner: Browser) -> list[Sample]:
    """A loop and a kick, each described by the plan's first model."""
    files = (("Dusty break.wav", drum_loop(93)), ("Deep kick.wav", kick()))
    return [db.session.get_one(Sample, finished_job(as_owner, *file).id) for file in files]
