"""Step 2 of a search: parse a sentence such as `dusty 90 bpm drum loops in A minor, not too bright`.

The sentence is read from left to right. At each place the rules of `sentence_rules` are tried in turn; the
first that matches makes a term, which remembers the words it came from. A word that no rule knows becomes a
term to search for. A `not` skips words like `the` and `with` and negates the next term, so it is never lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from app.music.sound_classes import TEXTURE
from app.search.folded_sentence import FoldedSentence
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
QUOTED_TEXT = re.compile('["“”„‟＂][^"“”„‟＂]*["“”„‟＂]')
DEGREES = {"very": 2.0, "really": 2.0, "super": 2.0, "extremely": 2.0} | dict.fromkeys(
    ("abit", "alittle", "slightly", "kindof", "kinda"), 0.5
)

OPPOSITE_ORDER = {"newest": "oldest", "oldest": "newest"}


@dataclass(frozen=True)
class Term:
    """One thing a sentence asks for: a field, its value, and the place in the sentence that says so."""

    field: str
    value: tuple[Any, ...]
    start: int
    end: int
    negated: bool = False
    guess: str = ""  # the unknown word, when a model has explained it by this term

    @property
    def is_ranking(self) -> bool:
        """Whether the term only sorts. A negated term, such as `not dusty`, excludes samples instead."""
        return self.field in ("rank", "boost", "sort") and not self.negated


@lru_cache(maxsize=256)
def parse_sentence(sentence: str) -> tuple[Term, ...]:
    """Return the terms of a sentence in their order, at most `MAX_TERMS`."""
    source, found, at = FoldedSentence(sentence[:MAX_SENTENCE_LENGTH]), list[Term](), 0
    text = source.text
    refused, denial = False, None  # `denial` is the place of a `not` that still waits for its word
    while (gap := SEPARATOR.match(text, at)) is not None and gap.end() < len(text) and len(found) < MAX_TERMS:
        prefix = PREFIX.match(text, gap.end())
        assert prefix is not None  # noqa: S101  every part of the pattern is optional, so it always matches
        start = gap.end() if denial is None else denial
        says_nor = strip_separators(gap["more"]) == "nor"
        refused = bool(prefix["no"]) or denial is not None or says_nor or (refused and bool(gap["more"]))
        value, end = _match_rules(text, prefix.end(), refused)
        if value is not None:
            degree = prefix["degree"] or (prefix["no"] if strip_separators(prefix["no"]) == "less" else None)
            if value[0] == "word":
                value = "word", (source.typed_word(prefix.end(), end), *value[1][1:])
            found.append(build_term(value, *source.span(start, end), refused, degree))
        denial = start if refused and value is None else None
        at = end
    return _settle_textures(found)


def build_term(found: FieldValue, start: int, end: int, negated: bool, degree: str | None = None) -> Term:
    """Return the term for a value that was found, negated or weighted by the words before it.

    Where the opposite can be asked for, negating asks for it: `not bright` ranks dark sounds first, `not
    faster than 100` is a range up to 100, `not newest` is oldest, and "not in a key" means "has no key".
    `not too dusty` sorts dusty sounds last, while `not dusty` excludes them.
    """
    term = Term(*found, start, end, negated)
    if term.field == "rank" or (term.field == "boost" and not (negated and degree is None)):
        axis, weight = term.value
        weight *= DEGREES.get(strip_separators(degree), 1)
        return replace(term, value=(axis, -weight if negated else weight), negated=False)
    if term.field == "sort" and negated:
        return replace(term, value=(OPPOSITE_ORDER[term.value[0]],), negated=False)
    if term.field == "has" and negated:
        name, is_there = term.value
        return replace(term, value=(name, not is_there), negated=False)
    if term.field in ("bpm", "seconds") and negated and None in term.value:
        return replace(term, value=term.value[::-1], negated=False)
    return term


def _settle_textures(terms: list[Term]) -> tuple[Term, ...]:
    """Exclude only the word in `textures, no drones`, which else would exclude what it asks for."""
    wants_textures = any(_asks_for_texture(term) and not term.negated for term in terms)
    return tuple(
        replace(term, field="word", value=(term.value[-1],))
        if wants_textures and term.negated and _asks_for_texture(term)
        else term
        for term in terms
    )


def _asks_for_texture(term: Term) -> bool:
    return term.field == "riser" or (term.field == "kind" and term.value[0] == TEXTURE)


def remove_term(sentence: str, term: Term) -> str:
    """Return the sentence without the words of one term."""
    rest = f"{sentence[: term.start]} {sentence[term.end :]}"
    return re.sub(r"\s+", " ", re.sub(r"\s+(?=,)|(?:^|,)\s*(?=,)|^[\s,]+|[\s,]+$", "", rest)).strip(" ,")


def quote_term(sentence: str, term: Term) -> str:
    """Return the sentence with the word of one term in quotation marks, so that it is searched literally."""
    words = re.sub(r"^(.*\s|-)?(\S+?)\.*$", r'\1"\2"', sentence[term.start : term.end])
    return f"{sentence[: term.start]}{words}{sentence[term.end :]}"


def _match_rules(text: str, at: int, refused: bool) -> tuple[FieldValue | None, int]:
    """Return what the text means at one place, or None, and where to read on."""
    for pattern, make in SENTENCE_RULES:
        match = pattern.match(text, at)
        found = make(match) if match is not None else None
        if match is not None and found is not None:
            return found, match.end()
    word = PLAIN_WORD.match(text, at)
    return (search_word(word[0].rstrip("."), refused), word.end()) if word is not None else (None, at + 1)
