"""What a sentence asks of a bank: its layout, tempo and key, and words that sounds should meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func

from app.models import User
from app.models.search_row import SearchRow
from app.search.condition import Condition
from app.search.conditions import CONDITION_BUILDERS, term_conditions
from app.search.sample_query import SampleQuery, with_learned_words
from app.search.sentence_parser import Term
from app.sp404.bank_layouts import DEFAULT_LAYOUT, BankLayout, layout_in_sentence
from app.sp404.fresh_pad import tempo_for_pad

# What a layout decides, or the tempo and the key of the bank
_NOT_WORDS = ("bpm", "key", "kind", "sound", "riser", "break", "sort", "bars", "seconds")


@dataclass(frozen=True)
class FillWishes:
    """What a bank should be filled with."""

    layout: BankLayout
    bpm: float | None = None
    key: str | None = None
    terms: tuple[Term, ...] = ()

    @property
    def required(self) -> list[Condition]:
        """What every sound must meet: that it is none of what the sentence excludes."""
        return term_conditions(term for term in self.terms if term.negated and term.field != "sort")

    @property
    def preferred(self) -> list[ColumnElement[Any]]:
        """How well a row meets each word of the sentence, 0 to 1."""
        return [_share(term) for term in self._words]

    @property
    def named(self) -> list[Condition]:
        """The words that the inverted index knows."""
        found = [CONDITION_BUILDERS[term.field](*term.value) for term in self._words if term.field != "rank"]
        return [condition for condition in found if condition.groups]

    @property
    def _words(self) -> list[Term]:
        return [term for term in self.terms if not term.negated and term.field not in _NOT_WORDS]


def wishes_of_sentence(user: User, sentence: str) -> FillWishes:
    """Return what a sentence asks for, such as "dusty boom bap kit around 90 in A minor"."""
    layout, rest = layout_in_sentence(sentence)
    terms = with_learned_words(user, SampleQuery(ask=rest)).terms
    tempi = [term.value for term in terms if term.field == "bpm" and not term.negated]
    keys = [term.value for term in terms if term.field == "key" and not term.negated]
    bpm = _middle(tempi[0]) if tempi else None
    return FillWishes(layout or DEFAULT_LAYOUT, bpm, keys[0][0] if keys else None, terms)


def _middle(bounds: Sequence[float | None]) -> float | None:
    known = [bound for bound in bounds[:2] if bound]
    return tempo_for_pad(sum(known) / len(known)) if known else None


def _share(term: Term) -> ColumnElement[Any]:
    """Return how well a row meets a term: where it lies on an axis, or whether it meets it at all."""
    if term.field == "rank":
        axis, weight = term.value
        score = func.coalesce(getattr(SearchRow, f"{axis}_score"), 0.0)
        return score if weight > 0 else 1.0 - score
    met = CONDITION_BUILDERS[term.field](*term.value).exact
    if term.field == "boost" and term.value[1] < 0:
        return case((met, 0.0), else_=1.0)
    return case((and_(met), 1.0), else_=0.0)
