"""The loops of the benchmark of chops: rhythms, each played by several kits, in two halves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.chops.players import RATE_HZ, Player, Times, players
from benchmarks.chops.rhythms import KEPT_BACK, TUNED_ON, Rhythm, composed_rhythms, written_rhythm
from benchmarks.unseen.signals import seeded

KITS_A_WRITTEN, KITS_A_COMPOSED = 5, 2
NOISE_EVERY, NOISE_DB = 3, -50.0
"""Every third loop has noise below full scale beside it, as tape and rooms have."""


@dataclass(frozen=True)
class Loop:
    """A loop whose strokes are known; samples have the shape (frames, 2) at `RATE_HZ`."""

    name: str
    samples: np.ndarray
    strokes: tuple[Times, ...]

    @property
    def duration_s(self) -> float:
        """The length in seconds."""
        return len(self.samples) / RATE_HZ


def all_loops(is_kept_back: bool) -> Iterator[Loop]:
    """Yield the loops of one half: no kit, soundfont or rhythm is in both."""
    kits = players(is_kept_back)
    for number, (kit, rhythm) in enumerate(_pairs(list(kits), is_kept_back)):
        has_noise = number % NOISE_EVERY == NOISE_EVERY - 1
        yield _play(kit, kits[kit], rhythm, has_noise)


def _pairs(kits: list[str], is_kept_back: bool) -> Iterator[tuple[str, Rhythm]]:
    """Yield which kit plays which rhythm, all kits about equally often."""
    written = KEPT_BACK if is_kept_back else TUNED_ON
    rhythms = [(written_rhythm(name, part), KITS_A_WRITTEN) for name, part in written.items()]
    rhythms += [(rhythm, KITS_A_COMPOSED) for rhythm in composed_rhythms(is_kept_back)]
    number = 0
    for rhythm, count in rhythms:
        for _ in range(count):
            yield kits[number % len(kits)], rhythm
            number += 1


def _play(kit: str, player: Player, rhythm: Rhythm, has_noise: bool) -> Loop:
    samples, strokes = player(rhythm)
    if has_noise:
        noise = np.stack([_pink(len(samples), kit + rhythm.name, side) for side in (0, 1)], axis=1)
        samples = samples + (10 ** (NOISE_DB / 20) * noise).astype(np.float32)
    return Loop(f"{rhythm.name}, {kit}", samples, tuple(strokes))


def _pink(frames: int, name: str, side: int) -> np.ndarray:
    """Return noise that falls by 3 dB an octave, with an RMS of 1."""
    spectrum = np.fft.rfft(seeded(name, side).standard_normal(frames))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(spectrum.size), 1)), frames)
    return noise / np.sqrt(np.mean(np.square(noise)))
