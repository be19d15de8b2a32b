"""The analysis as a type: its plain JSON restores it, and stored rows of older engines still do."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from app.audio.result import Analysis, Measurement
from tests.live import ROOT
from tests.measurements import LOOP, loop_analysis, loop_measurement


def test_plain_json_restores_the_same_analysis() -> None:
    assert Analysis.from_dict(json.loads(json.dumps(LOOP.to_dict()))) == LOOP
    changed = loop_analysis(bpm=None, note="A2", beats=(0.5, 1.0), loudness_course=(-20.0, -30.5))
    assert Analysis.from_dict(changed.to_dict()) == changed


def test_the_loudness_course_stands_with_the_spectrum_in_plain_json() -> None:
    plain = loop_analysis(loudness_course=(-20.0,)).to_dict()
    assert plain["spectral"]["loudness_course"] == [-20.0]
    assert "loudness_course" not in plain


def test_what_is_not_finite_is_null_and_restored_as_unknown() -> None:
    plain = loop_analysis(loudness_db=float("-inf"), brightness=float("nan")).to_dict()
    assert (plain["loudness_db"], plain["brightness"]) == (None, None)
    restored = Analysis.from_dict(plain)
    assert (restored.loudness_db, restored.brightness) == (None, None)


def test_a_row_of_an_older_engine_lacks_newer_fields_and_the_waveform() -> None:
    plain = LOOP.to_dict()
    newer = (
        "downbeats", "note_cents", "note_end", "timbre_version", "peaks", "bars", "similarity",
        "similarity_version", "fingerprint",
    )  # fmt: skip
    older: dict[str, Any] = {name: value for name, value in plain.items() if name not in newer}
    older["spectral"] = {name: value for name, value in plain["spectral"].items() if name != "bands_hz"}
    restored = Analysis.from_dict(older | {"a_field_of_the_future": 1})
    assert (restored.downbeats, restored.note_cents, restored.timbre_version) == ((), None, 1)
    assert (restored.similarity, restored.similarity_version, restored.fingerprint) == ((), 0, ())
    assert (restored.peaks, restored.bars, restored.bpm) == ((), (), LOOP.bpm)
    assert restored.spectral.bands_hz == ()


def test_a_row_without_a_field_that_every_engine_reports_is_refused() -> None:
    for name in ("kind", "spectral"):
        plain = LOOP.to_dict()
        del plain[name]
        with pytest.raises((KeyError, TypeError)):
            Analysis.from_dict(plain)


def test_a_measurement_is_one_flat_object_and_an_older_one_has_no_file_hash() -> None:
    plain = loop_measurement().to_dict() | {
        "sp404": {
            "frames": 1, "channels": 1, "gain_db": 0.0, "resampled": True, "dithered": True,
            "padded_frames": 0,
        },
        "file_sha256": "ab",
    }  # fmt: skip
    restored = Measurement.from_dict(plain)
    assert restored.to_dict() == plain
    assert list(restored.to_dict())[-2:] == ["sp404", "file_sha256"]
    del plain["file_sha256"]
    assert Measurement.from_dict(plain).file_sha256 == ""


def test_reading_an_analysis_loads_no_numerical_library() -> None:
    check = "import app.audio.result, sys; print([n for n in ('numpy', 'librosa') if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, cwd=ROOT)
    assert found.stdout.strip() == "[]", found.stderr
