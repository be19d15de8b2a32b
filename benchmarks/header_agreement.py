"""Compare the decoder with sox and ffmpeg on false headers: `python -m benchmarks.header_agreement`.

The rule: what sox and ffmpeg agree on is read, and what they read differently is refused. Files that only
one of them reads, or neither, are counted and not judged. The decoder departs from the rule on purpose in two
ways: tags after the audio are left out, and a file with less than half of what it declares is refused.
"""

from __future__ import annotations

import argparse
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
import soundfile

from app.audio.decoding.decoder import decode_file
from app.audio.errors import UnreadableAudio
from tests.audio.decoding.aiff_family import aiff_family
from tests.audio.decoding.pcm_packing import CHANNELS, CODINGS
from tests.audio.decoding.wav_family import wav_family

Sound = npt.NDArray[np.float32]
# ffmpeg loses up to a frame in every 4,096 bytes when the block align is wrong.
_LOST_FRAMES, _COMPARED_FRAMES = 24, 128


def main() -> None:
    """Print how often the decoder follows sox and ffmpeg, and every file in which it does not."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    counts: Counter[str] = Counter()
    failed = False
    with TemporaryDirectory() as name:
        for label, data, extension in list_files():
            verdict = judge_file(Path(name), data, extension)
            counts[verdict] += 1
            if verdict.startswith("wrong") and not _is_reasoned(label):
                failed = True
                print(f"{verdict}: {label}", flush=True)
    for verdict, number in sorted(counts.items()):
        print(f"{number:5d} {verdict}")
    raise SystemExit(failed)


def list_files() -> Iterator[tuple[str, bytes, str]]:
    """Yield a label, the bytes and the extension of every file."""
    for family, extension in ((wav_family, ".wav"), (aiff_family, ".aiff")):
        for coding in CODINGS:
            for channels in CHANNELS:
                for label, data in family(channels, coding):
                    yield f"{extension[1:]} {coding.name} bits {channels} ch {label}", data, extension


def judge_file(folder: Path, data: bytes, extension: str) -> str:
    """Return whether the decoder follows sox and ffmpeg on one file."""
    path = folder / f"in{extension}"
    path.write_bytes(data)
    by_sox = _run(["sox", "-D", "-V1", path, "-t", "wavpcm", "-e", "floating-point", "-b", "32"], folder)
    # Not the one on PATH: old versions lose the end of every packet when the block align is wrong.
    quiet = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "quiet", "-y"]
    by_ffmpeg = _run([*quiet, "-i", path, "-c:a", "pcm_f32le"], folder)
    ours = _decode(path, folder)
    if by_sox is None or by_ffmpeg is None:
        readers = "one program reads it" if (by_sox is None) != (by_ffmpeg is None) else "neither reads it"
        return f"not judged: {readers}, we {'refuse' if ours is None else 'read'} it"
    if are_alike(by_sox, by_ffmpeg):
        is_right = ours is not None and are_alike(ours, by_sox)
        return f"{'right' if is_right else 'wrong'}: both read it alike"
    return f"{'right' if ours is None else 'wrong'}: they read it differently"


def are_alike(one: Sound, two: Sound) -> bool:
    """Return whether two sounds begin alike and are equally long, but for frames that ffmpeg loses."""
    if one.shape[1] != two.shape[1] or abs(len(one) - len(two)) > _LOST_FRAMES:
        return False
    first, second = one[:_COMPARED_FRAMES], two[:_COMPARED_FRAMES]
    shared = min(len(first), len(second))
    with np.errstate(invalid="ignore"):
        apart = np.abs(first[:shared] - second[:shared])
        is_sound = (np.abs(first[:shared]) <= 1) & (np.abs(second[:shared]) <= 1)
    return bool((apart[is_sound] < 1e-4).all())


def _run(command: list[str | Path], folder: Path) -> Sound | None:
    out = folder / "out.wav"
    out.unlink(missing_ok=True)
    done = subprocess.run([*command, out], capture_output=True, check=False, timeout=60)
    if done.returncode or not out.exists():
        return None
    samples = np.asarray(soundfile.read(out, dtype="float32", always_2d=True)[0])
    return samples if len(samples) else None


def _decode(path: Path, folder: Path) -> Sound | None:
    try:
        return np.asarray(decode_file(path, folder).samples[:])
    except UnreadableAudio:
        return None


def _is_reasoned(label: str) -> bool:
    """Return whether we differ on purpose.

    Bytes that are no float in the first place become silence here and full scale there. "sowt" with other
    than 16 bits is read as sox and libsndfile do, which write it.
    """
    no_floats = ("tag-3", "subtype-3", *(f"f32 bits {number} ch offset-1" for number in CHANNELS))
    tags_or_cut = ("-list", "-name", "x4", "frames-17640")
    return label.endswith((*tags_or_cut, *no_floats, "sowt'", "f32 bits 6 ch bits-64-align-0"))


if __name__ == "__main__":
    main()
