"""Searching with a sentence: what is found, in which order, and what the page says about it."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask

from app.extensions import db
from app.library import samples
from app.models import Sample, User
from app.models.base import transaction, utcnow
from app.search.sample_query import SampleQuery
from app.search.sample_search import find_samples
from tests.search.sentences import HELD_OUT, SENTENCES
from tests.support import ApiScript, Browser, chord, drum_loop, finished_job, kick, noise, row_names, wav


@pytest.fixture
def four(as_owner: Browser) -> dict[str, Sample]:
    files = {"Dusty break": drum_loop(93), "Warm pad": chord(), "Deep kick": kick(), "Hiss": wav(noise(2.0))}
    ids = {name: finished_job(as_owner, f"{name}.wav", content).sample_id for name, content in files.items()}
    return {name: db.session.get_one(Sample, sample_id) for name, sample_id in ids.items()}


def names(user: User, sentence: str) -> list[str]:
    return [sample.name for sample in find_samples(user, SampleQuery(ask=sentence), "").samples]


def test_sentences_find_and_rank(owner: User, four: dict[str, Sample]) -> None:
    found = {
        "dusty 93 bpm drum loops": ["Dusty break"],
        "loops around 90 bpm": ["Dusty break"],
        "half time 186 bpm": ["Dusty break"],
        "2 bar loop": ["Dusty break"],
        "not loops": ["Hiss", "Deep kick", "Warm pad"],
        "in C minor": ["Warm pad"],
        "compatible with F minor, 3 to 5 seconds": ["Warm pad"],
        "bd": ["Deep kick"],
        "under 500 ms": ["Deep kick"],
        "no kicks -hiss -break": ["Warm pad"],
        "breaks": ["Dusty break"],
        "loops, no breakbeats": [],
        "liked": [],
        "wav from today, -hiss -dusty": ["Deep kick", "Warm pad"],
        "flac": [],
    }
    assert {sentence: names(owner, sentence) for sentence in found} == found
    for axis, first, last in (
        ("brightness", "darkest", "brightest"),
        ("noisiness", "cleanest", "noisiest"),
        ("loudness_db", "quietest", "loudest"),
    ):
        order = sorted(four, key=lambda name: getattr(four[name].features, axis))
        assert names(owner, first) == order
        assert names(owner, last) == order[::-1]
    assert names(owner, "shortest")[0] == "Deep kick"
    assert names(owner, "not too long") == names(owner, "shortest")
    assert names(owner, "punchy") == names(owner, "soft")[::-1]
    with transaction():
        four["Hiss"].created_at = utcnow() - timedelta(days=9)
    assert "Hiss" not in names(owner, "this week")


def test_every_sentence_can_be_paged(owner: User, four: dict[str, Sample]) -> None:
    for sentence in (*SENTENCES, *HELD_OUT, "not too bright, punchy, calm and long"):
        query, seen, after = SampleQuery(ask=sentence), list[str](), ""
        while True:
            page = find_samples(owner, query, after, limit=1)
            seen += [sample.id for sample in page.samples]
            if page.next_after is None:
                break
            after = page.next_after
        assert len(seen) == len(set(seen)) == page.total


def test_the_picked_order_goes_before_a_date_and_a_date_before_other_ranks(
    as_owner: Browser, owner: User, four: dict[str, Sample]
) -> None:
    oldest = [*four]
    assert names(owner, "oldest") == names(owner, "dusty, oldest first") == oldest
    assert names(owner, "newest, not the brightest") == names(owner, "recently added") == oldest[::-1]
    page = as_owner.get("/samples?ask=dark+wav,+oldest+first").text
    assert "· oldest first" in page
    chips = re.findall(r'class="chip" href="[^"]+">([^<]+) <', page)
    assert chips == ["darkest first (not used: another order applies)", "WAV", "oldest first"]
    assert '<option value="newest">' in page  # what is in force is as asked, which stands selected
    assert 'href="/samples?ask=dark+wav&amp;sort=oldest"' in page
    page = as_owner.get("/samples?ask=dark+wav,+oldest+first&sort=newest").text
    assert "· Newest, as chosen" in page
    assert row_names(page) == oldest[::-1]
    assert '<option value="newest" selected>' in page
    assert 'href="/samples?ask=dark+wav&amp;sort=newest"' in page


def test_a_sample_named_like_the_sentence_comes_first(owner: User, four: dict[str, Sample]) -> None:
    assert names(owner, "warm") == ["Warm pad", "Hiss", "Deep kick", "Dusty break"]
    samples.edit_sample(four["Hiss"], name="not loud")
    samples.edit_sample(four["Dusty break"], name="Not (so) loud - ÄNDERN")
    samples.edit_sample(four["Deep kick"], name="Amen")
    assert names(owner, "not loud")[0] == "not loud"
    assert names(owner, "not so loud ändern")[0] == names(owner, "NOT SO LOUD")[0] == "Not (so) loud - ÄNDERN"
    assert names(owner, "pad or -amen") == ["Warm pad"]
    whole = names(owner, "not so loud")
    seen, after = list[str](), ""
    while True:
        page = find_samples(owner, SampleQuery(ask="not so loud"), after, limit=1)
        seen += [sample.name for sample in page.samples]
        if page.next_after is None:
            break
        after = page.next_after
    assert seen == whole
    assert len(whole) == page.total == 4
    assert names(owner, "not loud, oldest")[0] == "Not (so) loud - ÄNDERN"


def test_a_sample_named_like_the_sentence_is_offered_when_it_does_not_match(
    as_owner: Browser, four: dict[str, Sample]
) -> None:
    samples.edit_sample(four["Hiss"], name="No Key, 93 BPM")
    samples.edit_sample(four["Deep kick"], name="Amen")

    def offered(sentence: str) -> list[str]:
        page = as_owner.get("/samples", query_string={"ask": sentence}).text
        line = re.search(r"(?s)Samples with this name:(.*?)</p>", page)
        return re.findall(r'<a dir="auto" href="[^"]+">([^<]+)<', line[1]) if line else []

    assert offered("no key 93 bpm") == ["No Key, 93 BPM"]
    assert offered("NO KEY - 93 (BPM)") == ["No Key, 93 BPM"]
    assert offered("no key") == []  # it is among the results
    assert offered("Am") == []
    assert offered("-no key 93 bpm") == []
    with transaction():
        four["Hiss"].deleted_at = utcnow()
    assert offered("no key 93 bpm") == []


def test_a_break_is_any_drum_loop_and_anything_named_break(owner: User, four: dict[str, Sample]) -> None:
    for old, new in (("Dusty break", "Amen"), ("Hiss", "Break_tail"), ("Deep kick", "Breakdown kick")):
        samples.edit_sample(four[old], name=new)
    four["Dusty break"].filename = four["Deep kick"].filename = "take.wav"
    with transaction():
        four["Dusty break"].index_for_search()
    assert names(owner, "breaks") == ["Amen", "Break_tail"]  # the drum loop leads


def test_samples_without_a_key_tempo_or_tags_can_be_found(as_owner: Browser, four: dict[str, Sample]) -> None:
    owner = db.session.get_one(User, four["Hiss"].user_id)
    with transaction():
        four["Dusty break"].correct(bpm=None)
        four["Hiss"].correct(bpm=100.0)
        four["Deep kick"].correct(key="C minor")
        four["Warm pad"].retag(["warm"])
    for sentence, column in (("key", Sample.key), ("tempo", Sample.bpm)):
        without = {sample.name for sample in four.values() if getattr(sample, column.key) is None}
        assert without
        assert without != {*four}
        assert {*names(owner, f"no {sentence}")} == without
        assert {*names(owner, f"with a {sentence}")} == {*four} - without
    assert {*names(owner, "untagged")} == {*four} - {"Warm pad"}
    page = unescape(as_owner.get("/samples?ask=dusty,+without+a+key,+no+please").text)
    chips = re.findall(r'class="chip" href="([^"]+)">([^<]+) <', page)
    assert [words for _, words in chips] == ["dusty first", "no key", "not “please”"]
    assert chips[1][0] == "/samples?ask=dusty,+no+please"


def test_chips_show_what_was_understood_and_can_be_removed(
    as_owner: Browser, four: dict[str, Sample]
) -> None:
    page = unescape(as_owner.get("/samples?ask=dusty+93+bpm+loops,+not+too+bright").text)
    assert "· dusty and darkest first" in page
    links = re.findall(r'class="chip" href="([^"]+)">([^<]+) <', page)
    assert [words for _, words in links] == ["dusty first", "90–96 BPM", "loop", "darkest first"]
    assert links[1][0] == "/samples?ask=dusty+loops,+not+too+bright"
    corrected = "/samples?ask=dusty+loops,+not+too+bright&bpm_min=90&bpm_max=96"
    assert corrected in page
    assert 'value="90"' in as_owner.get(corrected).text


def test_an_empty_result_suggests_wider_searches(as_owner: Browser, four: dict[str, Sample]) -> None:
    page = unescape(as_owner.get("/samples?ask=dusty+loops+faster+than+120").text)
    without = re.findall(r'Without <a href="([^"]+)">([^<]+)</a>:\s+<span class="num">(\d+)', page)
    assert without == [("/samples?ask=dusty+loops", "from 120 BPM", "1")]


def test_the_api_finds_the_same(app: Flask, script: ApiScript, four: dict[str, Sample]) -> None:
    found = script.get("/api/samples?ask=93+bpm+drum+loops").get_json()
    assert [sample["name"] for sample in found["samples"]] == ["Dusty break"]
