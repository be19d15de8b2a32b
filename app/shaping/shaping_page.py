"""Find what a request to shape a sample is about, and render the panel that shapes it."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask_login import current_user

from app.models import Render, Sample
from app.models.ownership import owned_by
from app.negotiation import wants_fragment
from app.shaping import orders, presets, render_downloads, renders
from app.shaping.forms import PresetForm
from app.shaping.shape_form import ShapeForm

blueprint = Blueprint("shaping", __name__)


def own_sample(sample_id: str) -> Sample:
    """Return the user's sample with this id, or answer 404."""
    return owned_by(current_user, Sample, sample_id, Sample.deleted_at.is_(None))


def own_render(render_id: str) -> tuple[Render, Sample]:
    """Return what was made of a sample of the user, and the sample, or answer 404."""
    render = owned_by(current_user, Render, render_id)
    return render, own_sample(render.sample_id)


def render_panel(sample: Sample, form: ShapeForm, made: Render | None) -> str:
    """Render the panel of a sample with a form, and with what was made of it before and after."""
    return render_template(
        "shaping/_panel.html" if wants_fragment() else "shaping/panel.html",
        sample=sample,
        form=form,
        made=made,
        gains=renders.equal_gains(sample, made) if made is not None else (1.0, 1.0),
        preset_form=PresetForm(None),
        presets=presets.list_presets(current_user),
        left=max(orders.renders_left(current_user), 0),
        is_counted=made is None or render_downloads.is_counted(current_user, made),
    )
