"""What the preflight measures in a rendered sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.sp404.preflight.sound_measuring import measure_wav
from tests.sp404.card.made_kits import write_wav_file


def test_a_sound_is_measured(tmp_path: Path) -> None:
    path = write_wav_file(tmp_path / "a.wav", 70_000, 2)
    pcm = np.frombuffer(path.read_bytes()[44:], dtype="<i2").reshape(-1, 2).astype(np.int32)
    changed = pcm.copy()
    changed[:, 1] = -changed[:, 0]
    # Two runs, one of them over the end of a block of 32,768 frames, and one that is too short.
    for first, last in ((32_766, 32_770), (50_000, 50_003), (60_000, 60_002)):
        changed[first:last, 0] = 32_767
    path.write_bytes(path.read_bytes()[:44] + changed.astype("<i2").tobytes())
    facts = measure_wav(path)
    assert (facts.peak, facts.clipped_runs) == (32_767 / 32_768, 2)
    assert facts.sides_db is not None
    assert facts.sides_db > 0
    assert measure_wav(write_wav_file(tmp_path / "b.wav", 6_000, 2)).sides_db == -200.0
    mono = write_wav_file(tmp_path / "c.wav", 6_000)
    data = np.frombuffer(mono.read_bytes()[44:], dtype="<i2") + 655
    mono.write_bytes(mono.read_bytes()[:44] + data.astype("<i2").tobytes())
    measured = measure_wav(mono)
    assert measured.sides_db is None
    assert measured.offset == pytest.approx(float(data.mean()) / 32_768)
