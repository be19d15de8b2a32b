"""Groups of made-up samples, for tests that need many without measuring any."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app.deduplication import groups
from app.extensions import db
from app.models import DuplicateGroup, DuplicateMember, Sample, User
from app.models.base import transaction
from tests.search.vectors import shelve_vectors, vector


def shelve_group(owner: User, *names: str, size_bytes: int = 1000, **figures: Any) -> list[Sample]:
    """Add samples of one recording, measured with these figures, and their group."""
    made = list(shelve_vectors(owner, {name: vector() for name in names}, **figures).values())
    with transaction():
        for sample in made:
            sample.size_bytes = size_bytes
            assert sample.vector is not None
            sample.vector.compare_at = None
        groups.join_group(owner.id, made[0].id, [sample.id for sample in made], [])
    return made


def group_of(sample: Sample) -> DuplicateGroup:
    own = select(DuplicateGroup).join(DuplicateMember).where(DuplicateMember.sample_id == sample.id)
    return db.session.scalars(own).one()
