"""Memory of a child process as in production: a fork of the warmed fork server analyses a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.sandbox.runner import Sandbox
from tests.audio.signals import noise

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

MAX_MB = 512
# Three minutes of stereo are 70 MB of samples, half a minute of eight channels at 192 kHz 184 MB. Rate and
# channels must not matter: the engine keeps one mono copy and what it computes from that.
MAX_GROWTH_MB = 140


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox("tests.sandbox.child_entries:process_and_weigh", warm="app.audio.warm:warm_cache")
    yield made
    made.close()


def peak_mb(sandbox: Sandbox, folder: Path, *, channels: int, rate_hz: int, duration_s: float) -> float:
    path = folder / "source.wav"
    second = np.repeat(noise(1.0), channels, axis=1)
    left = round(duration_s * rate_hz)
    with soundfile.SoundFile(path, "w", rate_hz, channels, "PCM_16") as file:
        while left > 0:
            file.write(second[:left])
            left -= len(second)
    request = {"source": path.name, "rendered": "out.wav", "name": path.name}
    answer = sandbox.run(request, folder=folder, timeout_s=120)
    assert answer["result"]["duration_s"] == pytest.approx(duration_s)
    return float(answer["peak_mb"])


@pytest.mark.parametrize(("channels", "rate_hz", "duration_s"), [(2, 48_000, 180), (8, 192_000, 30)])
def test_memory_does_not_grow_with_the_file(
    sandbox: Sandbox, tmp_path: Path, channels: int, rate_hz: int, duration_s: float
) -> None:
    short = peak_mb(sandbox, tmp_path, channels=1, rate_hz=48_000, duration_s=2)
    long = peak_mb(sandbox, tmp_path, channels=channels, rate_hz=rate_hz, duration_s=duration_s)
    assert short > 50, "the peak was not read"
    assert long - short < MAX_GROWTH_MB
    assert long < MAX_MB
