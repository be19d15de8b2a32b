"""Measure how near duplicates are found: `python -m benchmarks.near_duplicates`.

Each sound is treated in seven ways. A copy is found when its original is among the candidates by distance and
the samples confirm it. False alarms are counted on pairs of hits of one instrument: other velocities, other
takes. Fails when fewer than 99 % of a treatment are found or more than 1 in 1,000 pairs is a false alarm.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import combinations
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import soundfile
import soxr

from app.audio.estimation.boosted_trees import load_weights
from app.audio.listening.front_end import compute_front_end
from app.audio.similarity import layout
from app.audio.similarity.course import spectral_course
from app.audio.similarity.duplicates import DUPLICATE_DISTANCE, is_same_recording
from app.audio.similarity.vector import project
from benchmarks.alike.kits import KIT_ROOT, kit_hits
from benchmarks.tables import Table, add_document_option, show_tables
from training.installed_sounds import HELD_OUT_SOUNDFONTS
from training.soundfont_synth import SYNTH_RATE, render_stereo

FOLDERS = (KIT_ROOT, Path("/usr/share/sonic-pi/samples"), Path("/usr/share/lmms/samples"))
RATE_HZ = 48_000  # of the WAVs that the product writes
MIN_FOUND_PERCENT, MAX_FALSE_IN_1000 = 99.0, 1.0
# Layers of some kits are one recording with another gain: after the best gain this much or less is left.
COPY_RESIDUAL_DB = -40.0

_LONGEST_S = 12.0
_SUFFIXES = (".wav", ".flac", ".ogg")

(_SOUNDFONT,) = HELD_OUT_SOUNDFONTS
_DRUM_CHANNEL, _DRUM_NOTES = 9, range(35, 82)
_PITCHES, _NOTE_S, _RENDERED_S = (36, 48, 60, 72), 0.8, 2.0

Sound = np.ndarray
Source = Path | tuple[int, int]
"""A file, or a program and a note of a soundfont; drums have the program -1."""
Answer = tuple[str, float, bool, float]
"""A treatment, the distance of the copy, whether it is confirmed, and the CPU time of that in seconds."""
Layers = tuple[bool, bool, bool]
"""Whether two layers are candidates, are confirmed, and are copies of one recording."""


def main() -> int:
    """Print the tables; return 1 when too few are found or too many alarms are false."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sounds", type=int, default=2000)
    parser.add_argument("--pairs", type=int, default=20, help="of each instrument at most")
    parser.add_argument("--jobs", type=int, default=2)
    add_document_option(parser)
    options = parser.parse_args()
    with Pool(options.jobs) as pool:
        found = pool.map(_treat_sound, sound_sources(options.sounds), chunksize=4)
        pairs = pool.map(_compare_layers, layer_pairs(options.pairs), chunksize=8)
    found = [rows for rows in found if rows]
    compared = [pair for pair in pairs if pair is not None]
    show_tables([_found_table(found), _alarm_table(compared)], options.document)
    least = min(_found_percent(found, at) for at in range(len(found[0])))
    return int(least < MIN_FOUND_PERCENT or _alarms_in_1000(compared) > MAX_FALSE_IN_1000)


def sound_sources(count: int) -> list[Source]:
    """Return so many audio files of the installed packages and notes of a soundfont, drawn at random."""
    files = sorted({p for folder in FOLDERS for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES})
    notes = [(program, pitch) for program in range(128) for pitch in _PITCHES]
    sources: list[Source] = [*files, *((-1, note) for note in _DRUM_NOTES), *notes]
    return [sources[i] for i in np.random.default_rng(0).permutation(len(sources))[:count]]


def layer_pairs(count: int) -> list[tuple[Path, Path]]:
    """Return pairs of different files of one instrument of a kit, at most so many of each."""
    rng = np.random.default_rng(1)
    by_instrument: dict[str, list[Path]] = {}
    for hit in kit_hits():
        by_instrument.setdefault(hit.instrument, []).append(hit.path)
    drawn = []
    for paths in by_instrument.values():
        pairs = list(combinations(paths, 2))
        drawn += [pairs[i] for i in rng.permutation(len(pairs))[:count]]
    return drawn


