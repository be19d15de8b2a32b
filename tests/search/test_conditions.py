"""Which rows each condition finds; and that the inverted index never leaves one of them out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.models.base import utcnow
from app.models.search_row import NO_TEMPO, SearchRow
from app.search import index_terms
from app.search.condition import MAX_GROUPS, Condition, all_of, any_of, without_frequent
from app.search.conditions import CONDITION_BUILDERS, bpm_between, is_liked, length_between, term_conditions
from app.search.index_terms import trait
from app.search.search_rows import BARS_TOLERANCE, make_terms
from app.search.sentence_parser import Term, parse_sentence
from app.search.text_conditions import contains_text, name_contains, name_has_part

Rows = dict[str, dict[str, Any]]


def make_row(
    name: str,
    kind: str,
    sound: str = "",
    *,
    bpm: float | None = None,
    duration_s: float = 0.5,
    tags: Iterable[str] = (),
    traits: Iterable[str] = (),
    **values: Any,
) -> dict[str, Any]:
    """Return a row as `search_rows.make_row` makes it of a sample."""
    text = f"{name}\n{' '.join(tags)}"
    known = {"kind": kind, "sound": sound, "key": values.get("key", "")}
    every = [trait(field, value) for field, value in known.items() if value]
    every += [*traits, *(trait("tag", tag) for tag in tags), *(["liked"] if values.get("liked") else [])]
    every += index_terms.tempo_traits(bpm, duration_s, BARS_TOLERANCE)
    every += [trait("has" if bpm else "lacks", "bpm")]
    defaults = {"key": "", "liked": False, "created_at": utcnow()}
    return defaults | values | {
        "sample_id": name, "user_id": "somebody", "live": True, "cell": 1, "kind": kind, "sound": sound,
        "bpm": bpm or NO_TEMPO, "duration_s": duration_s, "name": name,
        "name_words": index_terms.frame_words(name), "words": index_terms.frame_words(text),
        "description_words": " ", "traits": index_terms.frame_traits(every), "text": text,
    }  # fmt: skip


ROWS: Rows = {
    row["name"]: row
    for row in (
        make_row("thump", "one-shot", "kick", key="A minor"),
        make_row("hh 1", "one-shot", "closed hat", liked=True, tags=["dusty"]),
        make_row("openhat 2", "one-shot", "fx"),
        make_row("hihat 3", "one-shot", "clap"),
        make_row("sidestick 4", "one-shot", "clap"),
        make_row("amen break", "loop", "full mix", bpm=90.0, duration_s=8 * 60 / 90),
        make_row(
            "drummy", "loop", "bass", bpm=120.0, duration_s=2.0, created_at=utcnow() - timedelta(days=8)
        ),
        make_row("groove", "loop", "drums", bpm=120.5, duration_s=4.0, traits=["era:1990s"]),
        make_row("rain", "texture", duration_s=30.0, traits=["era:1980s", "mood:dark"]),
        make_row("a loop of hail", "texture", duration_s=31.0),
    )
}


@pytest.fixture(scope="module")
def connection() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        SearchRow.metadata.create_all(connection, tables=[SearchRow.metadata.tables["search_rows"]])
        connection.execute(sa.insert(SearchRow), list(ROWS.values()))
        yield connection


def found(connection: sa.Connection, *conditions: Condition) -> set[str]:
    """Return the names of the rows that meet the conditions; the index has to name all of them."""
    query = sa.select(SearchRow.sample_id).where(*(each.exact for each in conditions))
    names = set(connection.scalars(query))
    for condition in conditions:
        for name in names:
            terms = set(make_terms(ROWS[name]).split())
            for group in condition.groups:
                assert {index_terms.hash_terms("somebody", [term]) for term in group} & terms, (name, group)
            assert all(ROWS[name][column] in values for column, values in condition.values.items())
    return names


def ask(connection: sa.Connection, sentence: str) -> set[str]:
    return found(connection, *term_conditions(parse_sentence(sentence)))


@pytest.mark.parametrize(
    ("low", "high", "names"),
    [
        (90.0, 90.0, {"amen break"}),
        (90.1, 119.9, set()),
        (90.0, 120.0, {"amen break", "drummy"}),
        (120.0, None, {"drummy", "groove"}),
        (120.1, 120.5, {"groove"}),
        (None, 119.9, {"amen break"}),
        (None, None, {"amen break", "drummy", "groove"}),
    ],
)
def test_a_tempo_lies_within_both_ends(
    connection: sa.Connection, low: float | None, high: float | None, names: set[str]
) -> None:
    assert found(connection, bpm_between(low, high)) == names


@pytest.mark.parametrize(
    ("low", "high", "names"),
    [
        (30.0, 30.0, {"rain"}),
        (30.1, None, {"a loop of hail"}),
        (None, 0.4, set()),
        (0.6, 2.0, {"drummy"}),
        (None, 0.5, {"thump", "hh 1", "openhat 2", "hihat 3", "sidestick 4"}),
        (None, None, set(ROWS)),
    ],
)
def test_a_length_lies_within_both_ends(
    connection: sa.Connection, low: float | None, high: float | None, names: set[str]
) -> None:
    assert found(connection, length_between(low, high)) == names


def test_a_very_slow_tempo_is_one_and_none_is_not() -> None:
    """1 BPM is a tempo; samples without one have a number below it."""
    rows = [make_row("slow", "loop", bpm=1.0, duration_s=9.0), make_row("none", "one-shot")]
    with sa.create_engine("sqlite://").begin() as connection:
        SearchRow.metadata.create_all(connection, tables=[SearchRow.metadata.tables["search_rows"]])
        connection.execute(sa.insert(SearchRow), rows)
        exact = bpm_between(None, 60.0).exact
        assert connection.scalars(sa.select(SearchRow.name).where(exact)).all() == ["slow"]


@pytest.mark.parametrize(
    ("bars", "is_within"), [(1.9, False), (1.921, True), (2.0, True), (2.079, True), (2.09, False)]
)
def test_bars_are_four_beats_within_four_percent(bars: float, is_within: bool) -> None:
    row = make_row("loop", "loop", bpm=100.0, duration_s=bars * 240 / 100)
    with sa.create_engine("sqlite://").begin() as connection:
        SearchRow.metadata.create_all(connection, tables=[SearchRow.metadata.tables["search_rows"]])
        connection.execute(sa.insert(SearchRow), [row])
        condition = CONDITION_BUILDERS["bars"](2)
        assert bool(connection.scalars(sa.select(SearchRow.name).where(condition.exact)).all()) == is_within
    assert not is_within or " bars:2 " in row["traits"]


@pytest.mark.parametrize(
    ("sentence", "names"),
    [
        ("2 bars", {"amen break", "groove"}),
        ("liked", {"hh 1"}),
        ("not liked", set(ROWS) - {"hh 1"}),
        ("kick", {"thump"}),
        ("open hat", {"openhat 2"}),  # the name says so
        ("closed hats", {"hh 1"}),
        ("hats", {"hh 1", "hihat 3"}),
        ("rim", set()),  # other words for a class count in the names of hats only
        ("riser", {"openhat 2", "rain", "a loop of hail"}),  # a texture, an effect
        ("drums", {"thump", "hh 1", "hihat 3", "sidestick 4", "drummy", "groove"}),
        ("breaks", {"amen break", "drummy", "groove"}),
        ("loops", {"amen break", "drummy", "groove"}),
        ("textures", {"rain", "a loop of hail"}),
        ("loops or one-shots", set(ROWS) - {"rain", "a loop of hail"}),
        ("riser or kick", {"thump", "openhat 2", "rain", "a loop of hail"}),
        ("kick or bass", {"thump", "drummy"}),
        ("no bass", set(ROWS) - {"drummy"}),
        ("no kick, no bass", set(ROWS) - {"thump", "drummy"}),
        ("80s or 90s", {"groove", "rain"}),
        ("dark 80s", {"rain"}),
        ("A minor", {"thump"}),
        ("with tempo", {"amen break", "drummy", "groove"}),
        ("without tempo", set(ROWS) - {"amen break", "drummy", "groove"}),
    ],
)
def test_a_sentence_finds_what_it_says(connection: sa.Connection, sentence: str, names: set[str]) -> None:
    assert ask(connection, sentence) == names


def test_days_count_from_this_moment(connection: sa.Connection) -> None:
    assert found(connection, CONDITION_BUILDERS["days"](9)) == set(ROWS)
    assert found(connection, CONDITION_BUILDERS["days"](7)) == set(ROWS) - {"drummy"}


def test_guesses_of_one_word_are_alternatives_and_those_of_two_are_not(connection: sa.Connection) -> None:
    dark = Term("mood", ("dark",), 0, 4, guess="gloom")
    sad, other = Term("mood", ("sad",), 0, 4, guess="gloom"), Term("mood", ("sad",), 5, 9, guess="tears")
    said = Term("mood", ("sad",), 5, 9)
    assert found(connection, *term_conditions([dark, sad])) == {"rain"}
    assert found(connection, *term_conditions([dark, other])) == set()
    assert found(connection, *term_conditions([dark, said])) == set()
    assert found(connection, *term_conditions([Term("mood", ("dark",), 0, 4), said])) == set()
    refused = Term("mood", ("dark",), 0, 4, negated=True, guess="gloom")
    assert found(connection, *term_conditions([refused, sad])) == set()


def test_what_only_sorts_is_no_condition(connection: sa.Connection) -> None:
    assert term_conditions(parse_sentence("dusty, darkest first")) == []
    assert found(connection, *term_conditions(parse_sentence("-dusty"))) == set(ROWS) - {"hh 1"}


@pytest.mark.parametrize(
    ("sentence", "names"),
    [
        ("amen", {"amen break"}),
        ("amen bre", {"amen break"}),
        ("ame break", set()),  # only the last word may be unfinished
        ("hail", {"a loop of hail"}),
        ("loop of ha", {"a loop of hail"}),
        ("groo", {"groove"}),
        ("hai", set()),  # three letters are a whole word
        ("hh", {"hh 1"}),
    ],
)
def test_a_name_is_found_by_its_beginning(connection: sa.Connection, sentence: str, names: set[str]) -> None:
    condition = name_contains(sentence)
    assert condition is not None
    assert found(connection, condition) == names


@pytest.mark.parametrize(
    ("name", "is_named"),
    [("amen breaks loops 1", True), ("amen breaks", False), ("breaks loops", False), ("amen loops", False)],
)
def test_every_word_of_a_name_narrows_what_the_index_names(name: str, is_named: bool) -> None:
    condition = name_contains("amen breaks loop")
    assert condition is not None
    terms = set(make_terms(make_row(name, "loop")).split())
    met = [
        {index_terms.hash_terms("somebody", [term]) for term in group} & terms for group in condition.groups
    ]
    assert all(met) is is_named


@pytest.mark.parametrize("sentence", ["", " ,", "amen -break", "-amen"])
def test_what_can_not_be_a_name_is_none(sentence: str) -> None:
    assert name_contains(sentence) is None


def test_a_part_is_found_as_it_is_written(connection: sa.Connection) -> None:
    assert found(connection, name_has_part("NHAT")) == {"openhat 2"}
    assert found(connection, contains_text("dust")) == {"hh 1"}
    assert found(connection, name_has_part("dust")) == set()
    for sign in ("%", "_", "a_en"):  # of LIKE
        assert found(connection, contains_text(sign)) == set()


def test_alternatives_have_groups_as_long_as_all_of_them_have_some() -> None:
    def numbered(name: str, count: int) -> Condition:
        return Condition(sa.true(), tuple(frozenset({f"{name}{number}"}) for number in range(count)))

    two, three, six = numbered("a", 2), numbered("b", 3), numbered("c", 6)
    assert any_of(two, three).groups == (
        frozenset({"a0", "b0"}),
        frozenset({"a1", "b1"}),
        frozenset({"a1", "b2"}),
    )
    assert len(any_of(two, six).groups) == MAX_GROUPS == 4
    assert any_of(two, numbered("d", 0)).groups == ()
    assert any_of(numbered("a", 1), numbered("a", 1)).groups == (frozenset({"a0"}),)
    assert all_of(two, three, two).groups == (*two.groups, *three.groups)


def test_a_group_of_a_fifth_of_the_library_is_frequent() -> None:
    both = Condition(sa.true(), (frozenset({"a"}), frozenset({"b"})))
    assert without_frequent(both, {"a": 0.2, "b": 0.19}).groups == (frozenset({"b"}),)
    assert without_frequent(both, {"a": 0.2, "b": 0.3}).groups == (frozenset({"a"}),)
    rarely = Condition(sa.true(), (frozenset({"a", "of which nothing is known"}), frozenset({"b"})))
    assert without_frequent(rarely, {"a": 0.3, "b": 0.1}).groups == (frozenset({"b"}),)


def test_all_of_finds_only_what_meets_each(connection: sa.Connection) -> None:
    assert found(connection, all_of(is_liked(), length_between(None, 1.0))) == {"hh 1"}
    assert found(connection, all_of(is_liked(), bpm_between(None, None))) == set()
