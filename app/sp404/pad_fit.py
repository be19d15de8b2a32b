"""Fit the sounds of a bank to one another: tempo, key, loudness and channels, as recipes of their pads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from app.audio.render.recipe import RenderRecipe, read_recipe
from app.music.key_fit import MIXES, best_shift, common_key, key_fit
from app.music.sound_classes import DRUMS, HI_HAT, LOOP, ONE_SHOT
from app.sp404.bank_fill import SURE
from app.sp404.filled_pad import STEREO
from app.sp404.fresh_pad import tempo_for_pad
from app.sp404.pad_settings import PadSettings

MIN_GAIN_DB, MAX_GAIN_DB = 1.0, 9.0
HEADROOM_DB = -0.3
"""True peak, in dBTP, that no gain goes beyond."""
MIN_RATIO, MAX_RATIO = 0.5, 2.0
_PITCHLESS = (*DRUMS, HI_HAT, "drums", "percussion")


@dataclass(frozen=True, slots=True)
class FitSound:
    """What fitting needs to know of a sound on a pad; None is for what is not known.

    Attributes
    ----------
    loudness_db, true_peak_db : float or None
        In `loudness_unit`, and in dBTP.
    """

    kind: str
    sound: str | None
    bpm: float | None
    bpm_confidence: float
    key: str | None
    channels: int
    loudness_db: float | None
    loudness_unit: str
    true_peak_db: float | None

    @property
    def is_pitched(self) -> bool:
        return self.sound not in _PITCHLESS


@dataclass(frozen=True, slots=True)
class FittedPad:
    """The settings of a pad after fitting, and what was done to it in words, such as "90 → 93 BPM"."""

    settings: PadSettings
    steps: tuple[str, ...]


def key_of_bank(sounds: Sequence[FitSound]) -> str | None:
    """Return the key that the pitched sounds of a bank go with best, None for none.

    Parameters
    ----------
    sounds : sequence of FitSound
    """
    weights = {LOOP: 2.0}
    keys = [(each.key, weights.get(each.kind, 1.0)) for each in sounds if each.key and each.is_pitched]
    return common_key([(key, weight) for key, weight in keys if key is not None])


def fit_bank(
    pads: Mapping[str, tuple[PadSettings, FitSound]], tempo_bpm: float, key: str | None = None
) -> dict[str, FittedPad]:
    """Return the pads of a bank that fitting changes, by name.

    Parameters
    ----------
    pads : mapping of str to tuple of PadSettings and FitSound
        Pads that sound and are not locked.
    tempo_bpm : float
        Of the bank.
    key : str or None
        Of the bank; None for the one that its sounds go with best.

    Notes
    -----
    A loop of sure tempo is stretched to the tempo of the bank, its half or its double, whichever is nearest,
    within half and double its length. A pitched sound whose key does not mix moves by the fewest semitones,
    at most 2, that make it mix. Sounds of one kind get their median loudness, by at most 9 dB and without
    going over -0.3 dBTP. Stereo hits become mono where the sides are below -60 dB of the middle. A pad whose
    recipe moves the pitch, sets a level or mixes the channels keeps that, and chops keep their lengths.
    """
    wanted = key or key_of_bank([sound for _, sound in pads.values()])
    levels = _median_levels([sound for _, sound in pads.values()])
    fitted = {}
    for name, (settings, sound) in pads.items():
        changes: dict[str, Any] = {}
        steps = _fit_tempo(settings, sound, tempo_bpm, changes) + _fit_key(settings, sound, wanted, changes)
        steps += _fit_level(settings, sound, levels, changes) + _fit_channels(settings, sound, changes)
        if steps:
            fitted[name] = FittedPad(_with_recipe(settings, changes), tuple(steps))
    return fitted


def _with_recipe(settings: PadSettings, changes: Mapping[str, Any]) -> PadSettings:
    recipe = settings.recipe.to_dict() if settings.recipe else {}
    own = {"bpm": tempo_for_pad(changes["bpm"])} if "bpm" in changes else {}
    return settings.changed({**own, "recipe": read_recipe({**recipe, **changes}).to_dict()})


def _fit_tempo(
    settings: PadSettings, sound: FitSound, tempo_bpm: float, changes: dict[str, Any]
) -> list[str]:
    recipe = settings.recipe or RenderRecipe()
    is_part = recipe.start > 0 or recipe.end is not None
    if sound.kind != LOOP or not sound.bpm or sound.bpm_confidence < SURE or is_part or recipe.length_s:
        return []
    source = sound.bpm
    target = min((tempo_bpm, tempo_bpm * 2, tempo_bpm / 2), key=lambda bpm: abs(math.log2(bpm / source)))
    target = round(target, 2)
    is_there = target in (recipe.bpm, round(source, 2))
    if is_there or not MIN_RATIO <= source / target <= MAX_RATIO:
        return []
    changes |= {"bpm": target, "from_bpm": source}
    return [f"{source:g} → {target:g} BPM"]


def _fit_key(
    settings: PadSettings, sound: FitSound, wanted: str | None, changes: dict[str, Any]
) -> list[str]:
    recipe = settings.recipe or RenderRecipe()
    if wanted is None or sound.key is None or not sound.is_pitched or recipe.transpose or recipe.speed != 1.0:
        return []
    shift = best_shift(sound.key, wanted)
    if not shift or key_fit(sound.key, wanted) >= MIXES:
        return []
    changes["transpose"] = float(shift)
    return [f"{shift:+d} semitone{'s' if abs(shift) > 1 else ''}".replace("-", "−")]


def _fit_level(
    settings: PadSettings, sound: FitSound, levels: Mapping[tuple[str, str], float], changes: dict[str, Any]
) -> list[str]:
    recipe = settings.recipe or RenderRecipe()
    level = levels.get((sound.kind, sound.loudness_unit))
    if level is None or sound.loudness_db is None or recipe.level is not None or recipe.gain_db:
        return []
    gain = max(min(level - sound.loudness_db, MAX_GAIN_DB), -MAX_GAIN_DB)
    if sound.true_peak_db is not None and gain > 0:
        gain = min(gain, max(HEADROOM_DB - sound.true_peak_db, 0.0))
    gain = round(gain, 1)
    if abs(gain) < MIN_GAIN_DB:
        return []
    changes["gain_db"] = gain
    return [f"{gain:+.1f} dB".replace("-", "−")]


def _fit_channels(settings: PadSettings, sound: FitSound, changes: dict[str, Any]) -> list[str]:
    recipe = settings.recipe or RenderRecipe()
    if sound.kind != ONE_SHOT or sound.channels != STEREO or recipe.mono:
        return []
    changes["mono"] = "auto"
    return ["mono where the sides are silent"]


def _median_levels(sounds: Sequence[FitSound]) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], list[float]] = {}
    for sound in sounds:
        if sound.loudness_db is not None:
            found.setdefault((sound.kind, sound.loudness_unit), []).append(sound.loudness_db)
    return {group: median(levels) for group, levels in found.items()}
