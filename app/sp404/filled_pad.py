"""Set a pad for a sound that a layout put there."""

from __future__ import annotations

from typing import Any

from app.audio.render.recipe import RenderRecipe
from app.music.sound_classes import LOOP, ONE_SHOT
from app.sp404.bank_fill import SURE, Pick
from app.sp404.fresh_pad import settings_for_sound
from app.sp404.pad_settings import PadSettings

STEREO = 2


def settings_for_pick(pick: Pick, channels: int) -> PadSettings:
    """Return the settings of a pad for a chosen sound.

    As for any sound that is placed, with what the layout wants. A loop follows the tempo only if its own is
    sure. A stereo hit is made mono where its sides are below -60 dB of the middle, which saves the unit a
    voice. A sound that must move to share the key gets a recipe that moves it.

    Parameters
    ----------
    pick : Pick
    channels : int
        Of the sample.
    """
    sound = pick.candidate
    changes: dict[str, Any] = dict(pick.role.settings)
    if sound.kind == LOOP and "bpm_sync" not in changes:
        changes["bpm_sync"] = bool(sound.bpm) and sound.bpm_confidence >= SURE
    recipe = RenderRecipe(
        mono="auto" if sound.kind == ONE_SHOT and channels == STEREO else "", transpose=float(pick.shift)
    )
    if recipe != RenderRecipe():
        changes["recipe"] = recipe.to_dict()
    return settings_for_sound(sound.kind, sound.sound or None, sound.bpm).changed(changes)
