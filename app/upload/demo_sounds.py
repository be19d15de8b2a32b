"""Synthesise the demo sounds: a drum loop, a chord and two one-shots.

Each call makes the same bytes, so an account that has them already is recognised.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from functools import cache
from io import BytesIO

with warnings.catch_warnings():
    warnings.simplefilter(
        "ignore", RuntimeWarning
    )  # pydub warns that ffmpeg is missing, which nothing here needs
    from pydub import AudioSegment
    from pydub.generators import SignalGenerator, Sine, Square

BPM = 92
BEAT_MS = 60_000 / BPM
BEATS = 8
A_MINOR_HZ = (220.0, 261.63, 329.63, 440.0)


class SeededNoise(SignalGenerator):  # type: ignore[misc]  # pydub has no types
    """White noise that is the same each time."""

    def generate(self) -> Iterator[float]:
        """Yield samples between -1 and 1 for ever."""
        source = random.Random(404)  # noqa: S311  # a sound, not a secret
        while True:
            yield source.uniform(-1, 1)


@cache
def make_demo_sounds() -> tuple[tuple[str, bytes], ...]:
    """Return names and WAV files; each has the tempo and key its name gives."""
    return (
        (f"Demo drum loop {BPM}.wav", _wav(_drum_loop())),
        ("Demo chord A minor.wav", _wav(_chord())),
        ("Demo kick.wav", _wav(_kick())),
        ("Demo hat.wav", _wav(_hat())),
    )


def _drum_loop() -> AudioSegment:
    kick, snare, hat = _kick(), _snare(), _hat()
    loop = AudioSegment.silent(round(BEATS * BEAT_MS), frame_rate=kick.frame_rate)
    for eighth in range(2 * BEATS):
        loop = loop.overlay(hat - 6, round(eighth * BEAT_MS / 2))
    for beat in range(BEATS):
        loop = loop.overlay(snare if beat % 2 else kick, round(beat * BEAT_MS))
    return loop


def _chord() -> AudioSegment:
    chord = AudioSegment.silent(3000, frame_rate=44100)
    for frequency_hz in A_MINOR_HZ:
        tone = Sine(frequency_hz).to_audio_segment(3000, volume=-14)
        overtone = Square(frequency_hz).to_audio_segment(3000, volume=-34)
        chord = chord.overlay(tone).overlay(overtone)
    return chord.fade_in(20).fade_out(1200)


def _kick() -> AudioSegment:
    body = Sine(52).to_audio_segment(260, volume=-4).fade_out(240)
    click = Sine(140).to_audio_segment(40, volume=-8).fade_out(36)
    return body.overlay(click)


def _snare() -> AudioSegment:
    noise = SeededNoise().to_audio_segment(160, volume=-14).fade_out(150)
    return noise.overlay(Sine(190).to_audio_segment(90, volume=-10).fade_out(85))


def _hat() -> AudioSegment:
    return SeededNoise().to_audio_segment(60, volume=-22).fade_out(56)


def _wav(sound: AudioSegment) -> bytes:
    file = BytesIO()
    sound.export(file, format="wav")
    return file.getvalue()
