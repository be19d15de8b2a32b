"""Choose the samples to describe or analyse again, and foresee what describing them would change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields

from sqlalchemy import select
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.base import ExecutableOption
from werkzeug.datastructures import MultiDict

from app.extensions import db
from app.jobs import reprocess
from app.models import Sample, User
from app.reprocessing.reprocess_purposes import DESCRIBE
from app.reprocessing.sample_age import changed_figures, has_old_description, is_by_model
from app.search.sample_query import SampleQuery, with_learned_words
from app.search.sample_search import find_samples

MAX_SAMPLES = 500
# A description is made from the measurement; an analysis needs only the file.
LOADED_WITH_SAMPLE = {DESCRIBE: (joinedload(Sample.features),)}


@dataclass(frozen=True)
class ChosenSamples:
    """The samples that were ticked, or that a search finds, up to `MAX_SAMPLES` of them."""

    samples: list[Sample]  # without those that are under way
    under_way: int
    total: int
    is_more: bool  # more were chosen than `total`
    next_args: dict[str, str] | None  # the form values that choose the next samples; None when these are all


@dataclass(frozen=True)
class OutcomesWithoutModel:
    """How many descriptions would change, and why the others would not, while no model may be asked."""

    written: int  # rules write a new one
    answered: int  # a model's earlier answer, already paid for, is used again
    unchanged: int  # rules wrote it from exactly these figures
    kept: int  # a model wrote it, and rules do not replace it while the user allows models


def choose_samples(user: User, given: MultiDict[str, str], purpose: str) -> ChosenSamples:
    """Return the samples that the library's form chose.

    With `all` these are the results of its search, otherwise the samples whose ids it lists as `sample`.
    """
    options = _options_for(purpose)
    if given.get("all"):
        query = with_learned_words(user, SampleQuery.from_args(given))
        found = find_samples(user, query, given.get("after"), MAX_SAMPLES, options)
        samples, total, is_more, next_args = found.samples, found.total, found.is_more, None
        if found.next_after is not None:
            next_args = query.to_args() | {"all": "1", "after": found.next_after, "purpose": purpose}
    else:
        ids = set(given.getlist("sample"))
        own = Sample.user_id == user.id, Sample.deleted_at.is_(None), Sample.id.in_(ids)
        rows = select(Sample).where(*own).order_by(Sample.id.desc()).limit(MAX_SAMPLES).options(*options)
        samples, total, is_more, next_args = list(db.session.scalars(rows)), len(ids), False, None
    unfinished = reprocess.unfinished_jobs([sample.id for sample in samples], purpose)
    waiting = [sample for sample in samples if sample.id not in unfinished]
    return ChosenSamples(waiting, len(unfinished), total, is_more, next_args)


def outcomes_without_model(
    user: User, samples: Sequence[Sample], answered: Collection[str]
) -> OutcomesWithoutModel:
    """Return how the jobs for these samples would end while no model may be asked.

    `answered` are the ids of samples for which an earlier answer of a model is saved. The jobs decide in
    the same way: rules replace a model's words only for users who have switched models off.
    """
    counts = Counter(_outcome(user, sample, sample.id in answered) for sample in samples)
    return OutcomesWithoutModel(**{each.name: counts[each.name] for each in fields(OutcomesWithoutModel)})


def _options_for(purpose: str) -> tuple[ExecutableOption, ...]:
    """Load the measurements with the samples when a question to a model is made from each of them."""
    return LOADED_WITH_SAMPLE.get(purpose, ())


def _outcome(user: User, sample: Sample, is_answered: bool) -> str:
    """Return the field of `OutcomesWithoutModel` that counts this sample."""
    by_model = is_by_model(sample)
    if is_answered and (not by_model or changed_figures(sample) or has_old_description(sample)):
        return "answered"
    if by_model and user.ai_allowed:
        return "kept"
    return "unchanged" if _is_unchanged(sample) else "written"


def _is_unchanged(sample: Sample) -> bool:
    """Say whether rules would write the same again; certain only when the description's figures are known."""
    has_figures = not is_by_model(sample) and "figures" in sample.described
    return has_figures and not has_old_description(sample) and not changed_figures(sample)
