"""What else a search could be: the values of its filters, and what it finds without one of its conditions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from sqlalchemy import func, select

from app.extensions import db
from app.models import Sample, Tag, User
from app.search.sample_search import Chip, SampleQuery, count_samples, row_conditions
from app.search.text_conditions import name_contains

MAX_NAMED = 5


def count_values(user: User, query: SampleQuery, column: str) -> list[tuple[str, int]]:
    """How many samples each value of a filter would show, the other filters in force."""
    field = getattr(Sample, column)
    wanted = row_conditions(user, replace(query, **cast(dict[str, Any], {column: ""})))
    rows = db.session.execute(
        select(field, func.count()).where(*wanted, field.is_not(None)).group_by(field).order_by(field)
    )
    return [(str(value), int(count)) for value, count in rows]


def count_tags(user: User, limit: int = 30) -> list[tuple[str, int]]:
    rows = db.session.execute(
        select(Tag.name, func.count())
        .join(Sample, Sample.id == Tag.sample_id)
        .where(Sample.user_id == user.id, Sample.deleted_at.is_(None))
        .group_by(Tag.name)
        .order_by(func.count().desc(), Tag.name)
        .limit(limit)
    )
    return [(str(name), int(count)) for name, count in rows]


def samples_named_so(user: User, query: SampleQuery) -> list[Sample]:
    """What is called as the sentence says, and is left out by what it was understood as."""
    is_called_so = name_contains(query.ask)
    if is_called_so is None:
        return []
    found = select(Sample.id).where(*row_conditions(user, query))
    mine = Sample.user_id == user.id, Sample.deleted_at.is_(None)
    rows = select(Sample).where(*mine, is_called_so, Sample.id.not_in(found))
    return list(db.session.scalars(rows.order_by(Sample.id.desc()).limit(MAX_NAMED)))


def wider_searches(user: User, query: SampleQuery) -> list[tuple[Chip, int]]:
    """For a search that finds nothing: what it would find without each of its conditions, the best first."""
    chips = {str(chip.without): chip for chip in reversed(query.chips())}.values()
    found = [
        (chip, count_samples(user, replace(SampleQuery.from_args(chip.without), learned=query.learned)))
        for chip in reversed(chips)
    ]
    return sorted(((chip, count) for chip, count in found if count), key=lambda each: -each[1])
