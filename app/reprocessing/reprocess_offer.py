"""Which samples are to be analysed or described again, and whether one of them has grown old."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from app.audio.version import ENGINE_VERSION
from app.extensions import db
from app.jobs import reprocess
from app.models import Sample, User
from app.reprocessing.reprocess_purposes import ANALYSE, DESCRIBE
from app.search import sample_search as search
from app.vibe import vibe_prompt, vibe_schema
from app.vibe.sound_description import BY_RULES

MAX_SAMPLES = 500
SHOWN_PRECISION_BPM = 0.1
PURPOSES = (DESCRIBE, ANALYSE)


@dataclass(frozen=True)
class ChosenSamples:
    """What was ticked, or everything that a search finds, as far as one request takes it."""

    samples: list[Sample]  # without those that are under way
    under_way: int
    total: int
    rest: dict[str, str] | None  # what asks for the next ones, when these are not all


@dataclass(frozen=True)
class OutcomesWithoutModel:
    """What becomes of so many descriptions while no model may be asked."""

    written: int
    answered: int  # by what a model has said of the same before, which was paid for
    same: int  # rules said this of the very same figures
    kept: int  # a model's words, which rules that stand in for it leave alone


@dataclass(frozen=True)
class SampleAge:
    """What of a sample is older than what is known today, and which purposes are under way."""

    words: bool
    engine: bool
    written_for: dict[str, Any]  # the figures of the description that have been corrected or measured anew
    under_way: tuple[str, ...]


def choose_samples(user: User, given: MultiDict[str, str], purpose: str) -> ChosenSamples:
    """By the form of the library: `all` for the whole search, otherwise each `sample`."""
    if given.get("all"):
        query = search.with_learned_words(user, search.SampleQuery.from_args(given))
        found = search.find_samples(user, query, given.get("after"), MAX_SAMPLES)
        samples, total, rest = found.samples, found.total, None
        if found.next_after is not None:
            rest = query.to_args() | {"all": "1", "after": found.next_after, "purpose": purpose}
    else:
        ids = set(given.getlist("sample"))
        mine = Sample.user_id == user.id, Sample.deleted_at.is_(None), Sample.id.in_(ids)
        rows = select(Sample).where(*mine).order_by(Sample.id.desc())
        samples, total, rest = list(db.session.scalars(rows.limit(MAX_SAMPLES))), len(ids), None
    busy = reprocess.unfinished_jobs([sample.id for sample in samples], purpose)
    return ChosenSamples([sample for sample in samples if sample.id not in busy], len(busy), total, rest)


def outcomes_without_model(
    user: User, samples: Sequence[Sample], answered: Collection[str]
) -> OutcomesWithoutModel:
    """As the outcome of the jobs will be: only who wants no models has a model's words replaced by rules."""
    fates = Counter(_outcome(user, sample, sample.id in answered) for sample in samples)
    return OutcomesWithoutModel(**{each.name: fates[each.name] for each in fields(OutcomesWithoutModel)})


def _outcome(user: User, sample: Sample, is_answered: bool) -> str:
    is_by_model = _describer(sample) != BY_RULES
    if is_answered and (not is_by_model or _changed_figures(sample) or _has_old_description(sample)):
        return "answered"
    if is_by_model and user.ai_allowed:
        return "kept"
    return "same" if _is_unchanged(sample) else "written"


def sample_age(sample: Sample) -> SampleAge:
    return SampleAge(
        words=_has_old_description(sample),
        engine=sample.features.engine_version != ENGINE_VERSION,
        written_for=_changed_figures(sample),
        under_way=tuple(purpose for purpose in PURPOSES if reprocess.unfinished_jobs([sample.id], purpose)),
    )


def _describer(sample: Sample) -> str:
    """Who described it; rules will, if nobody has."""
    return str(sample.described.get("source", BY_RULES))


def _is_unchanged(sample: Sample) -> bool:
    """Certain only of a description that knows its figures."""
    is_told = _describer(sample) == BY_RULES and "figures" in sample.described
    return is_told and not _has_old_description(sample) and not _changed_figures(sample)


def _changed_figures(sample: Sample) -> dict[str, Any]:
    """The figures it was described by that are in force no longer; older rows don't know theirs."""
    was = sample.described.get("figures", {})
    return {name: each for name, each in was.items() if _differs(each, getattr(sample, name))}


def _differs(was: Any, now: Any) -> bool:
    """As precise as pages are: nobody is told of 93.0 BPM that it was 93.02."""
    if isinstance(was, float) and isinstance(now, float):
        return abs(was - now) >= SHOWN_PRECISION_BPM
    return bool(was != now)


def _has_old_description(sample: Sample) -> bool:
    words = sample.described
    if not words:
        return False
    by_model = _describer(sample) != BY_RULES
    prompt_is_old = by_model and (words.get("prompt_version") or 0) < vibe_prompt.PROMPT_VERSION
    return prompt_is_old or words.get("schema_version", 0) < vibe_schema.SCHEMA_VERSION
