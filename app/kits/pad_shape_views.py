"""Shape the sound of a pad: its recipe, by the same form as on a sample's page."""

from __future__ import annotations

from flask import request
from flask_login import current_user

from app.audio.render.recipe import RecipeError, RenderRecipe, read_recipe
from app.kits import history, kit_list, pad_edits
from app.kits.kit_page import Page, back_to, blueprint, known_pad, render_kit, sent_revision
from app.kits.kit_rows import load_state
from app.library import samples
from app.models import Sample
from app.shaping.shape_form import ShapeForm
from app.sp404.fresh_pad import tempo_for_pad
from app.sp404.pad_settings import PadSettings, PadSettingsError
from app.sp404.pads import bank_of

FITTED = ("beats", "method", "onsets")  # what fitting a pad to its bank knows of the sound


@blueprint.post("/<kit_id>/pads/<pad>/shape")
def shape_pad(kit_id: str, pad: str) -> Page:
    """Shape the sound of a pad; a form that changes nothing takes its shaping away."""
    kit, pad = kit_list.owned_kit(current_user, kit_id), known_pad(pad)
    held = load_state(kit).pad(pad)
    sample = samples.owned_by(current_user, held.sample_id or "")
    form = ShapeForm()
    if "remove" not in request.form and not form.validate():
        return render_kit(kit, bank_of(pad), pad, shape_form=form), 422
    revision = sent_revision()
    try:
        recipe = RenderRecipe() if "remove" in request.form else _recipe(form, held.settings, sample)
        changes = _changes(held.settings, sample, recipe)
        history.change_kit(kit, f"Shape {pad}", pad_edits.change_settings(pad, changes), revision)
    except (RecipeError, PadSettingsError) as error:
        form.form_errors.append(str(error))
        return render_kit(kit, bank_of(pad), pad, shape_form=form), 422
    return back_to(kit, pad, message="Saved. The original stays as it is.")


def _recipe(form: ShapeForm, settings: PadSettings, sample: Sample) -> RenderRecipe:
    """Return the recipe of the form, with what the pad's own has and the form does not show."""
    recipe, was = form.recipe(sample.features.sample_rate), settings.recipe
    if was is None or recipe == RenderRecipe():
        return recipe
    plain, kept = recipe.to_dict(), was.to_dict()
    is_same_part = (recipe.start, recipe.end) == (was.start, was.end)
    names = [*(FITTED if is_same_part else ()), *(["trim_db"] if form.trim.data and was.trim_db else [])]
    return read_recipe(plain | {name: kept[name] for name in names if name in kept})


def _changes(settings: PadSettings, sample: Sample, recipe: RenderRecipe) -> dict[str, object]:
    """Return the settings that a recipe brings: itself, and the tempo that the sound then has."""
    changes: dict[str, object] = {"recipe": recipe.to_dict() if recipe != RenderRecipe() else None}
    was = settings.recipe or RenderRecipe()
    tempo = _tempo_of(sample, recipe)
    if tempo and tempo != _tempo_of(sample, was):
        changes["bpm"] = tempo_for_pad(tempo)
    return changes


def _tempo_of(sample: Sample, recipe: RenderRecipe) -> float | None:
    """Return the tempo of a shaped sample, None where that of the sample is not known."""
    if recipe.bpm:
        return recipe.bpm * recipe.speed
    if not sample.bpm:
        return None
    length_s = recipe.length_s or sample.duration_s
    return sample.bpm * recipe.speed * sample.duration_s / length_s
