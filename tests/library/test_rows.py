"""The rows of a list: what they show of a sample, and where their links and buttons lead."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from flask import Flask, url_for
from sqlalchemy import update

from app.library import samples, trash
from app.models import AudioFeatures, Sample, User
from app.models.base import transaction
from app.search.listed_samples import load_listed
from tests.search.test_text_conditions import shelve
from tests.support import Browser

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://localhost/samples"}
SHOWN = (
    "id",
    "name",
    "kind",
    "sound",
    "bpm",
    "key",
    "duration_s",
    "liked",
    "bars",
    "fits_a_pad",
    "sound_label",
)
STAR = '<span class="corrected" title="your correction">*</span>'


@pytest.fixture
def sample(owner: User) -> Sample:
    vibe = {"moods": ["sad", "dark", "calm", "warm"], "character": []}
    return shelve(owner, {"Blue & <b>": vibe})["Blue & <b>"]


def row_of(page: str, sample: Sample) -> str:
    found = re.search(rf'<tr class="row" id="sample-{sample.id}".*?</tr>', page, re.DOTALL)
    assert found is not None
    return found[0]


def menu_of(page: str) -> str:
    return page.partition('<template id="row-menu">')[2].partition("</template>")[0]


def cell_of(row: str, name: str) -> str:
    return row.partition(f'<td class="col-{name}')[2].partition("</td>")[0]


def warn(sample: Sample, *warnings: str) -> None:
    with transaction() as session:
        measured = sample.features.measured | {"warnings": list(warnings)}
        session.execute(update(AudioFeatures).values(measured=measured))


@pytest.mark.parametrize(
    ("corrections", "words"),
    [
        ({}, ["sad", "dark"]),
        ({"moods": ["joyful"]}, ["joyful"]),
        ({"moods": []}, []),
        ({"character": ["dusty", "punchy"]}, ["dusty", "punchy"]),
        ({"character": ["dusty"], "moods": ["joyful"]}, ["dusty"]),
        ({"energy": 5, "era": "1980s"}, ["sad", "dark"]),
    ],
)
def test_a_listed_sample_has_the_values_in_force(
    owner: User, sample: Sample, corrections: dict[str, Any], words: list[str]
) -> None:
    samples.edit_sample(sample, corrections=corrections)
    [listed] = load_listed(owner, [sample.id])
    assert [getattr(listed, name) for name in SHOWN] == [getattr(sample, name) for name in SHOWN]
    assert list(listed.words) == words
    assert listed.corrected == set(sample.corrections) == set(corrections)


@pytest.mark.parametrize(
    ("own", "tags", "words"),
    [
        ("dusty", ["dusty"], ["sad", "dark"]),
        ("vinyl, dusty", ["dusty", "vinyl"], ["sad"]),
        ("d, c, b, a", ["a", "b", "c"], []),
    ],
)
def test_own_tags_come_first(
    owner: User, sample: Sample, own: str, tags: list[str], words: list[str]
) -> None:
    samples.edit_sample(sample, tags=own)
    [listed] = load_listed(owner, [sample.id])
    assert (list(listed.tags), list(listed.words)) == (tags, words)


def test_descriptions_that_lack_the_words_are_listed(owner: User, sample: Sample) -> None:
    for described in ({}, {"moods": ["dark"]}):
        with transaction():
            sample.described = described
        assert list(load_listed(owner, [sample.id])[0].words) == described.get("moods", [])


def test_samples_are_listed_in_the_given_order_without_deleted_and_foreign_ones(
    owner: User, stranger: User
) -> None:
    own = shelve(owner, {name: {} for name in "abc"})
    foreign = shelve(stranger, {"d": {}})["d"]
    trash.delete_sample(own["b"])
    ids = [own["c"].id, foreign.id, own["b"].id, own["a"].id]
    assert [listed.name for listed in load_listed(owner, ids)] == ["c", "a"]
    assert load_listed(owner, []) == []


def test_a_star_marks_each_corrected_value(as_owner: Browser, sample: Sample) -> None:
    cells = {"bpm": "bpm", "key": "key", "kind": "kind", "name": "moods"}
    for cell, field in cells.items():
        values: dict[str, Any] = {"bpm": 77.0, "key": "C minor", "kind": "one-shot", "moods": ["joyful"]}
        samples.edit_sample(sample, corrections={field: values[field]}, reset=tuple(values))
        row = row_of(as_owner.get("/samples").text, sample)
        assert [name for name in cells if STAR in cell_of(row, name)] == [cell]


def test_warnings_are_shown_as_text(as_owner: Browser, sample: Sample) -> None:
    assert 'class="warned"' not in row_of(as_owner.get("/samples").text, sample)
    warn(sample, "It <clips>.", "It is quiet.")
    for path in ("/samples", "/dashboard"):
        row = row_of(as_owner.get(path).text, sample)
        assert 'title="It &lt;clips&gt;. It is quiet."' in row
        assert "Warning: It &lt;clips&gt;. It is quiet." in row


def test_every_address_of_a_row_is_the_one_of_its_route(
    app: Flask, as_owner: Browser, sample: Sample
) -> None:
    """Rows put addresses together by themselves, because making each by the URL map takes long."""
    page = as_owner.get("/samples").text
    row = row_of(page, sample) + menu_of(page).replace("{id}", sample.id)
    addresses = set(re.findall(r'(?: href|formaction| action| hx-post)="([^#"]+)"', row))
    names = ("detail", "audio", "like", "sp404", "original", "delete")
    routes = ("alike.similar", *(f"library.{name}" for name in names))
    with app.test_request_context():
        expected = {url_for(route, sample_id=sample.id) for route in routes}
        assert addresses == expected | {url_for("kits.add", sample=sample.id)}


def test_a_row_says_if_the_sample_is_too_long_for_a_pad(as_owner: Browser, sample: Sample) -> None:
    assert "data-long" not in row_of(as_owner.get("/samples").text, sample)
    with transaction():
        sample.duration_s = 3600.0
    assert 'data-long="1"' in row_of(as_owner.get("/samples").text, sample)


def test_fifty_rows_are_light(as_owner: Browser, owner: User) -> None:
    described = {"character": ["dusty", "punchy"], "moods": ["dark"]}
    rows = shelve(owner, {f"Dusty drum break {number} 90 bpm": described for number in range(50)})
    with transaction():
        for seed, sample in enumerate(rows.values()):
            sample.bars = bytes(random.Random(seed).choices(range(256), k=64))
    page = as_owner.get("/samples").text
    assert page.count('<tr class="row"') == 50
    assert len(page.encode()) < 101_500


def test_a_restored_row_is_the_row_of_the_list(as_owner: Browser, sample: Sample) -> None:
    warn(sample, "It clips.")
    for path, headers in (("/samples", HTMX), ("/dashboard", {"HX-Request": "true"})):
        listed = row_of(as_owner.get(path).text, sample)
        assert ('class="pick"' in listed) == (path == "/samples")
        as_owner.post(f"/samples/{sample.id}/delete", headers)
        restored = as_owner.post(f"/samples/{sample.id}/restore", headers).text
        assert restored.strip() == listed


def test_a_pressed_like_is_the_like_of_the_list(as_owner: Browser, sample: Sample) -> None:
    for is_liked in ("true", "false"):
        button = as_owner.post(f"/samples/{sample.id}/like", HTMX).text
        assert f'aria-pressed="{is_liked}"' in button
        listed = cell_of(row_of(as_owner.get("/samples").text, sample), "like")
        assert listed == f' like">{button}'


def test_keys_are_in_the_notation_of_the_user(as_owner: Browser, owner: User, sample: Sample) -> None:
    samples.edit_sample(sample, corrections={"key": "A minor"})
    for notation, shown in (("camelot", "8A"), ("musical", "A min")):
        with transaction():
            owner.key_notation = notation
        page = as_owner.get("/samples").text
        assert cell_of(row_of(page, sample), "key").removesuffix(STAR) == f'">{shown}'
        assert re.search(rf'key=A\+minor">{shown} ', page)
