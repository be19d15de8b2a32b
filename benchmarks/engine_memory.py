"""Measure peak memory and time of the largest files we accept: `python -m benchmarks.engine_memory`.
 Each file goes through the sandbox as in production; the peak is the child's own (`VmHWM`). ffmpeg reads M4A
in a process of its own, which is not counted.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from app.audio.decoding.mp4 import ffmpeg_path
from app.audio.errors import UnreadableAudio
from app.sandbox.errors import EngineError
from app.sandbox.runner import Sandbox

LIMIT_MB, LIMIT_S = 512, 300.0


@dataclass(frozen=True)
class LargeFile:
    """A large file: `subtype` is for libsndfile, `encoded` is what ffmpeg turns the WAV into."""

    channels: int
    rate_hz: int
    seconds: float
    subtype: str = "PCM_16"
    encoded: str = ""


LARGE_FILES = (
    LargeFile(1, 44_100, 1),
    LargeFile(2, 44_100, 600),
    LargeFile(2, 48_000, 1_800, "PCM_24"),
    LargeFile(8, 384_000, 87, "FLOAT"),
    LargeFile(8, 18_000, 1_800),
    LargeFile(1, 384_000, 700, "PCM_24"),
    LargeFile(1, 4_000, 1_800, "PCM_U8"),
    LargeFile(2, 48_000, 1_799, encoded="mp3"),
    LargeFile(2, 48_000, 1_799, encoded="flac"),
    LargeFile(2, 48_000, 1_799, encoded="ogg"),
    LargeFile(2, 48_000, 1_799, encoded="m4a"),
)


def write_file(big: LargeFile, folder: Path) -> Path:
    """Write a file of beats and noise, block by block, and return its path."""
    rng, path = np.random.default_rng(404), folder / "source.wav"
    left, beat = round(big.seconds * big.rate_hz), big.rate_hz // 2
    envelope = np.exp(-np.arange(beat) / (0.05 * big.rate_hz)).astype(np.float32)
    with soundfile.SoundFile(path, "w", big.rate_hz, big.channels, big.subtype, format="RF64") as file:
        while left > 0:
            hits = 0.3 * rng.standard_normal((beat, big.channels), dtype=np.float32) * envelope[:, None]
            file.write(np.clip(hits, -1, 1)[:left])
            left -= beat
    if not big.encoded:
        return path
    out = folder / f"source.{big.encoded}"
    subprocess.run([ffmpeg_path(), "-v", "error", "-y", "-i", path, out], check=True)
    path.unlink()
    return out


def main() -> None:
    """Print one line for each file; end with 1 when one needs too much memory or time."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    sandbox, failed = (
        Sandbox("tests.sandbox.child_entries:process_and_weigh", warm="app.audio.warm:warm_cache"),
        False,
    )
    for big in LARGE_FILES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            path = write_file(big, folder)
            size_mb, request = path.stat().st_size / 2**20, {"rendered": "out.wav", "name": "big"}
            try:
                answer = sandbox.run({"source": path.name, **request}, folder=folder, timeout_s=LIMIT_S)
            except (EngineError, UnreadableAudio) as error:
                failed = True
                print(f"{big}: {error!r}", flush=True)
                continue
        failed |= answer["peak_mb"] > LIMIT_MB
        print(
            f"{big.channels} ch {big.rate_hz:7,d} Hz {big.seconds:5.0f} s {big.encoded or big.subtype:7s}"
            f"{size_mb:7.0f} MB on disk: {answer['peak_mb']:4.0f} MB peak, {answer['seconds']:6.1f} s",
            flush=True,
        )
    sandbox.close()
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
