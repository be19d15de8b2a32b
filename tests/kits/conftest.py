"""Samples of the owner, and a kit with one of them on A1."""

from __future__ import annotations

import pytest

from app.models import Kit, Sample, User
from app.search.indexing import follow_changes
from tests.kits.stock import kit_of, some_samples


@pytest.fixture
def samples(owner: User) -> list[Sample]:
    found = some_samples(owner)
    follow_changes(owner.id)
    return found


@pytest.fixture
def kit(owner: User, samples: list[Sample]) -> Kit:
    return kit_of(owner, A1=samples[0])
