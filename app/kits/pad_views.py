"""One pad of a kit: its panel, what goes on it, and how it is set."""

from __future__ import annotations

from flask import abort, jsonify, request
from flask_login import current_user
from werkzeug.wrappers import Response

from app.extensions import limiter
from app.form_responses import parse_whole_number
from app.kits import grid, history, kit_list, pad_edits, pad_waves
from app.kits.forms import PadForm
from app.kits.kit_page import Page, back_to, blueprint, known_pad, render_kit, sent_revision
from app.kits.kit_rows import load_state
from app.library import samples
from app.sp404.pad_settings import PadSettingsError
from app.sp404.pads import bank_of


@blueprint.get("/<kit_id>/pads/<pad>")
def show_pad(kit_id: str, pad: str) -> Page:
    """Show a kit with a pad open; htmx gets only the panel of the pad."""
    kit, pad = kit_list.owned_kit(current_user, kit_id), known_pad(pad)
    return render_kit(kit, bank_of(pad), pad)


@blueprint.get("/<kit_id>/pads/<pad>/snap")
@limiter.limit("300/minute", key_func=lambda: f"account:{current_user.id}")
def snap(kit_id: str, pad: str) -> Response:
    """Return the frame nearest to one where a cut in the pad's sound makes no click."""
    kit, pad = kit_list.owned_kit(current_user, kit_id), known_pad(pad)
    frame = parse_whole_number(request.args.get("frame", ""))
    if frame is None:
        abort(400)
    held = load_state(kit).pad(pad)
    sample = samples.owned_by(current_user, held.sample_id or "")
    return jsonify(frame=pad_waves.snap_frame(sample, held.settings, frame))


@blueprint.post("/<kit_id>/pads/<pad>")
def set_pad(kit_id: str, pad: str) -> Page:
    """Save the settings of a pad."""
    kit, pad = kit_list.owned_kit(current_user, kit_id), known_pad(pad)
    form = PadForm(load_state(kit).pad(pad).settings, request.form)
    if not form.validate():
        return render_kit(kit, bank_of(pad), pad, pad_form=form), 422
    revision = sent_revision()
    try:
        history.change_kit(kit, f"Set {pad}", pad_edits.change_settings(pad, form.changes), revision)
    except PadSettingsError as error:
        form.field_of(error.setting).errors = [str(error)]
        return render_kit(kit, bank_of(pad), pad, pad_form=form), 422
    return back_to(kit, pad, message="Saved.")


@blueprint.post("/<kit_id>/pads/<pad>/place")
def place(kit_id: str, pad: str) -> Response:
    """Put a sample on a pad."""
    kit, pad = kit_list.owned_kit(current_user, kit_id), known_pad(pad)
    sample = samples.owned_by(current_user, request.form.get("sample", ""))
    edit = pad_edits.place(pad, pad_edits.pad_for_sample(sample))
    history.change_kit(kit, f"Place {sample.name} on {pad}", edit, sent_revision())
    return back_to(kit, pad)


@blueprint.post("/<kit_id>/pads/<pad>/clear")
def clear(kit_id: str, pad: str) -> Response:
    """Empty a pad; undo brings it back."""
    kit, pad = kit_list.owned_kit(current_user, kit_id), known_pad(pad)
    history.change_kit(kit, f"Clear {pad}", pad_edits.clear([pad]), sent_revision())
    return back_to(kit, pad)


@blueprint.post("/<kit_id>/pads/<pad>/lock")
def lock(kit_id: str, pad: str) -> Response:
    """Lock a pad against filling and shuffling, or unlock it."""
    kit, pad = kit_list.owned_kit(current_user, kit_id), known_pad(pad)
    locked = not load_state(kit).pad(pad).locked
    edit = pad_edits.lock([pad], locked)
    history.change_kit(kit, f"{'Lock' if locked else 'Unlock'} {pad}", edit, sent_revision())
    return back_to(kit, pad)


@blueprint.post("/<kit_id>/pads/<pad>/copy")
def copy_pad(kit_id: str, pad: str) -> Response:
    """Copy a pad over another one."""
    kit, pad = kit_list.owned_kit(current_user, kit_id), known_pad(pad)
    target = known_pad(request.form.get("to", ""))
    edit = pad_edits.copy_pad(pad, target)
    history.change_kit(kit, f"Copy {pad} to {target}", edit, sent_revision())
    return back_to(kit, target)


@blueprint.post("/<kit_id>/pads/<pad>/exchange")
def exchange(kit_id: str, pad: str) -> Response:
    """Exchange a pad with another one."""
    kit, pad = kit_list.owned_kit(current_user, kit_id), known_pad(pad)
    target = known_pad(request.form.get("to", ""))
    edit = pad_edits.exchange(pad, target)
    history.change_kit(kit, f"Exchange {pad} and {target}", edit, sent_revision())
    return back_to(kit, target)


@blueprint.post("/<kit_id>/pads/<pad>/tempo")
def set_tempo(kit_id: str, pad: str) -> Response:
    """Give a pad the tempo that its sample has now, after it was corrected or analysed again."""
    kit, pad = kit_list.owned_kit(current_user, kit_id), known_pad(pad)
    revision = sent_revision()
    held = load_state(kit).pad(pad)
    sample = grid.load_pad_samples(kit, [held.sample_id]).get(held.sample_id or "")
    tempo = grid.ShownPad(pad, held, sample).other_tempo
    if tempo is not None:
        edit = pad_edits.change_settings(pad, {"bpm": tempo})
        history.change_kit(kit, f"Set the tempo of {pad}", edit, revision)
    return back_to(kit, pad)
