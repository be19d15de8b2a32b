"""The pads of a kit: the panel of one, what goes on it, how it is set, and changes of several at once."""

from __future__ import annotations

from flask import abort, flash, jsonify, request
from flask_login import current_user
from werkzeug.wrappers import Response

from app.extensions import limiter
from app.form_responses import parse_whole_number
from app.kits import bank_fitting, grid, history, kit_list, pad_edits, pad_waves
from app.kits.forms import PadForm
from app.kits.history import KitEdit
from app.kits.kit_page import (
    WAYS_TO_PLAY,
    Page,
    back_to,
    blueprint,
    known_bank,
    known_pad,
    render_kit,
    sent_revision,
)
from app.kits.kit_rows import load_state
from app.library import samples
from app.models import Kit
from app.plurals import pluralize
from app.sp404.pad_settings import PadSettingsError
from app.sp404.pads import bank_of, pads_of_bank

MAX_NAMED = 4
SETTINGS = ("level", "mute_group", "play")  # only pads with a sound have these


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
    frame = parse_whole_number(request.args.get("frame", "")) or 0
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


@blueprint.post("/<kit_id>/banks/<bank>/pads")
def change_pads(kit_id: str, bank: str) -> Response:
    """Do one thing to the selected pads of a bank, as one change."""
    kit, bank = kit_list.owned_kit(current_user, kit_id), known_bank(bank)
    sent = request.form.getlist("pad")
    pads = [name for name in pads_of_bank(bank) if name in sent]
    if not pads:
        return _unchanged(kit, bank, "Select some pads first.")
    revision, wanted = sent_revision(), request.form.get("do", "")
    if wanted in SETTINGS:
        state = load_state(kit)
        pads = [name for name in pads if state.pad(name).holds_a_sound]
        if not pads:
            return _unchanged(kit, bank, "These pads are empty. Place samples on them first.")
    if wanted == "fit":
        done = bank_fitting.fit_pads(current_user, kit, bank, revision, pads)
        return back_to(kit, bank=bank, message=f"{pluralize(len(done), 'pad')} fitted.")
    words, said, edit = _edit_of_several(wanted, pads)
    history.change_kit(kit, words, edit, revision)
    return back_to(kit, bank=bank, message=said)


def _edit_of_several(wanted: str, pads: list[str]) -> tuple[str, str, KitEdit]:
    """Return what a button does to pads: its name in the history, what is said of it after, and the edit.

    400 for a button that there is not.
    """
    named = ", ".join(pads) if len(pads) <= MAX_NAMED else pluralize(len(pads), "pad")
    verb = "is" if len(pads) == 1 else "are"
    level = parse_whole_number(request.form.get("level", ""))
    group = parse_whole_number(request.form.get("mute_group", ""))
    play = request.form.get("play", "")
    edits = {
        "clear": (f"Clear {named}", f"Cleared {named}.", pad_edits.clear(pads)),
        "lock": (f"Lock {named}", f"Locked {named}.", pad_edits.lock(pads, locked=True)),
        "unlock": (f"Unlock {named}", f"Unlocked {named}.", pad_edits.lock(pads, locked=False)),
        "level": (
            f"Set the level of {named}",
            f"{named} {verb} now set to level {level}.",
            pad_edits.change_several(pads, {"level": level}),
        ),
        "mute_group": (
            f"Set the mute group of {named}",
            f"Set the mute group of {named}.",
            pad_edits.change_several(pads, {"mute_group": group}),
        ),
        "play": (
            f"Set how {named} play{'s' if len(pads) == 1 else ''}",
            f"{named} {verb} now set to {play}.",
            pad_edits.change_several(pads, WAYS_TO_PLAY.get(play, {})),
        ),
    }
    if wanted not in edits or (wanted == "play" and play not in WAYS_TO_PLAY):
        abort(400)
    return edits[wanted]


def _unchanged(kit: Kit, bank: str, sentence: str) -> Response:
    flash(sentence, "error")
    return back_to(kit, bank=bank)
