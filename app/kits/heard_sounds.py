"""What the pads of a bank sound like, for the page that plays them: their settings, and the WAV of each."""

from __future__ import annotations

from app.audio.render.recipe import RenderRecipe
from app.kits.kit_rows import load_state
from app.kits.kit_state import HUNDREDTHS, PROJECT, KitState, PadState
from app.models import Job, Kit, Render, Sample, User
from app.shaping import orders
from app.sp404.pad_settings import PadSettings
from app.sp404.pads import bank_of


def tempo_of_bank(state: KitState, bank: str) -> float:
    """Return the tempo that a bank plays at, in beats a minute: its own, or the project's."""
    tempo = state.tempo if state.tempo_source == PROJECT else state.bank(bank).tempo
    return tempo / HUNDREDTHS


def heard_recipe(settings: PadSettings, tempo_bpm: float) -> RenderRecipe | None:
    """Return what is done to a pad's sample before it is heard; None when it is played as it is.

    A pad in time with the bank is stretched to its tempo, which the unit does while it plays. One that has
    this tempo already needs no stretching.
    """
    recipe = settings.recipe
    if not settings.bpm_sync or (recipe is None and settings.bpm == tempo_bpm):
        return recipe
    changes = {"bpm": tempo_bpm, "length_s": None, "from_bpm": settings.bpm}
    if recipe is not None and recipe.bpm is not None:
        changes["from_bpm"] = recipe.from_bpm
    return (recipe or RenderRecipe()).model_copy(update=changes)


def sounding_pads(kit: Kit, bank: str) -> dict[str, PadState]:
    """Return the pads of a bank that have a sample."""
    pads = load_state(kit).pads
    return {name: pad for name, pad in pads.items() if bank_of(name) == bank and pad.sample_id is not None}


def stretch_factor(pad: PadState, duration_s: float, tempo_bpm: float) -> float:
    """Return how many times longer a pad is heard than it is, because it is in time with its bank."""
    settings, recipe = pad.settings, pad.settings.recipe
    if duration_s > orders.MAX_PREVIEW_S or not settings.bpm_sync:
        return 1.0
    own_bpm = recipe.bpm if recipe is not None and recipe.bpm is not None else settings.bpm
    return own_bpm / tempo_bpm


def sound_key(pad: PadState, duration_s: float, tempo_bpm: float) -> str:
    """Return what tells the sound of a pad from every other: its sample, and how it is shaped."""
    recipe = heard_recipe(pad.settings, tempo_bpm) if duration_s <= orders.MAX_PREVIEW_S else None
    return f"{pad.sample_id} {recipe.digest() if recipe is not None else ''}"


def order_sound(user: User, kit: Kit, pad: str, sample: Sample) -> Render | Job | None:
    """Return the shaped sound that a pad plays, or the job that makes it; None for the sample's own WAV.

    Samples that are too long to shape for hearing are heard as they are. Raises RecipeError when the pad's
    recipe does not suit its sample.
    """
    if sample.duration_s > orders.MAX_PREVIEW_S:
        return None
    state = load_state(kit)
    recipe = heard_recipe(state.pad(pad).settings, tempo_of_bank(state, bank_of(pad)))
    if recipe is None or recipe.changes_nothing:
        return None
    return orders.order_preview(user, sample, recipe)
