"""Play the drum notes of the soundfonts, each labelled by the instrument General MIDI names for it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from training import soundfont_synth
from training.corpus import Clip
from training.installed_sounds import RATE, SOUNDFONTS

# The classes that tell hits apart best. Whistles, guiros, cuicas and the like are too few for one.
NOTES_OF_INSTRUMENT = {
    "kick": (35, 36), "stick": (37, 75, 76, 77), "snare": (38, 40), "clap": (39,),
    "tom": (41, 43, 45, 47, 48, 50), "closed hat": (42, 44), "open hat": (46,), "crash": (49, 52, 55, 57),
    "ride": (51, 59), "bell": (53, 56, 67, 68, 80, 81), "shaker": (54, 69, 70),
    "hand drum": (60, 61, 62, 63, 64, 65, 66),
}  # fmt: skip
KIT_PROGRAMS = (0, 8, 16, 24, 25, 32, 40, 48, 56, 127)
VELOCITIES = (60, 115)

_RENDERED_S = 3.5
_END_DB, _EARLY_END_DB = -60.0, -40.0
_MIN_SAMPLES = RATE // 50


def named_hits(scale: float) -> Iterator[Clip]:
    """Yield every drum note of every kit of the soundfonts, soft and loud, once each."""
    rng, heard = np.random.default_rng(31), set()
    for soundfont in SOUNDFONTS:
        for program in KIT_PROGRAMS[: max(1, round(scale * len(KIT_PROGRAMS)))]:
            if not soundfont_synth.has_drum_kit(soundfont, program):
                continue
            for name, notes in NOTES_OF_INSTRUMENT.items():
                for y in _played_notes(soundfont, program, notes, rng):
                    found = np.round(y / np.abs(y).max(), 3).tobytes()
                    if found not in heard:  # many kits share most of their sounds
                        heard.add(found)
                        yield Clip("namedhit", f"sf-{soundfont}", "named", y, label=name, content="drum")


def _played_notes(
    soundfont: str, program: int, notes: tuple[int, ...], rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yield the notes at each velocity, cut where they have died or a little earlier."""
    for note in notes:
        for velocity in VELOCITIES:
            events = [(0.0, 9, "program", program, 0), (0.0, 9, "on", note, velocity)]
            y = soundfont_synth.render_events(events, soundfont, _RENDERED_S, reverb=False)
            end_db = _END_DB if rng.random() < 0.5 else _EARLY_END_DB
            loud = np.flatnonzero(np.abs(y) > np.abs(y).max() * 10 ** (end_db / 20))
            if np.abs(y).max() > 1e-3 and loud[-1] > _MIN_SAMPLES:
                yield y[: loud[-1] + 1]
