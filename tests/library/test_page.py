"""The page of a sample, and the waveform it loads."""

from __future__ import annotations

import pytest

from app.extensions import db
from app.models import Sample
from app.models.base import transaction
from tests.support import Browser, chord, drum_loop, finished_job, kick, silence


@pytest.fixture
def loop(as_owner: Browser) -> Sample:
    return db.session.get_one(Sample, finished_job(as_owner, "Dusty break.wav", drum_loop(93)).sample_id)


def test_the_page_lists_the_beats_of_a_loop_only(as_owner: Browser, loop: Sample) -> None:
    page = as_owner.get(f"/samples/{loop.id}").text
    assert "8, from 0.0" in page
    assert "The first bar begins at 0.0" in page
    hit = finished_job(as_owner, "Deep kick.wav", kick()).sample_id
    assert "The first bar begins" not in as_owner.get(f"/samples/{hit}").text


@pytest.mark.parametrize(
    "content", [silence(), kick(), chord(), drum_loop()], ids=["silence", "kick", "chord", "loop"]
)
def test_the_page_shows_any_sound(as_owner: Browser, content: bytes) -> None:
    job = finished_job(as_owner, "sound.wav", content)
    page = as_owner.get(f"/samples/{job.sample_id}")
    assert page.status_code == 200
    assert "Loudness" in page.text
    assert "None" not in page.text
    assert "nan" not in page.text


def test_the_waveform_is_sent_again_only_when_it_has_changed(as_owner: Browser, loop: Sample) -> None:
    first = as_owner.get(f"/samples/{loop.id}/peaks")
    again = {"If-None-Match": first.headers["ETag"]}
    assert as_owner.get(f"/samples/{loop.id}/peaks", headers=again).status_code == 304
    with transaction():
        loop.features.peaks = bytes(800)
    assert as_owner.get(f"/samples/{loop.id}/peaks", headers=again).status_code == 200
