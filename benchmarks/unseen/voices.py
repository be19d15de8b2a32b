"""Speech of espeak-ng and flite, one speaker or many at once."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr

from benchmarks.unseen.signals import RATE_HZ, Rng, Signal, filtered, frames, noise, place, scaled

_SENTENCES = {
    "en-gb": "The harbour was quiet when we left, and nobody asked where the boxes had come from. "
    "Later that evening it began to rain, so we stayed inside and listened to old records.",
    "en-us": "Hold the line, please. If this is about the second order, it went out on Thursday; "
    "otherwise leave your number, your name, and a short message after the tone.",
    "de": "Gestern abend stand das Fenster offen, und im Hof sprach jemand lange über das Wetter. "
    "Dann fiel eine Tür zu, und es war wieder still.",
    "fr": "On n'a rien entendu pendant une heure, puis le moteur a toussé deux fois. "
    "Ma sœur disait toujours que cette voiture avait un caractère difficile.",
    "es": "La radio seguía encendida cuando llegamos a la cocina. "
    "Nadie recordaba la canción, pero todos sabían de memoria el estribillo.",
    "it": "Il mercato apre presto, e prima delle otto non c'è quasi nessuno. "
    "Poi arrivano tutti insieme, parlano forte e comprano pomodori.",
    "pt": "O elétrico passou devagar pela rua estreita, e as crianças acenaram da janela. "
    "Ninguém tinha pressa naquela manhã.",
    "pl": "Wczoraj padał śnieg, a dzisiaj świeci słońce. Kot śpi na parapecie i nic go nie obchodzi.",
}  # fmt: skip
_FLITE_VOICES = ("kal", "awb", "rms", "slt")


def speech(rng: Rng, duration_s: float) -> Signal:
    """Return one speaker, from a random place of a text on, with a little room noise."""
    voice = _spoken(*_draw_speaker(rng))
    while voice.size < frames(duration_s) * 1.2:
        pause = np.zeros(frames(rng.uniform(0.2, 1.1)))
        voice = np.concatenate([voice, pause, _spoken(*_draw_speaker(rng))])
    start = int(rng.integers(voice.size - frames(duration_s)))
    return voice[start : start + frames(duration_s)] + rng.uniform(0, 0.01) * noise(rng, duration_s, -3)


def babble(rng: Rng, duration_s: float) -> Signal:
    """Return three to twelve speakers at once, near and far."""
    y = np.zeros(frames(duration_s))
    for _ in range(int(rng.integers(3, 13))):
        one = filtered(speech(rng, duration_s), None, rng.uniform(1_500, 8_000), 1)
        place(y, one, 0.0, rng.uniform(0.2, 1))
    return y


def missing_programs() -> list[str]:
    """Return the programs that speech needs and that are not installed."""
    return [name for name in ("espeak-ng", "flite") if shutil.which(name) is None]


def _draw_speaker(rng: Rng) -> tuple[str, str, int, int]:
    """Return program or language, text, words a minute and pitch; few of each, so that they can be cached."""
    language = str(rng.choice(list(_SENTENCES)))
    text = _SENTENCES[language]
    if language.startswith("en") and rng.random() < 0.5:
        return f"flite-{rng.choice(_FLITE_VOICES)}", text, int(rng.choice([80, 100, 130])), 0
    variant = str(rng.choice(["+m1", "+m3", "+f2", "+f4", "+croak", "+whisper"]))
    return language + variant, text, int(rng.choice([110, 150, 190, 240])), int(rng.choice([25, 50, 75]))


@cache
def _spoken(voice: str, text: str, pace: int, pitch: int) -> Signal:
    """Return a text as a synthesiser speaks it, with its peak at 1."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "voice.wav"
        if voice.startswith("flite-"):
            stretch = f"duration_stretch={100 / pace}"
            command = ["flite", "-voice", voice[6:], "--setf", stretch, "-t", text, "-o", str(path)]
        else:
            command = ["espeak-ng", "-v", voice, "-s", str(pace), "-p", str(pitch), "-w", str(path), text]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        y, rate = soundfile.read(path)
    return scaled(soxr.resample(y, rate, RATE_HZ))
