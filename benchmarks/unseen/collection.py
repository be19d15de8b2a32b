"""The whole collection: every sort without a beat, and every control with one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.unseen import beds, breaks, controls, drones, foley, grooves, motions, recordings, voices
from benchmarks.unseen.delivery import LabelledSound, draw_length, faded, seamless
from benchmarks.unseen.signals import RATE_HZ, Rng, Signal, frames, seeded

TEXTURE, EITHER = ("texture",), ("texture", "one-shot")

# sort → maker, shortest and longest in seconds, right kinds, whether such sounds are looped without a seam
_SORTS: dict[str, tuple[Callable[[Rng, float], Signal], float, float, tuple[str, ...], bool]] = {
    "tape hiss": (beds.tape_hiss, 2, 20, TEXTURE, True),
    "coloured noise": (beds.coloured_noise, 2, 20, TEXTURE, True),
    "vinyl crackle": (beds.vinyl_crackle, 3, 20, TEXTURE, True),
    "room tone and hum": (beds.room_tone, 2, 20, TEXTURE, True),
    "wind": (beds.wind, 3, 20, TEXTURE, True),
    "rain": (beds.rain, 2, 20, TEXTURE, True),
    "water": (beds.water, 3, 20, TEXTURE, True),
    "fire": (beds.fire, 3, 20, TEXTURE, True),
    "applause": (beds.applause, 3, 12, TEXTURE, True),
    "speech": (voices.speech, 2, 16, TEXTURE, False),
    "babble": (voices.babble, 3, 16, TEXTURE, True),
    "footsteps": (foley.steps, 4, 16, TEXTURE, False),
    "irregular clicks": (foley.clicks, 3, 16, TEXTURE, False),
    "typing and locks": (foley.typing, 3, 16, TEXTURE, False),
    "rustle": (foley.rustle, 2, 16, TEXTURE, False),
    "risers": (motions.riser, 2, 16, EITHER, False),
    "downlifters": (motions.downlifter, 2, 12, EITHER, False),
    "sweeps": (motions.sweep, 2, 12, EITHER, False),
    "swells": (motions.swell, 2, 12, EITHER, False),
    "reversed tails": (motions.reversed_tail, 2, 8, EITHER, False),
    "drones": (drones.drone, 4, 20, TEXTURE, True),
    "pads": (drones.pad, 4, 16, TEXTURE, True),
    "atmospheres": (drones.atmosphere, 4, 20, TEXTURE, True),
    "machine hum": (drones.machine, 2, 16, TEXTURE, True),
    "granular clouds": (drones.grains, 3, 16, TEXTURE, True),
}
_BRIEF = {"recorded effects", "recorded machines"}  # may be as short as a hit
_PULSED = "recordings with a pulse"
_TRAP = "trap: a second of noise, repeated"


def labelled_sounds(each: int, *, seed: int = 0) -> Iterator[LabelledSound]:
    """Yield the sounds: `each` of every generated sort, `each` / 2.5 of every control, and the recordings."""
    for sort in _SORTS:
        for index in range(each):
            yield _beatless(sort, seeded(sort, index, seed))
    yield from _recorded()
    for sort, maker in (controls.MAKERS | breaks.MAKERS).items():
        for index in range(max(1, round(each / 2.5))):
            y, bpm = maker(seeded(sort, index, seed))
            yield LabelledSound(sort, y, ("loop",), bpm, is_control=True)
    yield from _played(round(each * 1.6))
    for index in range(max(1, each // 4)):
        yield _repeated_noise(seeded(_TRAP, index, seed))


def _beatless(sort: str, rng: Rng) -> LabelledSound:
    """Return a sound of a sort without a beat, plain, faded or looped without a seam."""
    maker, shortest, longest, kinds, loops = _SORTS[sort]
    duration_s, which = draw_length(rng, shortest, longest), rng.random()
    if loops and which < 0.3:
        cross_s = min(0.5, duration_s / 4)
        y = seamless(maker(rng, duration_s + cross_s), frames(cross_s))
        return LabelledSound(sort, y, kinds, origin=f"{duration_s:.3f} s, no seam")
    y = maker(rng, duration_s)
    if which > 0.75 and kinds is TEXTURE:
        return LabelledSound(sort, faded(rng, y, RATE_HZ), kinds, origin=f"{duration_s:.3f} s, faded")
    return LabelledSound(sort, y, kinds, origin=f"{duration_s:.3f} s")


def _recorded() -> Iterator[LabelledSound]:
    """Yield the recordings without a beat; a sort of which no file is installed is named on stderr."""
    for sort in recordings.sorts():
        found = False
        for path, y, rate in recordings.recordings(sort):
            found = True
            kinds: tuple[str, ...] = EITHER if sort in _BRIEF or len(y) < 4 * rate else TEXTURE
            shown = sort
            if recordings.has_pulse(path):
                kinds, shown = (), _PULSED
            yield LabelledSound(
                shown, y, kinds, rate_hz=rate, origin=f"{path.parent.name}/{path.name}", as_recorded=True
            )
        if not found:
            print(f"No {sort}: apt install {recordings.PACKAGES}", file=sys.stderr)


def _played(count: int) -> Iterator[LabelledSound]:
    """Yield grooves of the sources kept for scoring."""
    if missing := grooves.missing_sources():
        print(f"No grooves without {', '.join(missing)}: apt install {grooves.PACKAGES}", file=sys.stderr)
        return
    for sort, found in (("MMA groove", grooves.mma_grooves(count)), ("drum kit", grooves.kit_grooves())):
        for name, y, bpm in found:
            yield LabelledSound(sort, y, ("loop",), bpm, origin=name, is_control=True)


def _repeated_noise(rng: Rng) -> LabelledSound:
    """Return the same stretch of noise several times: whether that is a beat is for the listener to say."""
    part = beds.coloured_noise(rng, float(rng.choice([0.5, 1.0])))
    return LabelledSound(_TRAP, np.tile(part, int(rng.choice([4, 8, 16]))), ())
