"""Step 1 of a search: read the address. Words and filters become a `SampleQuery`, and an address again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select

from app.extensions import db
from app.models import Collection, User
from app.models.sample_places import folder_path
from app.music import musical_keys, sound_classes
from app.search import learned_words
from app.search.learned_words import Meanings
from app.search.ranking import SORT_ORDERS
from app.search.sentence_parser import MAX_SENTENCE_LENGTH, Term

MAX_TEXT_LENGTH = 200
NOT_IN_ADDRESS = ("learned", "collection_name", "is_sort_remembered")
WORD = re.compile(r"[^\s,;.!?]+")


@dataclass(frozen=True)
class SampleQuery:
    """A search as the address carries it. Values that make no sense are dropped instead of refused."""

    q: str = ""
    ask: str = ""
    kind: str = ""
    sound: str = ""
    key: str = ""
    compatible: bool = False
    bpm_min: float | None = None
    bpm_max: float | None = None
    half_double: bool = False  # half and double the tempo too
    seconds_min: float | None = None
    seconds_max: float | None = None
    tag: str = ""
    liked: bool = False
    collection: str = ""  # an id
    folder: str = ""  # in the collection, with the folders below it
    sort: str = ""  # the order the user picked; empty leaves the order to the sentence
    # Not part of the address: what a model told this user about words of the sentence.
    learned: Meanings = field(default_factory=dict, compare=False)
    # Nor is this: the name of the collection; empty for one that the user does not have.
    collection_name: str = field(default="", compare=False)
    # Nor this: the order is the one that was chosen last, so addresses leave it out.
    is_sort_remembered: bool = field(default=False, compare=False)

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> SampleQuery:
        """Return the query that a request's arguments describe."""
        return cls(
            q=args.get("q", "").strip()[:MAX_TEXT_LENGTH],
            ask=args.get("ask", "").strip()[:MAX_SENTENCE_LENGTH],
            kind=_one_of(args.get("kind"), sound_classes.KINDS),
            sound=args.get("sound", "")[:24],
            key=_one_of(args.get("key"), musical_keys.ALL_KEYS),
            compatible=args.get("compatible") == "1",
            bpm_min=_parse_number(args.get("bpm_min")),
            bpm_max=_parse_number(args.get("bpm_max")),
            half_double=args.get("half_double") == "1",
            seconds_min=_parse_number(args.get("seconds_min")),
            seconds_max=_parse_number(args.get("seconds_max")),
            tag=args.get("tag", "")[:40],
            liked=args.get("liked") == "1",
            collection=args.get("collection", "")[:26].upper(),
            folder=folder_path(args.get("folder")) if args.get("collection") else "",
            sort=_one_of(args.get("sort"), tuple(SORT_ORDERS)),
        )

    def to_args(self, **changes: Any) -> dict[str, str]:
        """Return the arguments of this search with some values changed; empty values are left out."""
        unnamed = {"sort": ""} if self.is_sort_remembered else {}
        values = vars(self) | unnamed | changes
        return {
            name: _to_text(value)
            for name, value in values.items()
            if value not in ("", None, False) and name not in NOT_IN_ADDRESS
        }

    @property
    def tempo(self) -> tuple[float | None, float | None]:
        """The tempo range from low to high in BPM, in whichever order the bounds were typed."""
        if self.bpm_min is None or self.bpm_max is None:
            return self.bpm_min, self.bpm_max
        return min(self.bpm_min, self.bpm_max), max(self.bpm_min, self.bpm_max)

    @property
    def terms(self) -> tuple[Term, ...]:
        """Return the terms of the sentence, with learned words replaced by their meanings."""
        return learned_words.parse_with_meanings(self.ask, self.learned)

    @property
    def unused_end(self) -> str:
        """The words at the end of the sentence that ask for nothing."""
        return self.words_between(max((term.end for term in self.terms), default=0), len(self.ask))

    def words_between(self, start: int, end: int) -> str:
        """Return the words of a part of the sentence, without what separates them."""
        return " ".join(WORD.findall(self.ask[start:end]))

    @property
    def unexplained_words(self) -> list[str]:
        """The words a model was asked about and had no meaning for."""
        return [word for word, means in self.learned.items() if not means]


def with_learned_words(user: User, query: SampleQuery) -> SampleQuery:
    """Return the query with what this user has learned about its words."""
    return replace(query, learned=learned_words.known_meanings(user, query.ask))


def with_collection_name(user: User, query: SampleQuery) -> SampleQuery:
    """Return the query with the name of its collection, for the words that say what was searched."""
    own = Collection.id == query.collection, Collection.user_id == user.id, Collection.deleted_at.is_(None)
    if not query.collection:
        return query
    return replace(query, collection_name=db.session.scalar(select(Collection.name).where(*own)) or "")


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
