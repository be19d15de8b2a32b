"""Sounds of installed packages, drawn at random, and their near duplicates: copies treated in seven ways.

A source is a file, a note of a soundfont, or four bars of an arrangement. Each belongs to a group: a folder,
a program or an arrangement. Thresholds are tuned on half of the groups.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import soundfile
import soxr

from benchmarks.alike.kits import KIT_ROOT, kit_hits
from benchmarks.alike.loops import Arrangement, arrangements
from training.installed_sounds import HELD_OUT_SOUNDFONTS, RATE
from training.soundfont_synth import SYNTH_RATE, render_stereo

FOLDERS = (
    KIT_ROOT,
    *(Path("/usr/share") / name for name in ("sonic-pi/samples", "lmms/samples", "sounds", "games")),
)
VOICES = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
RATE_HZ = 48_000  # of the WAVs that the product writes

_VOICE_COUNT, _ARRANGEMENT_COUNT = 150, 40
_SHORTEST_S, _LONGEST_S = 0.02, 12.0
_FRAMES_AT_ONCE = 4096
_SUFFIXES = (".wav", ".flac", ".ogg")
_NUMBERED = re.compile(r"[ _.-]?\d+$")

(_SOUNDFONT,) = HELD_OUT_SOUNDFONTS
_DRUM_CHANNEL, _DRUM_NOTES = 9, range(35, 82)
_PITCHES, _NOTE_S, _RENDERED_S = (36, 48, 60, 72), 0.8, 2.0

Sound = np.ndarray


@dataclass(frozen=True)
class Source:
    """A file; or the note of a program, -1 for drums; or the number and the item of an arrangement."""

    group: str
    path: Path | None = None
    note: tuple[int, int] | None = None
    loop: tuple[int, str] | None = None


def is_tuned(group: str) -> bool:
    """Return whether the thresholds are tuned on a group."""
    return hashlib.sha256(group.encode()).digest()[0] % 2 == 0


def sound_sources(count: int) -> list[Source]:
    """Return so many sources, equal files once."""
    sources = [*_files(), *_notes(), *_loops()]
    return [sources[i] for i in np.random.default_rng(0).permutation(len(sources))[:count]]


def layer_pairs() -> list[tuple[Path, Path]]:
    """Return all pairs of different files of one instrument: by the kits' indexes, or by numbered names."""
    by_instrument: dict[str, dict[str, Path]] = {}
    for hit in kit_hits():
        by_instrument.setdefault(hit.instrument, {})[hit.digest] = hit.path
    for path in (source.path for source in _files()):
        if path is not None and _NUMBERED.search(path.stem) and VOICES not in path.parents:
            name = f"{path.parent}/{_NUMBERED.sub('', path.stem)}"
            by_instrument.setdefault(name, {})[_digest(path)] = path
    pairs = (pair for paths in by_instrument.values() for pair in combinations(sorted(paths.values()), 2))
    return sorted(set(pairs))


def load(source: Source | Path) -> Sound | None:
    """Return a sound in one or two channels at `RATE_HZ`; None when it is silent, very short or long."""
    if isinstance(source, Path):
        source = Source(str(source.parent), path=source)
    y, rate = np.zeros((0, 1), np.float32), RATE
    if source.path is not None:
        y, rate = _read_file(source.path)
    elif source.note is not None:
        y, rate = _play_note(*source.note), SYNTH_RATE
    elif source.loop is not None:
        at, item = source.loop
        y, rate = _all_arrangements()[at].items[item][:, None], RATE
    if not _SHORTEST_S * rate <= len(y) <= _LONGEST_S * rate or np.abs(y).max() < 1e-4:
        return None
    return soxr.resample(y[:, :2], rate, RATE_HZ)


def treatments(y: Sound) -> Iterator[tuple[str, Sound]]:
    """Yield a sound as its near duplicates, in the channels it has, at `RATE_HZ`."""
    half = 0.5 * y / (np.abs(y).max() + 1e-9)
    yield "MP3 128k", _coded(half, "MP3", "MPEG_LAYER_III", 2 / 3, "CONSTANT")  # from 320 to 32 kbit/s
    yield "Ogg Vorbis", _coded(half, "OGG", "VORBIS", 0.6)  # quality 4
    yield "32 kHz and back", soxr.resample(soxr.resample(y, RATE_HZ, 32_000), 32_000, RATE_HZ)
    yield "mono", y.mean(axis=1, keepdims=True)
    yield "gain −9 dB", y * 10 ** (-9 / 20)
    yield "last third cut", y[: len(y) - len(y) // 3]
    yield "30 ms lead", np.concatenate([np.zeros((int(0.03 * RATE_HZ), y.shape[1]), y.dtype), y])


def _coded(y: Sound, container: str, codec: str, level: float, mode: str | None = None) -> Sound:
    """Return a sound as an encoder and its decoder leave it; libsndfile trims what LAME puts in front."""
    packed = io.BytesIO()
    options = {"format": container, "subtype": codec, "compression_level": level, "bitrate_mode": mode}
    with soundfile.SoundFile(packed, "w", RATE_HZ, y.shape[1], **options) as encoder:
        for at in range(0, len(y), _FRAMES_AT_ONCE):  # libvorbis fails on long blocks
            encoder.write(y[at : at + _FRAMES_AT_ONCE])
    packed.seek(0)
    return soundfile.read(packed, dtype="float32", always_2d=True)[0]


def _files() -> list[Source]:
    """Return the audio files of the packages, equal ones once."""
    files = sorted(p for folder in FOLDERS for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES)
    voices = sorted(VOICES.rglob("*.wav"))
    files += voices[:: max(1, len(voices) // _VOICE_COUNT)]
    once = {_digest(path): path for path in reversed(files)}
    return [Source(str(path.parent), path=path) for path in sorted(once.values())]


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_file(path: Path) -> tuple[Sound, int]:
    """Return the samples of a file and their rate; none when it is no audio, as one of lmms's is not."""
    try:
        return soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:
        return np.zeros((0, 1), np.float32), RATE


def _notes() -> list[Source]:
    """Return the drums of the soundfont and notes of its programs."""
    drums = [Source("drums", note=(-1, pitch)) for pitch in _DRUM_NOTES]
    return drums + [Source(f"program {p}", note=(p, pitch)) for p in range(128) for pitch in _PITCHES]


def _play_note(program: int, note: int) -> Sound:
    """Return a note of a program of the soundfont, or a drum, until it has died."""
    channel = _DRUM_CHANNEL if program < 0 else 0
    events = [(0.0, channel, "program", max(program, 0), 0), (0.0, channel, "on", note, 100),
              (_NOTE_S, channel, "off", note, 0)]  # fmt: skip
    y = render_stereo(events, _SOUNDFONT, _RENDERED_S, reverb=False)
    loud = np.flatnonzero(np.abs(y).max(axis=1) > 1e-3 * np.abs(y).max(initial=1e-9))
    return y[: loud[-1] + 1] if loud.size else y


def _loops() -> list[Source]:
    """Return the items of arrangements."""
    return [Source(a.name, loop=(at, item)) for at, a in enumerate(_all_arrangements()) for item in a.items]


@cache
def _all_arrangements() -> Sequence[Arrangement]:
    return tuple(arrangements(_ARRANGEMENT_COUNT))
