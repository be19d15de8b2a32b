"""Searches find a name however its letters are typed: accents, case, width and normal form."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.library.samples import edit_sample
from app.models import Sample, User
from app.models.base import transaction
from app.models.text_folding import fold_text
from app.search import facets
from app.search.chips import search_chips
from app.search.indexing import follow_changes
from app.search.learned_words import parse_with_meanings, question_key, unknown_words
from app.search.sample_query import SampleQuery
from app.search.sample_search import find_samples
from app.search.sentence_parser import parse_sentence, quote_term, remove_term
from tests.search.languages import NAMES, ways_to_type
from tests.search.test_text_conditions import names, shelve


@pytest.mark.parametrize("language", NAMES)
def test_a_name_and_what_is_typed_for_it_fold_to_the_same(language: str) -> None:
    name, typed = NAMES[language]
    shown = "".join(" " if each in ',·¿?“”"' else each for each in name)
    folded = " ".join(fold_text(shown).split())
    assert fold_text(typed) in folded.replace(" - ", " ")
    for way in ways_to_type(name, typed)[2:7]:
        assert fold_text(way) == fold_text(name), ascii(way)


@given(st.text(max_size=40))
def test_folding_is_stable_and_the_same_for_every_normal_form(text: str) -> None:
    folded = fold_text(text)
    assert fold_text(folded) == folded
    assert fold_text(text.casefold()) == folded
    for form in ("NFC", "NFD"):
        assert fold_text(unicodedata.normalize(form, text)) == folded


@pytest.mark.parametrize("pair", ["か が", "ハ パ", "कि कु", "กา กี", "о а", "l i", "ش س"])
def test_letters_that_are_no_accents_stay_apart(pair: str) -> None:
    first, second = pair.split()
    assert fold_text(first) != fold_text(second)


def found_by_each_way(owner: User) -> dict[str, list[str]]:
    """Return, for each language, the ways to type its name that do not find it."""
    shelve(owner, {name: {} for name, _ in NAMES.values()})
    missed: dict[str, list[str]] = {}
    for language, (name, typed) in NAMES.items():
        for way in dict.fromkeys(ways_to_type(name, typed)):
            words = way.replace(",", " ").replace("·", " ").replace('"', " ")
            by_q = [each.name for each in find_samples(owner, SampleQuery(q=words), "").samples]
            by_ask = names(owner, way)[:1]
            named = by_ask or [each.name for each in facets.samples_named_so(owner, SampleQuery(ask=way))]
            own = unicodedata.normalize("NFC", name)
            if not any(unicodedata.normalize("NFC", each) == own for each in named):
                missed.setdefault(language, []).append(f"ask={way}")
            if not by_q and language not in ("Catalan", "Spanish", "typographic marks"):
                missed.setdefault(language, []).append(f"q={words}")
    return missed


def test_every_name_is_found_however_it_is_typed(owner: User) -> None:
    assert found_by_each_way(owner) == {}


def test_words_of_the_vocabulary_are_read_in_any_width_and_with_accents(owner: User) -> None:
    for sentence, plain in {
        "ｄｕｓｔｙ　９０ ｂｐｍ ｌｏｏｐｓ": "dusty 90 bpm loops",
        "dústy löops": "dusty loops",
        "٩٠ bpm": "90 bpm",
        "without ｋｉｃｋｓ": "without kicks",
        "－kick": "-kick",
    }.items():
        wanted = [(term.field, term.value, term.negated) for term in parse_sentence(plain)]
        assert [(term.field, term.value, term.negated) for term in parse_sentence(sentence)] == wanted


def test_terms_keep_their_places_in_the_sentence_as_it_was_typed() -> None:
    sentence = "cafe\u0301 ﬁne ｄｕｓｔｙ pure\u0301e"
    terms = parse_sentence(sentence)
    assert [sentence[term.start : term.end] for term in terms] == sentence.split()
    assert [term.value[0] for term in terms] == ["café", "fine", "dusty", "purée"]
    assert remove_term(sentence, terms[0]) == "ﬁne ｄｕｓｔｙ pure\u0301e"
    assert quote_term(sentence, terms[3]) == 'cafe\u0301 ﬁne ｄｕｓｔｙ "pure\u0301e"'
    assert [chip.label for chip in search_chips(SampleQuery(ask="“Déjà vu” -Café"))] == [
        "“déjà vu”",
        "not “café”",
    ]


def test_excluded_quoted_and_unfinished_words_are_folded(owner: User) -> None:
    shelve(owner, {"Café noir": {}, "Cafe blanc": {}, "Thé vert": {}})
    every = {"Café noir", "Cafe blanc", "Thé vert"}
    for typed in ("-café", "-CAFE", "-cafe\u0301", "－ｃａｆｅ", "not café"):
        assert set(names(owner, typed)) == {"Thé vert"}, typed
    for q in ("-café", "-cafe", "－café", "-“café”"):
        found = find_samples(owner, SampleQuery(q=q), "").samples
        assert {each.name for each in found} == {"Thé vert"}, q
    for typed in ('"cafe noir"', "“CAFÉ NOIR”", "＂café noir＂"):
        assert names(owner, typed) == ["Café noir"], typed
        assert [each.name for each in find_samples(owner, SampleQuery(q=typed), "").samples] == ["Café noir"]
    assert set(names(owner, "caf")) == set(names(owner, "CÀF")) == every - {"Thé vert"}


def test_a_sentence_finds_the_name_it_is_whole(owner: User) -> None:
    """Folding changes lengths, and any run of marks separates words."""
    for name, sentence in {
        "Maßstab ﬃ no loop": "massstab ffi no loop",
        "no - - - loop": "no loop",
        "no _(.-.)_ loop !": "no loop!",
        "İİİİ no loop": "iiii no loop",
    }.items():
        shelve(owner, {name: {}})
        follow_changes(owner.id)
        for typed in (sentence, name):
            assert name in [each.name for each in facets.samples_named_so(owner, SampleQuery(ask=typed))], (
                typed
            )
    assert [each.name for each in facets.samples_named_so(owner, SampleQuery(ask="wav no loop"))] == []


def test_sounds_and_moods_in_a_name_are_read_folded(owner: User) -> None:
    shelve(owner, {"Ｋｉｃｋ one": {}, "Sàd two": {}, "Three": {}})
    assert names(owner, "kick") == ["Ｋｉｃｋ one"]
    assert names(owner, "sad") == ["Sàd two"]


def test_tags_are_found_folded_and_stored_in_one_form(owner: User) -> None:
    shelf = shelve(owner, {"One": {}, "Two": {}})
    edit_sample(shelf["One"], tags="Café, CAFE\u0301, ｃａｆé, Ｌｏ　Ｆｉ, lo fi, ❤️, \u200b, 🫨")
    assert shelf["One"].tag_names == sorted(["café", "lo-fi", "❤️", "🫨"])
    for ask in ("cafe", "CAFÉ", "ｃａｆｅ"):
        assert names(owner, ask) == ["One"]
    for tag in ("café", "cafe\u0301", "CAFÉ", "Ｃafé"):
        assert [each.name for each in find_samples(owner, SampleQuery(tag=tag), "").samples] == ["One"], tag


def test_a_learned_word_is_known_however_it_is_typed(owner: User) -> None:
    keys = {
        question_key(owner, unknown_words(typed)[0]) for typed in ("zörb", "zo\u0308rb", "ZÖRB", "ｚｏｒｂ")
    }
    assert len(keys) == 1
    for typed in ("zörb", "zo\u0308rb", "ZÖRB"):
        [term] = parse_with_meanings(typed, {"zörb": ("mood: groovy",)})
        assert (term.field, term.value, term.guess) == ("mood", ("groovy",), "zörb")


def test_a_row_of_the_previous_version_is_searched_as_before(owner: User) -> None:
    shelf = shelve(owner, {"Plain Kick": {}})
    with transaction() as session:
        session.query(Sample).update({Sample.folded_text: None})
    assert names(owner, "plain") == ["Plain Kick"]
    assert shelf["Plain Kick"].name == "Plain Kick"
