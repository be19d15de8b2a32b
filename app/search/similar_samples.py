"""Find samples that sound like one sample, or like several, with the filters and the sentence in force."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Self

from sqlalchemy import and_, select

from app.audio.similarity import layout
from app.audio.similarity.reasons import CHANGES, SoundFigures, explain_likeness, match_percent
from app.extensions import db
from app.models import SampleVector, User
from app.models.search_row import NO_TEMPO, SearchRow
from app.music.sound_classes import LOOP
from app.search import indexing
from app.search.condition import Condition
from app.search.page_order import row_conditions
from app.search.sample_query import SampleQuery
from app.search.sample_search import PAGE_SIZE

MAX_SOURCES = 20
MAX_HITS = 200
FIGURES = (
    SearchRow.kind,
    SearchRow.duration_s,
    SearchRow.brightness,
    SearchRow.noisiness,
    SearchRow.punch,
    SearchRow.bpm,
    SearchRow.key,
)


class NoVectorError(Exception):
    """No source has a vector of the present version, so nothing can be compared with it."""


@dataclass(frozen=True)
class SimilarQuery:
    """What to look for around the sources: a preset, a change such as "brighter", and a search."""

    preset: str = layout.BALANCED
    but: str = ""
    search: SampleQuery = field(default_factory=SampleQuery)

    @classmethod
    def from_args(cls, args: Mapping[str, str], search: SampleQuery) -> Self:
        """Return the query of a request's arguments. Values that make no sense are dropped."""
        preset, but = args.get("preset", ""), args.get("but", "")
        return cls(
            preset if preset in layout.PRESETS else layout.BALANCED, but if but in CHANGES else "", search
        )

    def to_args(self, **changes: str) -> dict[str, str]:
        """Return the arguments of this query with some values changed, without those of the search."""
        values = {"preset": self.preset, "but": self.but} | changes
        return {name: value for name, value in values.items() if value and value != layout.BALANCED}


@dataclass(frozen=True)
class SimilarSample:
    """A sample that is like the source, by its id; `match` is 0 to 100."""

    sample_id: str
    distance: float
    match: int
    reason: str


@dataclass(frozen=True)
class SimilarSource:
    """The sound that others are compared with: a sample, or the mean of several."""

    vector: tuple[float, ...]
    figures: SoundFigures
    left_out: int = 0  # samples without a vector

    @property
    def presets(self) -> tuple[str, ...]:
        """The presets that tell its neighbours apart: only loops have a rhythm and a harmony."""
        is_loop = self.figures.kind in (LOOP, "")
        return tuple(
            name for name in layout.PRESETS if is_loop or name not in (layout.RHYTHM, layout.HARMONY)
        )

    @property
    def changes(self) -> tuple[str, ...]:
        """What "like this but …" can ask for: the figures it has."""
        return tuple(
            word for word, (trait, _) in CHANGES.items() if getattr(self.figures, trait.figure) is not None
        )


def read_source(user: User, ids: Collection[str]) -> SimilarSource:
    """Return the mean of the user's samples with these ids. Raises NoVectorError."""
    indexing.follow_changes(user.id)
    current = (
        SampleVector.sample_id == SearchRow.sample_id,
        SampleVector.version == layout.SIMILARITY_VERSION,
    )
    own = SearchRow.user_id == user.id, SearchRow.sample_id.in_(ids)
    rows = (
        select(SearchRow.sample_id, SampleVector.vector, *FIGURES)
        .join(SampleVector, and_(*current))
        .where(*own)
    )
    in_order = db.session.execute(rows.order_by(SearchRow.sample_id))
    found = [(layout.from_bytes(row.vector), _figures(row)) for row in in_order]
    if not found:
        raise NoVectorError
    vectors, figures = zip(*found, strict=True)
    mean = tuple(fmean(numbers) for numbers in zip(*vectors, strict=True))
    return SimilarSource(mean, SoundFigures.mean(figures), len(ids) - len(found))


def find_similar(
    user: User,
    source: SimilarSource,
    wanted: SimilarQuery,
    without: Collection[str],
    limit: int = PAGE_SIZE,
) -> list[SimilarSample]:
    """Return the user's samples that are most like the source, nearest first, all but the ones named."""
    # Here, because it loads numpy, which a process does without until somebody asks for similar sounds.
    from app.search import nearest

    conditions = [*row_conditions(wanted.search), Condition(SearchRow.sample_id.not_in(without))]
    conditions += [_clearly(wanted.but, source.figures)] if wanted.but in source.changes else []
    search = nearest.NeighbourSearch(user.id, wanted.preset, conditions, FIGURES)
    return [
        SimilarSample(
            each.row.sample_id,
            each.distance,
            match_percent(each.distance, wanted.preset, source.figures.kind),
            explain_likeness(each.blocks, source.figures, _figures(each.row), wanted.but),
        )
        for each in search.find_nearest(source.vector, limit)
    ]


def _clearly(change: str, figures: SoundFigures) -> Condition:
    """Require a figure that is clearly more, or less, than the source's."""
    trait, is_more = CHANGES[change]
    column = getattr(SearchRow, trait.figure)
    bound = trait.bound(getattr(figures, trait.figure), is_more)
    has_figure = column != NO_TEMPO if trait.figure == "bpm" else column.is_not(None)
    return Condition(and_(has_figure, column >= bound if is_more else column <= bound))


def _figures(row: Any) -> SoundFigures:
    values = {column.key: getattr(row, column.key) for column in FIGURES}
    bpm = None if row.bpm == NO_TEMPO else row.bpm
    return SoundFigures(**(values | {"bpm": bpm, "key": row.key or None}))
