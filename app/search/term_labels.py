"""Say in words what a search was understood as, for the chips and the line above the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from app.search.ranking import SORT_ORDERS, effective_terms
from app.search.search_rows import DESCRIPTION_FIELDS
from app.search.sentence_parser import Term
from app.vibe.vocabulary import AXIS_ENDS

MAX_LISTED_KEYS = 4  # a whole mode has twelve
FIELD_LABELS = {"use": "good for"}  # where a chip does not show the field's own name


def term_label(term: Term) -> str:
    """Return a term in words: `loop`, `from 120 BPM`, `not kick`, `darkest first`."""
    excludes_word = term.field == "boost" and term.negated  # then it is a word and no order
    said = term.value[0] if excludes_word else TERM_LABELS[term.field](*term.value)
    guessed = f" (AI guess, from “{term.guess}”)" if term.guess else ""
    return f"{'not ' if term.negated else ''}{said}{guessed}"


def order_label(sort: str, terms: Sequence[Term]) -> str:
    """Return the order in words, `dusty and darkest first`; empty when the sentence asks for no order."""
    ranked = effective_terms(terms)
    if sort and ranked:
        return f"{SORT_ORDERS[sort].label}, as chosen"
    labels = [TERM_LABELS[term.field](*term.value).rpartition(" ") for term in ranked]
    ends = {place: [word for word, _, end in labels if end == place] for place in ("first", "last")}
    return ", ".join(f"{_join_words(words)} {place}" for place, words in ends.items() if words)


def tempo_label(low: float | None, high: float | None) -> str:
    """Return a tempo range in words: `from 120 BPM`; empty without bounds."""
    return _range_label(low, high, "BPM") if (low, high) != (None, None) else ""


def length_label(low: float | None, high: float | None) -> str:
    """Return a range of lengths in words: `up to 1 s`; empty without bounds."""
    return _range_label(low, high, "s") if (low, high) != (None, None) else ""


def _join_words(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def _range_label(low: float | None, high: float | None, unit: str) -> str:
    if low is None or high is None:
        return f"{'up to' if low is None else 'from'} {high if low is None else low:g} {unit}"
    return f"{low:g}–{high:g} {unit}"


def _either_label(field: str, *names: str) -> str:
    return f"{field}: {' or '.join(names)}"


def _property_label(name: str, is_there: bool) -> str:
    noun = {"bpm": "tempo"}.get(name, name)
    return f"has {'tags' if name == 'tags' else f'a {noun}'}" if is_there else f"no {noun}"


def _key_label(*names: str) -> str:
    return f"any {names[0].split()[1]} key" if len(names) > MAX_LISTED_KEYS else " or ".join(names)


TERM_LABELS: dict[str, Callable[..., str]] = {
    "bpm": tempo_label,
    "seconds": lambda low, high: _range_label(low, high, "s"),
    "bars": lambda count: f"{count} bars",
    "sound": str,
    "break": lambda _: "drum loop or “break”",
    "word": lambda *spellings: f"“{spellings[0]}”",
    "kind": lambda kind, *_: str(kind),
    "riser": lambda _: "texture or fx",
    "key": _key_label,
    "liked": lambda _: "liked",
    "days": lambda count: "today" if count == 1 else f"the last {count} days",
    "format": str,
    "has": _property_label,
    "rank": lambda axis, weight: f"{AXIS_ENDS[axis][weight < 0]} first",
    "sort": lambda date: f"{date} first",
    "boost": lambda word, weight: f"{word} {'last' if weight < 0 else 'first'}",
    **{field: partial(_either_label, FIELD_LABELS.get(field, field)) for field in DESCRIPTION_FIELDS},
}
