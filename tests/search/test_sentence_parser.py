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
def test_a_piece_knows_its_words_and_without_them_it_is_gone(sentence: str) -> None:
    pieces = sentence_parser.parse_sentence(sentence)
    for piece in pieces:
        assert sentence[piece.start : piece.end].strip(), piece
        rest = sentence_parser.parse_sentence(sentence_parser.remove_term(sentence, piece))
        assert len(rest) < len(pieces), (piece, sentence_parser.remove_term(sentence, piece))


@given(st.text(max_size=250))
def test_whatever_is_typed_can_be_read(sentence: str) -> None:
    pieces = sentence_parser.parse_sentence(sentence)
    assert len(pieces) <= sentence_parser.MAX_TERMS
    ends = [0, *(piece.end for piece in pieces)]
    assert all(before <= piece.start < piece.end for before, piece in zip(ends, pieces, strict=False))


def test_the_library_asks_for_the_kinds_and_sounds_there_are() -> None:
    assert set(synonyms.KINDS) == set(KINDS)
    assert set(synonyms.SOUNDS) - set(synonyms.FAMILIES) == set(SOUNDS)
