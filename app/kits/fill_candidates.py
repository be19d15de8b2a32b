"""Read the sounds that may fill a bank: a bounded part of each class, in a library of any size."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, func, select, union

from app.audio.similarity import layout as vector_layout
from app.extensions import db
from app.kits.fill_wishes import FillWishes
from app.models import AudioFeatures, DuplicateMember, Sample, SampleVector, User
from app.models.search_row import NO_TEMPO, SearchRow
from app.search import indexing, matching
from app.search.condition import Condition, all_of
from app.search.conditions import one_of
from app.sp404.bank_layouts import WantedClass
from app.sp404.pad_candidates import Aim, PadCandidate, chance_of, fit_to_aim

SCANNED = 60
"""Of a class: so many of the newest, of those after a random place, and of those that meet a word."""
KEPT = 24
"""Of a class, those that suit the wishes best: their vectors are read and compared."""
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # of ids, in order
LIGHT = (SearchRow.sample_id, SearchRow.bpm, SearchRow.key)


class _LightRow(NamedTuple):
    sample_id: str
    rank: float


def read_pools(
    user: User, classes: Iterable[WantedClass], wishes: FillWishes, aim: Aim, without: Collection[str]
) -> dict[WantedClass, list[PadCandidate]]:
    """Return the candidates of each class, without samples that the kit has already.

    One query a class finds them by an index, and one more reads them all.
    """
    indexing.follow_changes(user.id)
    start = _random_place(user.id, aim.seed)
    wanted = list(dict.fromkeys(classes))
    words: dict[str, float] = {}
    ids = {each: _choose_rows(user.id, each, wishes, aim, start, without, words) for each in wanted}
    known = load_candidates(user, [each for chosen in ids.values() for each in chosen], words)
    return {each: [known[one] for one in chosen if one in known] for each, chosen in ids.items()}


def load_candidates(
    user: User, ids: Collection[str], words: Mapping[str, float] | None = None
) -> dict[str, PadCandidate]:
    """Return the user's samples with these ids as candidates; `words` says how well they suit a sentence."""
    if not ids:
        return {}
    current = SampleVector.version == vector_layout.SIMILARITY_VERSION
    rows = (
        select(
            *(Sample.id, Sample.kind, Sample.sound, Sample.bpm, Sample.key, Sample.liked, Sample.corrections),
            *(AudioFeatures.kind_confidence, AudioFeatures.bpm_confidence, AudioFeatures.brightness),
            AudioFeatures.measured["sound_confidence"].as_float().label("sound_confidence"),
            *(SampleVector.vector, DuplicateMember.group_id),
        )
        .join(AudioFeatures, AudioFeatures.sample_id == Sample.id)
        .outerjoin(SampleVector, and_(SampleVector.sample_id == Sample.id, current))
        .outerjoin(DuplicateMember, DuplicateMember.sample_id == Sample.id)
        .where(Sample.user_id == user.id, Sample.id.in_(ids), Sample.deleted_at.is_(None))
    )
    return {row.id: _candidate(row, (words or {}).get(row.id, 0.0)) for row in db.session.execute(rows)}


def _choose_rows(
    user_id: str,
    wanted: WantedClass,
    wishes: FillWishes,
    aim: Aim,
    start: str,
    without: Collection[str],
    words: dict[str, float],
) -> list[str]:
    """Return the ids of the rows of a class that suit the wishes best; note in `words` how well."""
    shares = [share.label(f"share_{place}") for place, share in enumerate(wishes.preferred)]
    found = select(*LIGHT, *shares).where(SearchRow.number.in_(_scanned_rows(user_id, wanted, wishes, start)))
    ranked: list[_LightRow] = []
    for row in db.session.execute(found):
        if row.sample_id in without:
            continue
        met = sum(row[len(LIGHT) :]) / len(shares) if shares else 0.0
        words[row.sample_id] = met
        bpm = None if row.bpm == NO_TEMPO else row.bpm
        fit = fit_to_aim(
            PadCandidate(row.sample_id, wanted.kind, wanted.sound, bpm=bpm, key=row.key or None), aim
        )
        ranked.append(_LightRow(row.sample_id, met + fit))
    ranked.sort(key=lambda each: (-each.rank, chance_of(each.sample_id, aim.seed or 1), each.sample_id))
    return [each.sample_id for each in ranked[:KEPT]]


def _scanned_rows(user_id: str, wanted: WantedClass, wishes: FillWishes, start: str) -> Select[Any]:
    """Return the numbers of the rows of a class that come into question."""
    is_class = Condition(and_(SearchRow.kind == wanted.kind, SearchRow.sound == wanted.sound))
    conditions = [is_class, *wishes.required]
    number, newest = SearchRow.number, SearchRow.sample_id.desc()
    rows = matching.walked(user_id, conditions, number)
    parts = [
        rows.order_by(newest).limit(SCANNED),
        rows.where(SearchRow.sample_id >= start).order_by(SearchRow.sample_id).limit(SCANNED),
    ]
    for named in wishes.named[:2]:
        by_word = all_of(
            one_of("kind", wanted.kind), *([one_of("sound", wanted.sound)] if wanted.sound else [])
        )
        met = matching.gathered(user_id, [*conditions, all_of(by_word, named)], number, limit=SCANNED)
        parts.append(met.order_by(number.desc()))
    return union(*(select(part.subquery()) for part in parts))  # type: ignore[return-value]  # a compound select


def _random_place(user_id: str, seed: int) -> str:
    """Return an id between the user's oldest and newest, by the seed; the oldest for seed 0."""
    own = select(func.min(SearchRow.sample_id), func.max(SearchRow.sample_id))
    oldest, newest = db.session.execute(
        own.where(SearchRow.user_id == user_id, SearchRow.live.is_(True))
    ).one()
    if oldest is None or not seed:
        return oldest or ""
    first, last = (_number_of(each) for each in (oldest, newest))
    return _id_of(random.Random(seed).randint(first, last), len(oldest))  # noqa: S311 - a shuffle that can be repeated, no secret


def _number_of(id_: str) -> int:
    number = 0
    for letter in id_:
        number = number * len(ALPHABET) + max(ALPHABET.find(letter), 0)
    return number


def _id_of(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, place = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[place])
    return "".join(reversed(letters))


def _candidate(row: Any, words: float) -> PadCandidate:
    """Return a row as a candidate. What its owner corrected is sure."""
    fixed = row.corrections or {}
    confidence = 1.0 if "sound" in fixed or "kind" in fixed else row.sound_confidence or 0.0
    if not row.sound:
        confidence = 1.0 if "kind" in fixed else row.kind_confidence
    vector: Sequence[float] = vector_layout.from_bytes(row.vector) if row.vector else ()
    vector = vector if any(vector) else ()  # all zeros for silence
    return PadCandidate(
        row.id,
        row.kind,
        row.sound or "",
        confidence=confidence,
        bpm=row.bpm,
        bpm_confidence=1.0 if "bpm" in fixed else row.bpm_confidence,
        key=row.key,
        brightness=row.brightness,
        words=words,
        liked=row.liked,
        vector=tuple(vector),
        group_id=row.group_id,
    )
