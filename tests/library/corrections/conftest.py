"""A loop with a description."""

from __future__ import annotations

import pytest

from app.extensions import db
from app.models import Sample
from app.models.base import transaction
from tests.library.corrections.forms import DESCRIBED
from tests.support import Browser, drum_loop, finished_job


@pytest.fixture
def loop(as_owner: Browser) -> Sample:
    sample = db.session.get_one(Sample, finished_job(as_owner, "Dusty break.wav", drum_loop(93)).sample_id)
    with transaction():
        sample.describe(DESCRIBED)
    return sample
