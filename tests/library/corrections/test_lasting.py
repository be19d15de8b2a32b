"""Corrections survive a new analysis, can be reset, and are made only by what the user changed."""

from __future__ import annotations

import pytest

from app.extensions import db
from app.models import AudioFeatures, Sample
from app.models.base import transaction
from tests.library.corrections.forms import DESCRIBED, corrected, described, marked, page_of, shown_by
from tests.support import Browser


def test_corrections_survive_a_new_measurement_and_description(as_owner: Browser, loop: Sample) -> None:
    corrected(as_owner, loop, bpm="120", kind="one-shot")
    described(as_owner, loop, {"moods-0": "sunny"})
    with transaction():
        old = loop.features
        columns = {c.key: getattr(old, c.key) for c in AudioFeatures.__table__.columns}
        measured = old.measured | {"bpm": 99.0, "key": "D minor", "key_source": "detected"}
        loop.features = None  # type: ignore[assignment]  # its row goes before the new one comes
        db.session.flush()
        del columns["sample_id"]
        loop.measure(AudioFeatures(**(columns | {"measured": measured})), loop.bars)
        loop.describe(DESCRIBED | {"moods": ["bleak"], "energy": 10})
    page = page_of(as_owner, loop)
    assert marked(page) == ["bpm", "kind", "moods"]
    assert "measured: 99 BPM" in page
    assert "described: bleak" in page
    assert (loop.bpm, loop.kind, loop.key, loop.vibe["energy"]) == (120.0, "one-shot", "D minor", 10)
    as_owner.post(f"/samples/{loop.id}/revert")
    assert (loop.bpm, loop.kind, loop.vibe["moods"]) == (99.0, "loop", ["bleak"])


def test_values_measured_while_the_page_was_open_are_not_corrected(as_owner: Browser, loop: Sample) -> None:
    shown = shown_by(as_owner, loop, "shown", edit="bpm")
    bpm = f"{loop.bpm:.2f}"
    with transaction():
        loop.features.measured = loop.features.measured | {"bpm": 120.0}
        loop.revert()
    assert corrected(as_owner, loop, shown=shown, bpm=bpm, name="Renamed").status_code == 303
    assert (loop.name, loop.bpm, loop.corrections) == ("Renamed", 120.0, {})
    corrected(as_owner, loop, shown=shown, bpm="60", name="Renamed")
    assert loop.corrections == {"bpm": 60.0}


def test_values_described_while_the_page_was_open_are_not_corrected(as_owner: Browser, loop: Sample) -> None:
    shown = shown_by(as_owner, loop, "vibe-shown")
    with transaction():
        loop.describe(DESCRIBED | {"moods": ["sunny"], "texture": "airy", "instruments": []})
    described(as_owner, loop, {"shown": shown, "energy": "70"})
    assert loop.corrections == {"energy": 70}


@pytest.mark.parametrize("shown", ["{", "[]", "null", '{"bpm": {"a": []}, "instruments": 7}'])
def test_a_form_with_unreadable_shown_values_still_saves(as_owner: Browser, loop: Sample, shown: str) -> None:
    assert corrected(as_owner, loop, shown=shown, name="Renamed").status_code == 303
    assert described(as_owner, loop, {"shown": shown}).status_code == 303
    assert loop.name == "Renamed"


def test_corrections_are_reset_one_by_one_and_all(as_owner: Browser, loop: Sample) -> None:
    corrected(as_owner, loop, bpm="120", key="A minor")
    described(as_owner, loop, {"energy": "90", "texture": "airy"})
    for field in ("bpm", "energy"):
        assert as_owner.post(f"/samples/{loop.id}/revert", field=field).status_code == 303
    assert loop.corrections == {"key": "A minor", "texture": "airy"}
    assert (loop.bpm_source, loop.vibe["energy"]) == ("detected", 40)
    as_owner.post(f"/samples/{loop.id}/revert")
    assert (loop.corrections, loop.key, loop.vibe) == ({}, None, DESCRIBED)
    assert f"/samples/{loop.id}/revert" not in page_of(as_owner, loop)


def test_an_unknown_field_resets_nothing(as_owner: Browser, loop: Sample) -> None:
    corrected(as_owner, loop, bpm="120")
    as_owner.post(f"/samples/{loop.id}/revert", field="colour")
    as_owner.post(f"/samples/{loop.id}/revert", field="")
    assert loop.corrections == {"bpm": 120.0}


def test_a_stranger_cannot_correct_a_sample(as_stranger: Browser, loop: Sample) -> None:
    assert corrected(as_stranger, loop, bpm="120").status_code == 404
    assert described(as_stranger, loop, {"energy": "1"}).status_code == 404
    assert as_stranger.post(f"/samples/{loop.id}/revert").status_code == 404
    assert loop.corrections == {}
