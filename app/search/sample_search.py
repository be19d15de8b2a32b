"""What somebody asks of the library: words and filters from the address, and the matching rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from app.extensions import db
from app.models import Sample, Tag, User
from app.music import musical_keys
from app.music.sound_classes import KINDS, ONE_SHOT
from app.music.sound_words import sound_of_word
from app.search import conditions, learned_words, ranking
from app.search.learned_words import Meanings
from app.search.sentence_parser import MAX_SENTENCE_LENGTH, Term, quote_term, remove_term

PAGE_SIZE = 50
TEXT_TERM = re.compile(r'(-?)(?:"([^"]+)"|(\S+))')
MAX_TEXT_TERMS = 12
# Short spellings in a text search, and the word to look for as well.
TEXT_SYNONYMS = {
    **{
        word: str(sound_of_word(word))
        for word in ["bd", "bassdrum", "sd", "hh", "hat", "hihat", "cym", "perc"]
    },
    "vox": "vocal",
    "oneshot": ONE_SHOT,
    "min": "minor",
    "maj": "major",
}


class Chip(NamedTuple):
    """A condition in force, in words: the address that drops it, and what else can be done about it."""

    words: str
    without: dict[str, str]
    heard: str = ""  # the words of the sentence it was understood from
    instead: dict[str, str] | None = None  # the address with a filter in its place, to be changed by hand
    literal: dict[str, str] | None = None  # the address that looks for the word itself, not a model's guess


@dataclass(frozen=True)
class SampleQuery:
    """A search as the address carries it. Anything that makes no sense is dropped, never an error."""

    q: str = ""
    ask: str = ""
    kind: str = ""
    sound: str = ""
    key: str = ""
    compatible: bool = False
    bpm_min: float | None = None
    bpm_max: float | None = None
    tag: str = ""
    liked: bool = False
    sort: str = ""  # chosen by hand; otherwise as the sentence says
    # Not in the address: what the user's words were found to mean.
    learned: Meanings = field(default_factory=dict, compare=False)

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> SampleQuery:
        return cls(
            q=args.get("q", "").strip()[:200],
            ask=args.get("ask", "").strip()[:MAX_SENTENCE_LENGTH],
            kind=_one_of(args.get("kind"), KINDS),
            sound=args.get("sound", "")[:24],
            key=_one_of(args.get("key"), musical_keys.ALL_KEYS),
            compatible=args.get("compatible") == "1",
            bpm_min=_parse_number(args.get("bpm_min")),
            bpm_max=_parse_number(args.get("bpm_max")),
            tag=args.get("tag", "")[:40],
            liked=args.get("liked") == "1",
            sort=_one_of(args.get("sort"), tuple(ranking.SORT_ORDERS)),
        )

    def to_args(self, **changes: Any) -> dict[str, str]:
        """The address of this search with some values changed; empty ones are left out."""
        values = asdict(replace(self, **changes))
        del values["learned"]
        return {name: _to_text(value) for name, value in values.items() if value not in ("", None, False)}

    @property
    def tempo(self) -> tuple[float | None, float | None]:
        """From the lower to the higher, in whichever order they were given."""
        if self.bpm_min is None or self.bpm_max is None:
            return self.bpm_min, self.bpm_max
        return min(self.bpm_min, self.bpm_max), max(self.bpm_min, self.bpm_max)

    @property
    def pieces(self) -> tuple[Term, ...]:
        return learned_words.parse_with_meanings(self.ask, self.learned)

    @property
    def unheard(self) -> list[str]:
        """The words that a model was asked about and had nothing to say of."""
        return [word for word, means in self.learned.items() if not means]

    @property
    def ranking(self) -> str:
        """What a sentence that asks for an order is sorted by, in words."""
        return ranking.order_label(self.sort, self.pieces)

    def chips(self) -> list[Chip]:
        """Each condition in force: first the filters, then what was understood of the sentence."""
        return self._filters() + [self._understood(piece) for piece in self.pieces]

    def _understood(self, piece: Term) -> Chip:
        rest, words = remove_term(self.ask, piece), conditions.term_label(piece)
        if ranking.is_overridden(self.sort, self.pieces, piece):
            words += " (another order is chosen)"
        if piece.guess:
            literal = self.to_args(ask=quote_term(self.ask, piece))
            return Chip(words, self.to_args(ask=rest), piece.guess, literal=literal)
        filters = conditions.equal_filters(piece)
        instead = self.to_args(ask=rest, **filters) if filters else None
        return Chip(words, self.to_args(ask=rest), self.ask[piece.start : piece.end], instead)

    def _filters(self) -> list[Chip]:
        found: list[tuple[str, dict[str, Any]]] = [
            (f"“{self.q}”" if self.q else "", {"q": ""}),
            (self.kind, {"kind": ""}),
            (self.sound, {"sound": ""}),
            (
                f"{'around ' if self.compatible else ''}{self.key}" if self.key else "",
                {"key": "", "compatible": False},
            ),
            (conditions.tempo_label(*self.tempo), {"bpm_min": None, "bpm_max": None}),
            (f"#{self.tag}" if self.tag else "", {"tag": ""}),
            ("liked" if self.liked else "", {"liked": False}),
        ]
        return [Chip(words, self.to_args(**dropped)) for words, dropped in found if words]


@dataclass(frozen=True)
class SamplePage:
    samples: list[Sample]
    next_after: str | None
    total: int


def with_learned_words(user: User, query: SampleQuery) -> SampleQuery:
    """The search with what this user's words were found to mean."""
    return replace(query, learned=learned_words.known_meanings(user, query.ask))


