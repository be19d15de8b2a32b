"""Suggest other searches: counts for each filter value, samples of that name, and wider searches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from sqlalchemy import func, select

from app.extensions import db
from app.models import Sample, Tag, User
from app.music.sound_classes import SOUND_FAMILIES, SOUNDS
from app.search.chips import Chip, search_chips
from app.search.sample_query import SampleQuery
from app.search.sample_search import matching_count, row_conditions
from app.search.text_conditions import name_contains

MAX_NAMED = 5
MAX_TAGS_SHOWN = 30


def count_values(user: User, query: SampleQuery, column: str) -> list[tuple[str, int]]:
    """Return each value of a filter with its number of samples, while the other filters stay in force."""
    field = getattr(Sample, column)
    wanted = row_conditions(user, replace(query, **cast(dict[str, Any], {column: ""})))
    rows = db.session.execute(
        select(field, func.count()).where(*wanted, field.is_not(None)).group_by(field).order_by(field)
    )
    return [(str(value), int(count)) for value, count in rows]


def count_sounds(user: User, query: SampleQuery) -> list[tuple[str, int]]:
    """Return each class, with its samples; a family counts its members, as its filter finds them.

    A family is listed when a sample has its name for a class, or two of its classes are there.
    """
    stored = dict(count_values(user, query, "sound"))
    counts = dict(stored)
    for family, members in SOUND_FAMILIES.items():
        found = [stored[name] for name in members if name in stored]
        if family in stored or len(found) > 1:
            counts[family] = sum(found)
    order = [*dict.fromkeys((*SOUND_FAMILIES, *SOUNDS))]
    return sorted(counts.items(), key=lambda each: order.index(each[0]))


def count_tags(user: User, limit: int = MAX_TAGS_SHOWN) -> list[tuple[str, int]]:
    """Return the user's tags with their number of samples, the most used first."""
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
    """Return samples whose name contains the sentence but which its meaning leaves out, newest first."""
    has_name = name_contains(query.ask)
    if has_name is None:
        return []
    found = select(Sample.id).where(*row_conditions(user, query))
    own = Sample.user_id == user.id, Sample.deleted_at.is_(None)
    rows = select(Sample).where(*own, has_name, Sample.id.not_in(found))
    return list(db.session.scalars(rows.order_by(Sample.id.desc()).limit(MAX_NAMED)))


def wider_searches(user: User, query: SampleQuery) -> list[tuple[Chip, int]]:
    """Return what a search that finds nothing would find without one of its chips, most samples first.

    All counts are one statement, however many chips there are.
    """
    chips = list({str(chip.without): chip for chip in reversed(search_chips(query))}.values())[::-1]
    if not chips:
        return []
    searches = [replace(SampleQuery.from_args(chip.without), learned=query.learned) for chip in chips]
    counts = db.session.execute(select(*(matching_count(user, wider) for wider in searches))).one()
    found = [(chip, count) for chip, count in zip(chips, counts, strict=True) if count]
    return sorted(found, key=lambda each: -each[1])
