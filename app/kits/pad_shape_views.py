"""Shape the sound of a pad: its recipe, by the same form as on a sample's page."""

from __future__ import annotations

from flask import request
from flask_login import current_user

from app.audio.render.recipe import RecipeError, RenderRecipe
from app.kits import history, kit_list, pad_edits
from app.kits.kit_page import Page, back_to, blueprint, known_pad, render_kit, sent_revision
from app.kits.kit_rows import load_state
from app.library import samples
from app.models import Sample
from app.shaping.shape_form import ShapeForm
from app.sp404.fresh_pad import tempo_for_pad
from app.sp404.pad_settings import PadSettings, PadSettingsError
from app.sp404.pads import bank_of


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
        recipe = RenderRecipe() if "remove" in request.form else form.recipe(sample.features.sample_rate)
        changes = _changes(held.settings, sample, recipe)
        history.change_kit(kit, f"Shape {pad}", pad_edits.change_settings(pad, changes), revision)
    except (RecipeError, PadSettingsError) as error:
        form.form_errors.append(str(error))
        return render_kit(kit, bank_of(pad), pad, shape_form=form), 422
    return back_to(kit, pad, message="Saved. The original stays as it is.")


def _changes(settings: PadSettings, sample: Sample, recipe: RenderRecipe) -> dict[str, object]:
    """Return the settings that a recipe brings: itself, and the tempo that the sound then has."""
    changes: dict[str, object] = {"recipe": recipe.to_dict() if recipe != RenderRecipe() else None}
    was = settings.recipe or RenderRecipe()
    bpm = recipe.bpm or sample.bpm
    if recipe.bpm != was.bpm and bpm:
        changes["bpm"] = tempo_for_pad(bpm)
    return changes