def find_samples(user: User, query: SampleQuery, after: str | None, limit: int = PAGE_SIZE) -> SamplePage:
    """One page of the user's samples, continued after the sample with that id."""
    wanted = row_conditions(user, query)
    rows = db.session.scalars(_page_rows(select(Sample).where(*wanted), user, query, after, limit)).all()
    more = len(rows) > limit
    return SamplePage(list(rows[:limit]), rows[limit - 1].id if more else None, count_samples(user, query))


def is_page_start(user: User, after: str) -> bool:
    """Whether a page can continue there: the sample is still known, be it deleted since."""
    known = select(Sample.id).where(Sample.id == after, Sample.user_id == user.id)
    return db.session.scalar(known) is not None


def count_samples(user: User, query: SampleQuery) -> int:
    counted = select(func.count()).select_from(Sample).where(*row_conditions(user, query))
    return db.session.scalar(counted) or 0


def row_conditions(user: User, query: SampleQuery) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [Sample.user_id == user.id, Sample.deleted_at.is_(None)]
    wanted += [_matches_text(term) for term in TEXT_TERM.finditer(query.q.casefold()[:200])][:MAX_TEXT_TERMS]
    wanted += conditions.term_conditions(query.pieces)
    if query.kind:
        wanted.append(Sample.kind == query.kind)
    if query.sound:
        wanted.append(Sample.sound == query.sound)
    if query.key:
        wanted.append(
            Sample.key.in_(musical_keys.compatible_keys(query.key) if query.compatible else [query.key])
        )
    low, high = query.tempo
    if low is not None:
        wanted.append(Sample.bpm >= low)
    if high is not None:
        wanted.append(Sample.bpm <= high)
    if query.tag:
        wanted.append(Sample.tags.any(Tag.name == query.tag))
    if query.liked:
        wanted.append(Sample.liked.is_(True))
    return wanted


def _page_rows(
    rows: Select[Sample], user: User, query: SampleQuery, after: str | None, limit: int
) -> Select[Sample]:
    """Keyset paging: the next page starts where this one ended, whatever was added meanwhile."""
    _, column, descending = ranking.choose_order(query.sort, query.ask, query.pieces)
    if after:
        last = select(column).where(Sample.id == after, Sample.user_id == user.id).scalar_subquery()
        beyond = column < last if descending else column > last
        rows = rows.where(or_(beyond, and_(column == last, Sample.id < after)))
    return rows.order_by(column.desc() if descending else column.asc(), Sample.id.desc()).limit(limit + 1)


def _matches_text(term: re.Match[str]) -> ColumnElement[bool]:
    minus, phrase, word = term.groups()
    text = phrase or word
    spellings = {text, TEXT_SYNONYMS.get(text, text)}
    found = or_(*(Sample.search_text.contains(spelling, autoescape=True) for spelling in sorted(spellings)))
    return ~found if minus else found


def _one_of(value: str | None, allowed: tuple[str, ...]) -> str:
    return value if value in allowed else ""


def _parse_number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 < value < 1000 else None


def _to_text(value: Any) -> str:
    return "1" if value is True else f"{value:g}" if isinstance(value, float) else str(value)
