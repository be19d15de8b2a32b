"""Parsing a sentence: the terms it has, the words each came from, and the words left over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.music import sound_words
from app.music.sound_classes import KINDS, SEARCHABLE_SOUNDS
from app.search import sentence_parser, synonyms
from tests.search.sentences import HELD_OUT, SENTENCES, terms_text


@pytest.mark.parametrize(("sentence", "expected"), SENTENCES.items())
def test_a_sentence_is_understood_as_a_producer_means_it(sentence: str, expected: str) -> None:
    assert terms_text(sentence_parser.parse_sentence(sentence)) == expected


@pytest.mark.parametrize(("sentence", "expected"), HELD_OUT.items())
def test_held_out_sentences_are_understood(sentence: str, expected: str) -> None:
    assert terms_text(sentence_parser.parse_sentence(sentence)) == expected


@pytest.mark.parametrize("sentence", [*SENTENCES, *HELD_OUT])
def test_removing_the_words_of_a_term_removes_the_term(sentence: str) -> None:
    terms = sentence_parser.parse_sentence(sentence)
    for term in terms:
        assert sentence[term.start : term.end].strip(), term
        rest = sentence_parser.parse_sentence(sentence_parser.remove_term(sentence, term))
        assert len(rest) < len(terms), (term, sentence_parser.remove_term(sentence, term))


@given(st.text(max_size=250))
def test_any_text_can_be_parsed(sentence: str) -> None:
    terms = sentence_parser.parse_sentence(sentence)
    assert len(terms) <= sentence_parser.MAX_TERMS
    ends = [0, *(term.end for term in terms)]
    assert all(before <= term.start < term.end for before, term in zip(ends, terms, strict=False))


def test_every_kind_and_sound_has_synonyms() -> None:
    assert set(synonyms.KINDS) == set(KINDS)
    loops = {sound for sound, words in sound_words.LOOP_WORDS.items() if words}
    assert {*synonyms.SOUNDS, *loops} == {*SEARCHABLE_SOUNDS}
