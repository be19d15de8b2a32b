"""The search line: chips in the order of the sentence, filters with their counts, and what is close."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from app.library import samples
from app.models import Sample, User
from app.models.base import transaction
from app.search import match_counts
from app.search.sample_query import SampleQuery
from app.search.sample_search import find_samples
from app.upload import demo_sounds
from tests.search.test_text_conditions import shelve
from tests.support import Browser, finished_job, row_names


def classed(owner: User, made: dict[str, tuple[str, str | None]]) -> dict[str, Sample]:
    """Add samples of a kind and class, by name."""
    shelf = shelve(owner, {name: {} for name in made})
    for name, (kind, sound) in made.items():
        samples.edit_sample(shelf[name], corrections={"kind": kind})
        samples.edit_sample(shelf[name], corrections={"sound": sound})
    return shelf


def line(page: str) -> list[str]:
    """Return the chips and the unused words above the results, in their order."""
    chips = page.partition('<p class="chips">')[2].partition("</p>")[0]
    found = re.findall(r'class="(chip|unused)"[^>]*>([^<]+?)\s*<', chips)
    return [unescape(words) if look == "chip" else f"({words})" for look, words in found]


def test_each_idea_is_a_chip_in_its_place_and_unused_words_stay(as_owner: Browser, owner: User) -> None:
    shelve(owner, {"A": {}})
    page = as_owner.get("/samples?liked=1&ask=find+me+some+dusty+loops,+please,+not+too+bright+thanks").text
    assert line(page) == [
        "liked",
        "(find me some)",
        "dusty first",
        "loop",
        "(please)",
        "darkest first",
        "(thanks)",
    ]
    assert 'title="from “not too bright”"' in page
    assert line(as_owner.get("/samples?ask=please").text) == ["(please)"]
    overridden = as_owner.get("/samples?ask=dark&sort=name").text
    assert '<span class="idea is-unused">' in overridden


def test_a_search_without_a_match_shows_what_is_close(as_owner: Browser, owner: User) -> None:
    classed(owner, {"Slow": ("loop", "drums"), "Bell": ("one-shot", "keys")})
    page = as_owner.get("/samples?ask=drum+loops+faster+than+200").text
    assert "No sample matches everything." in page
    assert row_names(page.partition("<h2>Close matches</h2>")[2]) == ["Slow"]
    far = as_owner.get("/samples?ask=drum+loops+faster+than+200,+longer+than+50+s,+liked").text
    assert row_names(far.partition("<h2>Close matches</h2>")[2]) == ["Slow"]
    assert "<h2>Close matches</h2>" not in as_owner.get("/samples?q=zzz").text


def test_values_that_a_search_leaves_out_are_shown_with_0(as_owner: Browser, owner: User) -> None:
    classed(owner, {"Loop": ("loop", "drums"), "Bell": ("one-shot", "keys")})
    for search in ("?kind=loop", "?q=Loop"):
        page = as_owner.get(f"/samples{search}").text.partition('id="filters"')[2]
        assert re.search(r'sound=keys">keys <span class="num">0</span>', page)
        assert re.search(r'<span>C♯ maj <span class="num">0</span></span>', page)
    assert re.search(r'kind=one-shot">one-shot <span class="num">0</span>', page)


def test_keys_stand_in_the_order_of_the_wheel_and_compatible_ones_are_marked(
    as_owner: Browser, owner: User
) -> None:
    shelve(owner, {"A": {}})
    with transaction():
        owner.key_notation = "camelot"
    grid = as_owner.get("/samples?key=A+minor").text.partition('class="key-grid"')[2].partition("</div>")[0]
    codes = re.findall(r">\s*(\d+[AB]) <", grid)
    assert codes == [f"{number}{letter}" for letter in "AB" for number in range(1, 13)]
    near = re.findall(r'class="near">\s*(?:<a[^>]*>)?\s*(\d+[AB])', grid)
    assert near == ["7A", "8A", "9A", "8B"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"bpm_min": 85.0, "bpm_max": 95.0}, ["90"]),
        ({"bpm_min": 85.0, "bpm_max": 95.0, "half_double": True}, ["45", "90", "180"]),
        ({"bpm_min": 160.0, "half_double": True}, ["90", "180", "100"]),
        ({"seconds_max": 1.0}, []),
        ({"seconds_min": 1.0, "seconds_max": 60.0}, ["45", "90", "180", "100"]),
    ],
)
def test_tempi_of_half_and_double_time_and_lengths(
    owner: User, filters: dict[str, Any], found: list[str]
) -> None:
    made = shelve(owner, {name: {} for name in ("45", "90", "180", "100")})
    for name, sample in made.items():
        samples.edit_sample(sample, corrections={"bpm": float(name)})
    query = SampleQuery(**filters)
    assert {sample.name for sample in find_samples(owner, query, "").samples} == {*found}
    assert SampleQuery.from_args(query.to_args()) == query


def test_a_tempo_offers_5_bpm_around_it_and_half_and_double_time(as_owner: Browser, owner: User) -> None:
    shelve(owner, {"A": {}})
    page = unescape(as_owner.get("/samples?bpm_min=90").text)
    assert '<a href="/samples?bpm_min=85&bpm_max=95">90 ± 5 BPM</a>' in page
    assert '<a href="/samples?bpm_min=90&half_double=1">half or double</a>' in page
    page = unescape(as_owner.get("/samples?bpm_min=85&bpm_max=95&half_double=1").text)
    assert '<a href="/samples?bpm_min=89.5&bpm_max=90.5&half_double=1" aria-current="true">90 ± 5 BPM' in page
    assert line(page) == ["85–95 BPM, half or double"]


HATS = {
    "Closed hat of tin": ("one-shot", "kick"),
    "Tick": ("one-shot", "closed hat"),
    "Closed hat": ("one-shot", "closed hat"),
    "Late closed hat": ("one-shot", "snare"),
}
BREAKS = {
    "Drum break hit": ("one-shot", "kick"),
    "Groove": ("loop", "drums"),
    "A drum break": ("loop", "bass"),
}


@pytest.mark.parametrize(
    ("sentence", "shelf", "expected"),
    [
        ("closed hat", HATS, ["Closed hat", "Tick", "Late closed hat", "Closed hat of tin"]),
        ("drum break", BREAKS, ["Groove", "A drum break", "Drum break hit"]),
    ],
)
def test_the_class_leads_before_what_is_only_called_so(
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    sentence: str,
    shelf: dict[str, tuple[str, str | None]],
    expected: list[str],
) -> None:
    classed(owner, shelf)
    for most in (1_000, 1):
        monkeypatch.setattr(match_counts, "MAX_COUNTED", most)
        found = find_samples(owner, SampleQuery(ask=sentence), "").samples
        assert [sample.name for sample in found] == expected


def test_the_example_in_the_empty_line_finds_a_demo_sound(as_owner: Browser) -> None:
    [(name, audio)] = [each for each in demo_sounds.make_demo_sounds() if "loop" in each[0]]
    finished_job(as_owner, name, audio)
    example = re.search(r'placeholder="Try: ([^"]+)"', as_owner.get("/samples").text)
    assert example is not None
    page = as_owner.get("/samples", query_string={"ask": example[1]}).text
    assert row_names(page) == ["Demo drum loop 92"]
    assert "<h2>Close matches</h2>" not in page
