"""Recordings without a beat from Debian packages, sorted by their file names.

What works at a pace of its own is left out (trains, hammers, mills, sirens, heart monitors), because some of
those recordings do have a beat.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.unseen.signals import Signal

LINCITY = Path("/usr/share/games/lincity-ng/sounds")
MINETEST = Path("/usr/share/games/minetest/games/minetest_game/mods")
SCORCHED = Path("/usr/share/games/scorched3d/data/globalmods/none/data/wav")
LMMS = Path("/usr/share/lmms/samples")
ASTERISK = Path("/usr/share/asterisk/sounds")
PACKAGES = (
    "lincity-ng-data minetest-data scorched3d-data lmms-common frozen-bubble-data alienblaster-data "
    "freedroid-data supercollider-common asterisk-core-sounds-en-wav asterisk-core-sounds-es-wav "
    "asterisk-core-sounds-fr-wav"
)
LONGEST_S, SHORTEST_S = 20.0, 1.0

_SORTS: dict[str, tuple[tuple[Path, str], ...]] = {
    "recorded weather": (
        (LINCITY, "Green* Water* Harbor* ParklandLake* Fire[123]* FireWasteland*"),
        (MINETEST, "env_sounds/sounds/*.ogg fire/sounds/fire_[fls]*.ogg */sounds/default_furnace_active.ogg"),
        (SCORCHED / "misc", "rain* oceanwaves* lava* thunder* birds* frogs*"),
    ),
    "recorded places": (
        (LINCITY, "Trafic* University* SportsCroud* Market* Farm* OrganicFarm*"),
        (SCORCHED, "*/citysounds.wav */cheeringloop.wav"),
        (LMMS / "misc", "raving_crowd* applause*"),
        (Path("/usr/share/games/frozen-bubble/snd"), "applause*"),
    ),
    "recorded machines": (
        (LINCITY, "ParklandPlane* Rocket* PowerCoal*"),
        (SCORCHED, "misc/f1* misc/t38* misc/jet* misc/rocket* */cessna* */elevate* */tankmove*"),
        (Path("/usr/share/games/freedroid/sound"), "WhiteNoise*"),
    ),
    "recorded effects": (
        (LMMS / "effects", "filter_sweep* explode* start* stop* warp* chroma*"),
        (SCORCHED, "explosions/*large* explosions/napalm* misc/laserdeath* misc/teleport* */lightning*"),
        (SCORCHED, "*/meteor* */quake* */shockwave* */riftcollapse* shoot/launch* */gas* */radiation*"),
        (Path("/usr/share/games/alienblaster/sound"), "explosion*"),
    ),
    "recorded held sounds": (
        (LMMS / "stringsnpads", "*"),
        (LMMS / "instruments", "church_organ* e_organ*"),
    ),
    "recorded speech": (
        (ASTERISK, "*/demo-*.wav */vm-*.wav */queue-*.wav */conf-*.wav */agent-*.wav"),
        (Path("/usr/share/SuperCollider/sounds"), "a11wlk01.wav"),
    ),
}  # fmt: skip
# Onset strength (librosa's, not the ear's) repeats in these with a correlation of 0.45 or more.
_PULSED = {
    "korg_poly6_drone01.ogg", "rocket.wav", "Green1.wav", "start01.ogg", "tankmove.wav", "University3.wav",
    "space_strings01.ogg", "space_strings02.ogg", "space_strings03.ogg",
}  # fmt: skip
_SPEECH_STEP = 6  # one prompt in six: there are hundreds, of three speakers


def sorts() -> list[str]:
    """Return the names of the sorts of recordings."""
    return list(_SORTS)


def recordings(sort: str) -> Iterator[tuple[Path, Signal, int]]:
    """Yield path, sound (one or two axes) and rate of the recordings of a sort, at most 20 s each."""
    found = [
        path
        for root, patterns in _SORTS[sort]
        for pattern in patterns.split()
        for path in sorted(root.glob(pattern))
    ]
    if sort == "recorded speech":
        long_enough = [p for p in found if _duration_s(p) >= 2.5]
        found = list(dict.fromkeys(long_enough[::_SPEECH_STEP] + long_enough[-1:]))
    for path in found:
        y, rate = soundfile.read(path)
        y = y[: round(LONGEST_S * rate)]
        if len(y) >= SHORTEST_S * rate and np.abs(y).max() > 1e-3:
            yield path, y, rate


def has_pulse(path: Path) -> bool:
    """Return whether a recording has a pulse after all, and so no right answer."""
    return path.name in _PULSED


def _duration_s(path: Path) -> float:
    """Return the length of a file in seconds."""
    return float(soundfile.info(path).duration)
