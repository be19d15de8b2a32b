"""Give each sample its own name on the card, even when samples are downloaded one by one."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select

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
    if sample.pad_name is None or not pad_names.is_numbered_name(sample.pad_name, wanted):
        quota.lock_account(sample.user_id)
        sample.pad_name = _first_free(sample, wanted)
    return sample.pad_name


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
    name = func.lower(Sample.pad_name)
    others = Sample.user_id == sample.user_id, Sample.id != sample.id
    return set(db.session.scalars(select(name).where(*others, name.in_([each.lower() for each in names]))))
