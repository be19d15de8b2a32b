"""The marks on the waveform of a sample's page: nothing is drawn that is not known."""

from __future__ import annotations

import re

import pytest

from app.extensions import db
from app.library.wave_marks import FROM_START, UNSURE, wave_marks
from app.models import Sample
from app.models.base import transaction
from tests.support import Browser, drum_loop, finished_job


@pytest.fixture
def loop(as_owner: Browser) -> Sample:
    return db.session.get_one(Sample, finished_job(as_owner, "Dusty break.wav", drum_loop(93)).sample_id)


def places(path: str) -> list[float]:
    return [float(found) for found in re.findall(r"M([\d.]+) ", path)]


def test_a_loop_has_bars_beats_and_onsets_at_their_times(loop: Sample) -> None:
    marks = wave_marks(loop)
    assert places(marks.bars) == pytest.approx([0, 400], abs=1)
    assert places(marks.beats) == pytest.approx([100, 200, 300, 500, 600, 700], abs=1)
    # Kick, hat, snare, hat: the strong hits lie on the beats.
    assert len(places(marks.onsets)) == len(loop.analysis().onsets)
    assert all(any(abs(place - beat) < 2 for place in places(marks.onsets)) for beat in range(0, 800, 100))
    assert marks.words == ""


def test_a_corrected_tempo_is_counted_from_the_start_and_said_so(loop: Sample) -> None:
    with transaction():
        loop.correct(bpm=186.0)
    marks = wave_marks(loop)
    assert places(marks.bars) == pytest.approx([0, 200, 400, 600], abs=0.1)
    assert len(places(marks.beats)) == 12
    assert marks.words == FROM_START


def test_without_a_sure_tempo_or_a_loop_there_are_no_beats(loop: Sample) -> None:
    with transaction():
        loop.features.measured = loop.features.measured | {"bpm_confidence": 0.49}
    marks = wave_marks(loop)
    assert (marks.bars, marks.beats, marks.words) == ("", "", UNSURE)
    for corrections in ({"bpm": None}, {"kind": "one-shot", "bpm": 93.0}, {"kind": "texture"}):
        with transaction():
            loop.revert()
            loop.correct(**corrections)
        marks = wave_marks(loop)
        assert (marks.bars, marks.beats, marks.words) == ("", "", "")
        assert marks.onsets
