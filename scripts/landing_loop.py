"""Make the loop that the landing page plays, and measure it as an upload: python -m scripts.landing_loop.

The file goes on after its end with its own beginning, so that a browser can repeat it without a gap,
whatever silence its MP3 decoder leaves at the start.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import soundfile

from app.audio.decoding.decoder import decode_file
from app.audio.file_report import measure_decoded
from scripts import synthesised_sounds as sounds
from scripts.synthesised_sounds import RATE, STEPS_A_BAR, Signal, place_steps

ROOT = Path(__file__).resolve().parent.parent
AUDIO, FACTS = ROOT / "static" / "audio" / "landing.mp3", ROOT / "app" / "pages" / "landing_loop.json"
NAME, BPM, BARS = "Dusty keys", 90.0, 2
TAIL_S = 0.25
PARTS = ("drums", "keys", "bass")
CUTOFFS_HZ = {"drums": 12_000, "keys": 2600, "bass": 900}
KICKS = ((0, 1.0), (7, 0.7), (10, 0.9), (16, 1.0), (19, 0.6), (26, 0.95))
SNARES = ((4, 0.8), (12, 0.85), (20, 0.8), (28, 0.85), (31, 0.25))
BASS_NOTES = {
    55.0: ((0, 0.9), (7, 0.6)),
    65.41: ((12, 0.6),),
    73.42: ((16, 0.9), (23, 0.6)),
    49.0: ((27, 0.6),),
}
A_MINOR_7, D_MINOR_9 = (220.0, 261.63, 329.63, 392.0), (146.83, 220.0, 261.63, 329.63)


def main() -> None:
    """Write the MP3 and what the product measures in the loop."""
    loop = make_loop()
    AUDIO.parent.mkdir(exist_ok=True)
    with_tail = np.concatenate([loop, loop[: round(TAIL_S * RATE)]])
    soundfile.write(AUDIO, with_tail, RATE, format="MP3", compression_level=0.75, bitrate_mode="CONSTANT")
    FACTS.write_text(json.dumps(measure(loop), indent=1) + "\n")
    print(f"{AUDIO.relative_to(ROOT)}: {AUDIO.stat().st_size:,} bytes")


def make_loop(bpm: float = BPM, semitones: float = 0.0, parts: Collection[str] = PARTS) -> Signal:
    """Return two bars of drums, bass and keys, in A minor or transposed from it."""
    length, bar, factor = round(BARS * 4 * 60 / bpm * RATE), STEPS_A_BAR, 2 ** (semitones / 12)

    def add(sound: Signal, *steps: tuple[float, float]) -> Signal:
        return place_steps(length, bpm, sound, steps)

    made = {part: np.zeros(length) for part in PARTS}
    made["drums"] += add(sounds.kick(), *KICKS)
    made["drums"] += add(sounds.snare(), *SNARES)
    closed = [(step, 0.5 if step % 4 == 0 else 0.3) for step in range(0, BARS * bar, 2)]
    made["drums"] += add(sounds.hat(), *closed, (11, 0.25), (bar + 7, 0.25))
    made["drums"] += add(sounds.hat(11), (bar + 14, 0.35))
    for start, chord in ((0, A_MINOR_7), (bar, D_MINOR_9)):
        played = sounds.chord([factor * each for each in chord], 1.9)
        made["keys"] += add(played, (start, 0.8), (start + 6, 0.45))
    for frequency_hz, steps in BASS_NOTES.items():
        made["bass"] += add(sounds.bass(factor * frequency_hz, 0.6), *steps)
    return _mix({part: made[part] for part in parts})


def _mix(made: Mapping[str, Signal]) -> Signal:
    """Return the parts together, a little dull and saturated, as from a record."""
    levels = {"drums": 0.62, "keys": 0.75, "bass": 0.5}
    length = len(next(iter(made.values())))
    mixed = 0.003 * np.random.default_rng(9).normal(size=length)
    for part, signal in made.items():
        mixed += levels[part] * sounds.low_pass(signal, CUTOFFS_HZ[part])
    twice = sounds.low_pass(np.concatenate([mixed, mixed]), 9500)  # by the second time the filter is settled
    whole = np.tanh(0.9 * twice)[length:]
    return np.asarray(0.92 * whole / np.max(np.abs(whole)))


def measure(loop: Signal) -> dict[str, object]:
    """Return what the product finds out about the loop when it is uploaded as a WAV."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{NAME}.wav"
        soundfile.write(file, loop, RATE, subtype="PCM_16")
        found = measure_decoded(decode_file(file, Path(folder)), file.name)
    return {
        "name": file.name,
        "length_s": len(loop) / RATE,
        "bars": list(bytes(found.bars)),
        "bpm": found.bpm,
        "key": found.key,
        "kind": found.kind,
        "sound": found.sound,
    }


if __name__ == "__main__":
    main()
