"""A sentence about sounds, read without anybody's help: `dusty 90 bpm drum loops in A minor, not too bright`.

The sentence is read from left to right. At each place the rules are tried in turn; a rule that fits makes a
piece, which remembers the words it came from. What no rule knows is a word to search for. A `not` looks past
`the` and `with` for what it denies, so that it is never lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from app.search.lexicon import FieldValue, strip_separators
from app.search.sentence_rules import PROPERTY, SENTENCE_RULES, search_word

MAX_SENTENCE_LENGTH = 200
MAX_TERMS = 24
SEPARATOR = re.compile(
    rf"(?:(?<=\w)-(?=\w))?[\s,;.!?]*(?P<more>(?:or|nor|and(?=\s+(?:an?\s+)?{PROPERTY}))\s+)?", re.I
)
PREFIX = re.compile(
    r"(?:(?P<no>-(?=[^\s-])|(?:without|w/o|not|no|except|excluding|never|neither|minus|lacking|lacks?|less(?!\s+than)"
    r"|nothing(?!\s+but)|(?:everything|anything|all) but|other than|apart from)\b"
    r"|(?:do|does|is|are|has|have)(?:n't| not)(?=\s+\w))\s*)?"
    r"(?:(?P<degree>too|very|really|super|extremely|so|a bit|a little|slightly|kind of|kinda|quite)\s+)?",
    re.I,
)
PLAIN_WORD = re.compile(r'[^\s,;!?"\0]+')
# As phones type them; one mark for one, so that every word keeps its place.
TYPOGRAPHIC_QUOTES = str.maketrans("“”„‘’", '"""\'\'')
QUOTED_TEXT = re.compile('["“”„][^"“”„]*["“”„]')
DEGREES = {"very": 2.0, "really": 2.0, "super": 2.0, "extremely": 2.0} | dict.fromkeys(
    ("abit", "alittle", "slightly", "kindof", "kinda"), 0.5
)

OPPOSITE_ORDER = {"newest": "oldest", "oldest": "newest"}


@dataclass(frozen=True)
class Term:
    """One thing that was understood: a field, what it should be, and where the sentence says so."""

    field: str
    value: tuple[Any, ...]
    start: int
    end: int
    negated: bool = False
    guess: str = ""  # the word that a model has read this into

    @property
    def is_ranking(self) -> bool:
        """Whether it only sorts; `not dusty` leaves out."""
        return self.field in ("rank", "soft", "sort") and not self.negated


@lru_cache(maxsize=256)
def parse_sentence(sentence: str) -> tuple[Term, ...]:
    """Everything a sentence asks for, in its order."""
    text, found, at = sentence[:MAX_SENTENCE_LENGTH].translate(TYPOGRAPHIC_QUOTES), list[Term](), 0
    refused, denial = False, None  # where a `not` stands that has not met its word yet
    while (gap := SEPARATOR.match(text, at)) is not None and gap.end() < len(text) and len(found) < MAX_TERMS:
        prefix = PREFIX.match(text, gap.end())
        assert prefix is not None  # noqa: S101  it may be empty, so it is always there
        start = gap.end() if denial is None else denial
        says_nor = strip_separators(gap["more"]) == "nor"
        refused = bool(prefix["no"]) or denial is not None or says_nor or (refused and bool(gap["more"]))
        value, end = _match_rules(text, prefix.end(), refused)
        if value is not None:
            degree = prefix["degree"] or (prefix["no"] if strip_separators(prefix["no"]) == "less" else None)
            found.append(build_term(value, start, end, refused, degree))
        denial = start if refused and value is None else None
        at = end
    return tuple(found)


def remove_term(sentence: str, piece: Term) -> str:
    """The sentence with the words of one piece cut out."""
    rest = f"{sentence[: piece.start]} {sentence[piece.end :]}"
    return re.sub(r"\s+", " ", re.sub(r"\s+(?=,)|(?:^|,)\s*(?=,)|^[\s,]+|[\s,]+$", "", rest)).strip(" ,")


def quote_term(sentence: str, piece: Term) -> str:
    """The sentence with the word of a piece in quotation marks, so that it is looked for as it is."""
    words = re.sub(r"^(.*\s|-)?(\S+?)\.*$", r'\1"\2"', sentence[piece.start : piece.end])
    return f"{sentence[: piece.start]}{words}{sentence[piece.end :]}"


def _match_rules(text: str, at: int, refused: bool) -> tuple[FieldValue | None, int]:
    for pattern, make in SENTENCE_RULES:
        match = pattern.match(text, at)
        found = make(match) if match is not None else None
        if match is not None and found is not None:
            return found, match.end()
    word = PLAIN_WORD.match(text, at)
    return (search_word(word[0].rstrip("."), refused), word.end()) if word is not None else (None, at + 1)


def build_term(found: FieldValue, start: int, end: int, negated: bool, degree: str | None = None) -> Term:
    """`not bright` is a wish for dark; a range that is not wanted from one side is wanted from the other;
    what is not to have a key is to have none.

    A character sorts, `not too dusty` too; but `not dusty` leaves out what is.
    """
    piece = Term(*found, start, end, negated)
    if piece.field == "rank" or (piece.field == "soft" and not (negated and degree is None)):
        axis, weight = piece.value
        weight *= DEGREES.get(strip_separators(degree), 1)
        return replace(piece, value=(axis, -weight if negated else weight), negated=False)
    if piece.field == "sort" and negated:
        return replace(piece, value=(OPPOSITE_ORDER[piece.value[0]],), negated=False)
    if piece.field == "has" and negated:
        what, there = piece.value
        return replace(piece, value=(what, not there), negated=False)
    if piece.field in ("bpm", "seconds") and negated and None in piece.value:
        return replace(piece, value=piece.value[::-1], negated=False)
    return piece
