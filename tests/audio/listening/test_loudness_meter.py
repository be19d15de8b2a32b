"""Levels against the figures of ITU-R BS.1770 and EBU Tech 3341. Tolerance: 0.1 LU, 0.3 dB for true peak."""

from __future__ import annotations

import numpy as np
import pytest

from app.audio.listening.loudness_meter import FLOOR_DB, measure_loudness
from tests.audio.signals import Samples, noise, sine


def stereo(hz: float, duration_s: float, level_db: float, rate_hz: int = 48_000) -> Samples:
    tone = sine(hz, duration_s, level=10 ** (level_db / 20), rate_hz=rate_hz)
    return np.hstack([tone, tone])


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("level_db", [-23.0, -33.0])
def test_a_1_khz_tone_in_both_channels_reads_its_level(level_db: float, rate_hz: int) -> None:
    found = measure_loudness(stereo(1_000, 5.0, level_db, rate_hz), rate_hz)
    assert found.loudness_db == pytest.approx(level_db, abs=0.1)
    assert found.loudness_unit == "LUFS"


def test_one_channel_reads_3_lu_less() -> None:
    assert measure_loudness(stereo(1_000, 5.0, -20.0)[:, :1], 48_000).loudness_db == pytest.approx(
        -23.0, abs=0.1
    )


def test_the_relative_gate_leaves_quiet_parts_out() -> None:
    """EBU Tech 3341, case 3: -36, -23 and -36 dBFS read -23 LUFS."""
    parts = [stereo(1_000, 10.0, -36.0), stereo(1_000, 60.0, -23.0), stereo(1_000, 10.0, -36.0)]
    assert measure_loudness(np.vstack(parts), 48_000).loudness_db == pytest.approx(-23.0, abs=0.1)


def test_a_sound_below_400_ms_gets_its_rms() -> None:
    found = measure_loudness(stereo(1_000, 0.2, -20.0), 48_000)
    assert found.loudness_unit == "dBFS"
    assert found.loudness_db == found.rms_db == pytest.approx(-23.01, abs=0.05)
    assert found.crest_db == pytest.approx(3.01, abs=0.05)


def test_the_true_peak_lies_between_the_samples() -> None:
    """A tone at a quarter of the rate, 45 degrees off: the samples read 3 dB too little."""
    phase = 2 * np.pi * 12_000 * np.arange(48_000) / 48_000 + np.pi / 4
    found = measure_loudness((0.5 * np.sin(phase)).astype(np.float32)[:, None], 48_000)
    assert found.peak_db == pytest.approx(-9.03, abs=0.05)
    assert found.true_peak_db == pytest.approx(-6.02, abs=0.3)


def test_silence_has_the_lowest_level() -> None:
    found = measure_loudness(np.zeros((48_000, 2), dtype=np.float32), 48_000)
    assert (found.loudness_db, found.peak_db, found.true_peak_db) == (FLOOR_DB, FLOOR_DB, FLOOR_DB)


def test_the_lfe_does_not_count() -> None:
    quiet = np.zeros((96_000, 6), dtype=np.float32)
    quiet[:, 3] = stereo(1_000, 2.0, -10.0)[:, 0]
    assert measure_loudness(quiet, 48_000).loudness_db == FLOOR_DB


def test_the_loudness_course_follows_the_level() -> None:
    found = measure_loudness(np.vstack([stereo(1_000, 4.0, -40.0), stereo(1_000, 4.0, -20.0)]), 48_000)
    assert len(found.course) == 64
    assert found.course[10] == pytest.approx(-40.0, abs=0.3)
    assert found.course[50] == pytest.approx(-20.0, abs=0.3)


def test_reading_in_blocks_does_not_change_the_levels() -> None:
    long = noise(12.0)
    assert measure_loudness(long, 44_100).rms_db == pytest.approx(
        20 * np.log10(float(np.std(long))), abs=0.01
    )