def treatments(y: Sound) -> Iterator[tuple[str, Sound]]:
    """Yield a sound as its near duplicates, in the channels it has, at `RATE_HZ`."""
    half = 0.5 * y / (np.abs(y).max() + 1e-9)
    yield "MP3 128k", _coded(half, "mp3", ["-c:a", "libmp3lame", "-b:a", "128k"])
    yield "Ogg Vorbis", _coded(half, "ogg", ["-c:a", "libvorbis", "-q:a", "4"])
    yield "32 kHz and back", soxr.resample(soxr.resample(y, RATE_HZ, 32_000), 32_000, RATE_HZ)
    yield "mono", y.mean(axis=1, keepdims=True)
    yield "gain −9 dB", y * 10 ** (-9 / 20)
    yield "last third cut", y[: len(y) - len(y) // 3]
    yield "30 ms lead", np.concatenate([np.zeros((int(0.03 * RATE_HZ), y.shape[1]), y.dtype), y])


def _coded(y: Sound, container: str, codec: list[str]) -> Sound:
    """Return a sound as an encoder and its decoder leave it, with all the silence they add."""
    raw = ["-f", "f32le", "-ar", str(RATE_HZ), "-ac", str(y.shape[1])]
    pcm = np.ascontiguousarray(y, dtype="<f4").tobytes()
    packed = _run_ffmpeg([*raw, "-i", "-", *codec, "-f", container, "-"], pcm)
    found = np.frombuffer(_run_ffmpeg(["-f", container, "-i", "-", *raw, "-"], packed), "<f4")
    return found.reshape(-1, y.shape[1])


def _run_ffmpeg(arguments: list[str], stdin: bytes) -> bytes:
    command = ["ffmpeg", "-v", "error", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout


def _load(source: Source) -> Sound | None:
    """Return a sound in one or two channels at `RATE_HZ`; None when it is silent or too long."""
    if isinstance(source, Path):
        y, rate = soundfile.read(source, dtype="float32", always_2d=True)
    else:
        y, rate = _play_note(*source), SYNTH_RATE
    if not len(y) or len(y) > _LONGEST_S * rate or np.abs(y).max() < 1e-4:
        return None
    return soxr.resample(y[:, :2], rate, RATE_HZ)


def _play_note(program: int, note: int) -> Sound:
    """Return a note of a program of the soundfont, or a drum, until it has died."""
    channel = _DRUM_CHANNEL if program < 0 else 0
    events = [(0.0, channel, "program", max(program, 0), 0), (0.0, channel, "on", note, 100),
              (_NOTE_S, channel, "off", note, 0)]  # fmt: skip
    y = render_stereo(events, _SOUNDFONT, _RENDERED_S, reverb=False)
    loud = np.flatnonzero(np.abs(y).max(axis=1) > 1e-3 * np.abs(y).max(initial=1e-9))
    return y[: loud[-1] + 1] if loud.size else y


def _body(y: Sound) -> np.ndarray:
    """Return the block of the vector that candidates are found by."""
    course = spectral_course(compute_front_end(y, RATE_HZ)).ravel()
    return project(course, load_weights("similarity"), layout.BODY)


def _treat_sound(source: Source) -> list[Answer]:
    """Return the answer to each treatment of a sound; none for a silent or long one."""
    y = _load(source)
    if y is None:
        return []
    body, rows = _body(y), []
    for name, z in treatments(y):
        start = time.process_time()
        same = is_same_recording(y, z, RATE_HZ)
        taken_s = time.process_time() - start
        rows.append((name, float(np.linalg.norm(_body(z) - body)), same, taken_s))
    return rows


def _compare_layers(pair: tuple[Path, Path]) -> Layers | None:
    """Compare two layers; None when one is silent or long."""
    a, b = map(_load, pair)
    if a is None or b is None:
        return None
    near = float(np.linalg.norm(_body(a) - _body(b))) < DUPLICATE_DISTANCE
    return near, near and is_same_recording(a, b, RATE_HZ), _is_copy(a, b)


def _is_copy(a: Sound, b: Sound) -> bool:
    """Return whether one sound is the other with a gain and a shift, but for `COPY_RESIDUAL_DB`."""
    x, y = (z.mean(axis=1).astype(np.float64) for z in (a, b))
    size = 2 * max(x.size, y.size)
    lagged = np.fft.irfft(np.fft.rfft(x, size) * np.conj(np.fft.rfft(y, size)), size)
    best = float(np.abs(lagged).max()) / (np.linalg.norm(x) * np.linalg.norm(y) + 1e-12)
    return bool(1 - best**2 < 10 ** (COPY_RESIDUAL_DB / 10))


def _found_percent(found: Sequence[list[Answer]], at: int) -> float:
    """Return the share of copies of a treatment that are candidates and confirmed."""
    return 100 * float(np.mean([rows[at][1] < DUPLICATE_DISTANCE and rows[at][2] for rows in found]))


def _alarms_in_1000(pairs: Sequence[Layers]) -> float:
    """Return how many of 1,000 pairs of other recordings are taken for copies."""
    return 1000 * float(np.mean([alarm for _, alarm, copy in pairs if not copy]))


def _found_table(found: Sequence[list[Answer]]) -> Table:
    """Return how near the copies of each treatment are, and how many are found."""
    rows = []
    for at, (name, *_) in enumerate(found[0]):
        away = np.array([answers[at][1] for answers in found])
        candidates = 100 * float(np.mean(away < DUPLICATE_DISTANCE))
        confirmed = 100 * float(np.mean([answers[at][2] for answers in found]))
        taken_ms = 1000 * float(np.median([answers[at][3] for answers in found]))
        spread = f"{np.median(away):.3f}, {np.quantile(away, 0.99):.3f}"
        rows.append((name, spread, candidates, confirmed, _found_percent(found, at), f"{taken_ms:.0f}"))
    header = ("distance: median, 99 %", "candidates %", "confirmed %", "found %", "ms to confirm")
    return Table("near duplicates", (f"{len(found)} sounds", *header), rows)


def _alarm_table(pairs: Sequence[Layers]) -> Table:
    """Return how often other hits of one instrument are taken for copies."""
    other = [pair for pair in pairs if not pair[2]]
    counts = (
        len(pairs),
        len(pairs) - len(other),
        len(other),
        sum(p[0] for p in other),
        sum(p[1] for p in other),
    )
    header = ("pairs of one instrument", "copies with another gain", "other recordings", "candidates")
    return Table("false alarms", (*header, "false alarms", "in 1,000"), [(*counts, _alarms_in_1000(pairs))])


if __name__ == "__main__":
    sys.exit(main())
