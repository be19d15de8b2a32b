"""Give each sample its own name on the card, even when samples are downloaded one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, func, select

from app.billing import quota
from app.extensions import db
from app.models import Sample
from app.sp404 import pad_names

NAMES_AT_ONCE = 50


def assign_pad_name(sample: Sample) -> str:
    """Return the name of a sample's WAV on the card, without extension; call it in a transaction.

    No other sample of this user has that name, in any case of its letters. The sample keeps it for later
    downloads until its own name, tempo or key changes.
    """
    wanted = pad_names.append_facts(sample.name, sample.bpm, sample.key)
    if not _is_named(sample, wanted):
        quota.lock_account(sample.user_id)
        sample.pad_name = _first_free(sample, wanted)
    return str(sample.pad_name)


def assign_pad_names(samples: Sequence[Sample]) -> list[str]:
    """Return the names of many samples of one user, as `assign_pad_name` does, with few queries."""
    wanted = {each.id: pad_names.append_facts(each.name, each.bpm, each.key) for each in samples}
    new = [each for each in samples if not _is_named(each, wanted[each.id])]
    if new:
        quota.lock_account(new[0].user_id)
    first = {each.id: pad_names.numbered_name(wanted[each.id], 1) for each in new}
    taken = _names_in_use(new[0].user_id, first.values()) if new else set()
    for each in new:
        name = first[each.id]
        each.pad_name = _first_free(each, wanted[each.id]) if name.lower() in taken else name
        taken.add(each.pad_name.lower())
    return [str(each.pad_name) for each in samples]


def _is_named(sample: Sample, wanted: str) -> bool:
    return sample.pad_name is not None and pad_names.is_numbered_name(sample.pad_name, wanted)


def _first_free(sample: Sample, wanted: str) -> str:
    first = 1
    while True:
        numbers = range(first, first + NAMES_AT_ONCE)
        names = [pad_names.numbered_name(wanted, number) for number in numbers]
        taken = _taken_names(sample, names)
        free = next((name for name in names if name.lower() not in taken), None)
        if free is not None:
            return free
        first += NAMES_AT_ONCE


def _taken_names(sample: Sample, names: Iterable[str]) -> set[str]:
    """Return those of the names, in lower case, that other samples of the same user have."""
    return _names_in_use(sample.user_id, names, Sample.id != sample.id)


def _names_in_use(user_id: str, names: Iterable[str], *others: ColumnElement[bool]) -> set[str]:
    """Return those of the names, in lower case, that samples of a user have."""
    name = func.lower(Sample.pad_name)
    in_use = name.in_([each.lower() for each in names])
    return set(db.session.scalars(select(name).where(Sample.user_id == user_id, *others, in_use)))
