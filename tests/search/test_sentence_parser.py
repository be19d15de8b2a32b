"""Reading a sentence: what is understood, from which words, and what is left over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.music.sound_classes import KINDS, SOUNDS
from app.search import sentence_parser, synonyms
from tests.search.sentences import HELD_OUT, SENTENCES, told


@pytest.mark.parametrize(("sentence", "expected"), SENTENCES.items())
def test_a_sentence_means_what_a_producer_means(sentence: str, expected: str) -> None:
    assert told(sentence_parser.parse_sentence(sentence)) == expected


@pytest.mark.parametrize(("sentence", "expected"), HELD_OUT.items())
def test_sentences_the_rules_were_not_made_from(sentence: str, expected: str) -> None:
    assert told(sentence_parser.parse_sentence(sentence)) == expected


@pytest.mark.parametrize("sentence", [*SENTENCES, *HELD_OUT])
def test_a_term_knows_its_words_and_without_them_it_is_gone(sentence: str) -> None:
    terms = sentence_parser.parse_sentence(sentence)
    for term in terms:
        assert sentence[term.start : term.end].strip(), term
        rest = sentence_parser.parse_sentence(sentence_parser.remove_term(sentence, term))
        assert len(rest) < len(terms), (term, sentence_parser.remove_term(sentence, term))


@given(st.text(max_size=250))
def test_whatever_is_typed_can_be_read(sentence: str) -> None:
    terms = sentence_parser.parse_sentence(sentence)
    assert len(terms) <= sentence_parser.MAX_TERMS
    ends = [0, *(term.end for term in terms)]
    assert all(before <= term.start < term.end for before, term in zip(ends, terms, strict=False))


def test_the_library_asks_for_the_kinds_and_sounds_there_are() -> None:
    assert set(synonyms.KINDS) == set(KINDS)
    assert set(synonyms.SOUNDS) - set(synonyms.FAMILIES) == set(SOUNDS)
