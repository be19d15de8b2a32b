"""The words for sounds: every class has some, and no word means two."""

from __future__ import annotations

from collections import Counter

import pytest

from app.music import sound_words
from app.music.sound_classes import (
    DRUMS,
    HI_HAT,
    KINDS,
    LOOP,
    LOOP_SOUNDS,
    ONE_SHOT,
    ONE_SHOT_SOUNDS,
    SEARCHABLE_SOUNDS,
    SOUND_FAMILIES,
    STORED_SOUNDS,
    TEXTURE,
    fits_kind,
    sound_label,
    sounds_of_kind,
)

TABLES = (
    (sound_words.KIND_WORDS, sound_words.KIND_WORDS_IN_FILE_NAMES),
    (sound_words.KIND_WORDS, sound_words.KIND_WORDS_IN_SENTENCES),
    (sound_words.SOUND_WORDS, sound_words.SOUND_WORDS_IN_FILE_NAMES),
    (sound_words.SOUND_WORDS, sound_words.SOUND_WORDS_IN_SENTENCES),
)


def test_every_kind_and_class_has_words() -> None:
    assert set(sound_words.KIND_WORDS) == set(KINDS)
    assert tuple(sound_words.SOUND_WORDS) == (*ONE_SHOT_SOUNDS, HI_HAT)
    assert tuple(sound_words.LOOP_WORDS) == LOOP_SOUNDS
    assert set(sound_words.SOUND_WORDS_IN_SENTENCES) <= {*SEARCHABLE_SOUNDS}
    assert set(sound_words.SOUND_WORDS_IN_FILE_NAMES) <= {*ONE_SHOT_SOUNDS}


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


def test_families_hold_stored_classes() -> None:
    assert {*SOUND_FAMILIES["drums"]} == {*DRUMS, HI_HAT, "drums"}
    assert {*SOUND_FAMILIES[HI_HAT]} == {HI_HAT, "closed hat", "open hat"}


@pytest.mark.parametrize(
    ("kind", "sound", "label"),
    [
        (LOOP, "full mix", "full mix loop"),
        (LOOP, "drums", "drum loop"),
        (LOOP, "percussion", "perc loop"),
        (LOOP, None, "loop"),
        (ONE_SHOT, "closed hat", "closed hat"),
        (TEXTURE, None, "texture"),
    ],
)
def test_a_list_calls_a_sound_by_class_and_kind(kind: str, sound: str | None, label: str) -> None:
    assert sound_label(kind, sound) == label


def test_each_kind_has_its_classes() -> None:
    assert (sounds_of_kind(ONE_SHOT), sounds_of_kind(LOOP)) == (ONE_SHOT_SOUNDS, LOOP_SOUNDS)
    assert sounds_of_kind(TEXTURE) == ()
    assert [kind for kind in KINDS if fits_kind("percussion", kind)] == [LOOP, ONE_SHOT]
    assert [kind for kind in KINDS if fits_kind(HI_HAT, kind)] == [ONE_SHOT]
    assert all(any(fits_kind(sound, kind) for kind in KINDS) for sound in STORED_SOUNDS)
