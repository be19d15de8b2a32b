"""Search a library by each meaning that a model may give a word."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from app.models import Sample, User
from app.models.base import transaction
from app.music import sound_classes
from app.search import learned_words, synonyms, word_meanings
from app.search.sample_query import SampleQuery
from app.search.sample_search import find_samples
from app.search.sentence_parser import parse_sentence
from app.search.term_labels import term_label
from tests.search.sentences import terms_text
from tests.search.test_text_conditions import shelve

HEADNOD = ["mood: groovy", "mood: funky", "rank: punchiest"]


def test_learned_words_change_no_other_term() -> None:
    sentence = "very headnod, not glued loops -808"
    known = {"headnod": tuple(HEADNOD), "glued": ("rank: softest", "kind: loop"), "loops": ("mood: sad",)}
    assert terms_text(learned_words.parse_with_meanings(sentence, {})) == terms_text(parse_sentence(sentence))
    assert terms_text(learned_words.parse_with_meanings(sentence, known)) == (
        "mood groovy|funky; rank punch 1; rank punch 1; -kind loop; kind loop; -word 808"
    )
    assert learned_words.unknown_words(sentence) == ("headnod", "glued")
    assert learned_words.parse_with_meanings(
        "gone", {"gone": ("mood: of another version",)}
    ) == parse_sentence("gone")


def test_every_meaning_a_model_may_give_can_be_searched(app: Flask, owner: User) -> None:
    assert set(word_meanings.SOUNDS) == {*sound_classes.SOUNDS, *sound_classes.SOUND_FAMILIES}
    assert set(word_meanings.SOUNDS) >= synonyms.SOUNDS.keys()
    for meaning in word_meanings.MEANINGS:
        [term] = learned_words.parse_with_meanings("headnod", {"headnod": (meaning,)})
        assert term.guess == "headnod"
        assert term_label(term).endswith("(AI guess, from “headnod”)")
        find_samples(owner, SampleQuery(ask="headnod", learned={"headnod": (meaning,)}), "")


def test_either_of_two_meanings_of_a_word_matches(owner: User) -> None:
    shelve(owner, {"A": {}, "B": {}, "C": {}})
    with transaction() as session:
        for sample, sound in zip(session.scalars(select(Sample)), ("hi-hat", "cymbal", "kick"), strict=True):
            sample.correct(sound=sound, kind="one-shot")
    means = {"zizzly": ("sound: hi-hat", "sound: cymbal")}
    found = find_samples(owner, SampleQuery(ask="zizzly", learned=means), "").samples
    assert sorted(str(sample.sound) for sample in found) == ["cymbal", "hi-hat"]
    left_out = find_samples(owner, SampleQuery(ask="not zizzly", learned=means), "").samples
    assert [sample.sound for sample in left_out] == ["kick"]


def test_either_of_two_sounds_matches(owner: User) -> None:
    shelve(owner, {"A": {}, "B": {}, "C": {}})
    with transaction() as session:
        for sample, sound in zip(session.scalars(select(Sample)), ("kick", "pad", "clap"), strict=True):
            sample.correct(sound=sound, kind="one-shot")
    found = find_samples(owner, SampleQuery(ask="kicks or pads"), "").samples
    assert sorted(str(sample.sound) for sample in found) == ["kick", "pad"]


def test_in_a_minor_key_means_any_minor_key() -> None:
    [any_minor] = parse_sentence("in a minor key")
    assert (any_minor.field, len(any_minor.value)) == ("key", 12)
    [named] = parse_sentence("in A minor")
    assert named.value == ("A minor",)
