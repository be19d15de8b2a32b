"""The words for sounds: every class has some, and no word means two."""

from __future__ import annotations

from collections import Counter

import pytest

from app.music import sound_words
from app.music.sound_classes import DRUMS, KINDS, SOUND_FAMILIES, SOUNDS

TABLES = (
    (sound_words.KIND_WORDS, sound_words.KIND_WORDS_IN_FILE_NAMES),
    (sound_words.KIND_WORDS, sound_words.KIND_WORDS_IN_SENTENCES),
    (sound_words.SOUND_WORDS, sound_words.SOUND_WORDS_IN_FILE_NAMES),
    (sound_words.SOUND_WORDS, sound_words.SOUND_WORDS_IN_SENTENCES),
)


def test_every_kind_and_class_has_words() -> None:
    assert set(sound_words.KIND_WORDS) == set(KINDS)
    assert tuple(sound_words.SOUND_WORDS) == SOUNDS
    assert set(sound_words.SOUND_WORDS_IN_SENTENCES) <= {*SOUNDS, *SOUND_FAMILIES}
    assert set(sound_words.SOUND_WORDS_IN_FILE_NAMES) <= set(SOUNDS)


@pytest.mark.parametrize("tables", TABLES)
def test_no_word_means_two_things(tables: tuple[sound_words.Words, ...]) -> None:
    merged = sound_words.merge_words(*tables)
    counts = Counter(word.replace(" ", "") for words in merged.values() for word in words)
    assert max(counts.values()) == 1


def test_merging_keeps_the_order_of_the_names() -> None:
    merged = sound_words.merge_words({"b": ("1",), "a": ("2",)}, {"c": ("3",), "b": ("4",)})
    assert merged == {"b": ("1", "4"), "a": ("2",), "c": ("3",)}
    assert list(merged) == ["b", "a", "c"]


@pytest.mark.parametrize(("word", "sound"), [("hihat", "hi-hat"), ("bass drum", "kick"), ("vibe", None)])
def test_a_word_leads_to_its_class(word: str, sound: str | None) -> None:
    assert sound_words.sound_of_word(word) == sound


def test_drums_are_a_family_of_classes() -> None:
    assert SOUND_FAMILIES["drums"] == DRUMS == SOUNDS[: len(DRUMS)]
