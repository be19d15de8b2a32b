"""Kits: their list, what is done to a kit as a whole, and adding samples from elsewhere."""

from __future__ import annotations

from flask import flash, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.form_responses import render_form, see_other
from app.kits import (
    fill_views,  # noqa: F401  # importing it registers its views
    grid,
    history,
    kit_list,
    pad_edits,
    pad_shape_views,  # noqa: F401  # importing it registers its views
    pad_views,  # noqa: F401  # importing it registers its views
    pattern_views,  # noqa: F401  # importing it registers its views
    play_views,  # noqa: F401  # importing it registers its views
    selections,
)
from app.kits.forms import BankForm, KitForm
from app.kits.history import KitConflictError
from app.kits.kit_page import (
    Page,
    back_to,
    blueprint,
    found_samples,
    known_bank,
    known_pad,
    render_kit,
    sent_bank,
    sent_revision,
)
from app.kits.kit_rows import load_state
from app.kits.kit_state import KitState
from app.kits.selections import KitSelection
from app.library import samples
from app.models import Kit, Sample
from app.models.kit import MAX_KITS
from app.negotiation import wants_fragment
from app.plurals import pluralize
from app.search.sample_query import SampleQuery, with_learned_words
from app.search.sample_search import find_samples
from app.sp404.pads import PAD_NAMES, bank_of

__all__ = ["blueprint"]

NEW_KIT = "New kit"


@blueprint.get("")
def index() -> Page:
    """List the kits."""
    return _list_page(KitForm())


@blueprint.post("")
def create() -> Page:
    """Make an empty kit and open it."""
    form = KitForm(None, request.form)
    if not form.validate():
        return _list_page(form)
    return back_to(kit_list.create_kit(current_user, KitState(**form.values)))


@blueprint.get("/<kit_id>")
def show(kit_id: str) -> Page:
    """Show a kit with one bank open."""
    kit = kit_list.owned_kit(current_user, kit_id)
    return render_kit(kit, known_bank(request.args.get("bank") or "A"))


@blueprint.get("/<kit_id>/library")
def library(kit_id: str) -> Page:
    """Search the library beside the pads. htmx gets only what was found."""
    kit = kit_list.owned_kit(current_user, kit_id)
    pad = request.args.get("pad", "")
    bank = bank_of(known_pad(pad)) if pad else known_bank(request.args.get("bank") or "A")
    if not wants_fragment():
        return render_kit(kit, bank, pad or None)
    template = "library/_rows.html" if request.args.get("after") else "kits/_library.html"
    return render_template(template, kit=kit, **found_samples(kit, bank, pad or None))


@blueprint.post("/<kit_id>")
def update(kit_id: str) -> Page:
    """Save the name, the tempo and the notes."""
    kit = kit_list.owned_kit(current_user, kit_id)
    form = KitForm(kit, request.form)
    bank = sent_bank()
    if not form.validate():
        return render_kit(kit, bank, kit_form=form), 422
    history.change_kit(kit, "Change the kit", pad_edits.change_values(**form.values), sent_revision())
    return back_to(kit, bank=bank, message="Saved.")


@blueprint.post("/<kit_id>/copy")
def copy(kit_id: str) -> Response:
    """Copy a kit and open the copy."""
    made = kit_list.copy_kit(current_user, kit_list.owned_kit(current_user, kit_id))
    return back_to(made, message=f"This is the copy, {made.name}.")


@blueprint.post("/<kit_id>/delete")
def delete(kit_id: str) -> Response:
    """Hide a kit and offer to undo that."""
    kit = kit_list.owned_kit(current_user, kit_id)
    kit_list.delete_kit(kit)
    undo = url_for("kits.restore", kit_id=kit_id)
    return see_other(
        "kits.index", f"{kit.name} has been deleted. Its samples are still there.", f"undo:{undo}"
    )


@blueprint.post("/<kit_id>/restore")
def restore(kit_id: str) -> Response:
    """Bring a deleted kit back."""
    kit = kit_list.deleted_kit(current_user, kit_id)
    kit_list.restore_kit(current_user, kit)
    return back_to(kit)


@blueprint.post("/<kit_id>/undo")
def undo(kit_id: str) -> Response:
    """Undo the last change."""
    kit = kit_list.owned_kit(current_user, kit_id)
    words = history.undo_change(kit, sent_revision())
    return _after_step(kit, f"Undone: {words}." if words else "There is nothing to undo.")


@blueprint.post("/<kit_id>/redo")
def redo(kit_id: str) -> Response:
    """Redo what was undone last."""
    kit = kit_list.owned_kit(current_user, kit_id)
    words = history.redo_change(kit, sent_revision())
    return _after_step(kit, f"Redone: {words}." if words else "There is nothing to redo.")


@blueprint.post("/<kit_id>/banks/<bank>")
def update_bank(kit_id: str, bank: str) -> Page:
    """Save the tempo, the volume and the protection of a bank."""
    kit, bank = kit_list.owned_kit(current_user, kit_id), known_bank(bank)
    form = BankForm(load_state(kit).bank(bank), request.form)
    if not form.validate():
        return render_kit(kit, bank, bank_form=form), 422
    edit = pad_edits.change_bank(bank, **form.values)
    history.change_kit(kit, f"Change bank {bank}", edit, sent_revision())
    return back_to(kit, bank=bank, message="Saved.")


@blueprint.post("/<kit_id>/banks/<bank>/copy")
def copy_bank(kit_id: str, bank: str) -> Response:
    """Copy a bank over another one."""
    kit, bank = kit_list.owned_kit(current_user, kit_id), known_bank(bank)
    target = known_bank(request.form.get("to", ""))
    words = f"Copy bank {bank} to {target}"
    history.change_kit(kit, words, pad_edits.copy_bank(bank, target), sent_revision())
    return back_to(kit, bank=target, message=f"Bank {target} is now a copy of bank {bank}.")


@blueprint.get("/add")
@blueprint.post("/add")
def add() -> Page:
    """Ask where chosen samples go. POST is for long selections."""
    chosen = _chosen_samples()
    if not chosen.samples:
        return see_other("library.index", "Select some samples first.", "error")
    return _adding_page(chosen)


@blueprint.get("/add/pads")
def pad_choice() -> str:
    """Return the pads to choose from, with what is on each of them in the chosen kit."""
    kit_id, pad = request.args.get("kit", ""), request.args.get("pad", "")
    titles = grid.pad_titles(kit_list.owned_kit(current_user, kit_id)) if kit_id else {}
    return render_template("kits/_pad_choice.html", all_pads=PAD_NAMES, titles=titles, pad=pad)


@blueprint.post("/placements")
def place_samples() -> Page:
    """Put chosen samples into a kit: on one pad, on the first free ones, or into a new kit."""
    selection = _chosen_samples()
    chosen = selection.samples
    if not chosen:
        return see_other("library.index", "Select some samples first.", "error")
    kit_id, pad = request.form.get("kit", ""), request.form.get("pad", "")
    if not kit_id:
        return _make_kit_of(chosen)
    kit = kit_list.owned_kit(current_user, kit_id)
    held = [pad_edits.pad_for_sample(sample) for sample in chosen]
    revision = None  # what goes to free pads overwrites nothing
    if pad and len(chosen) == 1:
        revision = sent_revision(f"revision-{kit.id}")
        edit, placed = pad_edits.place(known_pad(pad), held[0]), f"{chosen[0].name} on {pad}"
        words, said = f"Place {placed}", f"Placed {placed}."
    else:
        edit, added = pad_edits.place_on_free(held, sent_bank()), pluralize(len(held), "sample")
        words, said = f"Add {added}", f"Added {added}."
    try:
        history.change_kit(kit, words, edit, revision)
    except KitConflictError as conflict:
        flash(str(conflict), "error")
        return _adding_page(selection, kit, pad), 409
    return back_to(kit, bank=bank_of(pad) if pad else sent_bank(), message=said)


def _adding_page(selection: KitSelection, kit: Kit | None = None, pad: str = "") -> str:
    """Return the page that asks where samples go, with a kit and a pad chosen already if they are given."""
    kits = kit_list.list_kits(current_user)
    kit = kit or next(iter(kits), None)
    return render_template(
        "kits/add.html",
        chosen=selection.samples,
        selection=selection,
        kits=kits,
        kit=kit,
        pad=pad,
        titles={},
        all_pads=PAD_NAMES,
        new_name=kit_list.next_name(current_user, NEW_KIT),
    )


def _make_kit_of(chosen: list[Sample]) -> Page:
    made = selections.kit_from_samples(current_user, KitState(NEW_KIT), chosen)
    if made.left_out:
        flash(
            f"A kit has {len(PAD_NAMES)} pads: {pluralize(made.left_out, 'sample')} found no room.", "error"
        )
    return back_to(made.kit)


def _chosen_samples() -> KitSelection:
    """Return the samples that a form names in their order, or with `all` the first that its search finds.

    A stranger's sample answers 404.
    """
    given = request.values
    if given.get("all"):
        query = with_learned_words(current_user, SampleQuery.from_args(given))
        found = find_samples(current_user, query, None, len(PAD_NAMES))
        return KitSelection(found.samples, found.total, found.is_more)
    ids = list(dict.fromkeys(given.getlist("sample")))[: selections.MAX_CHOSEN]
    owned = {sample.id: sample for sample in samples.all_owned_by(current_user, ids)} if ids else {}
    return KitSelection([owned[each] for each in ids], len(ids))


def _after_step(kit: Kit, message: str) -> Response:
    return back_to(kit, bank=sent_bank(), message=message)


def _list_page(form: KitForm) -> Page:
    kits = kit_list.list_kits(current_user)
    return render_form(
        "kits/index.html", form=form, kits=kits, pads=kit_list.count_pads(kits), max_kits=MAX_KITS
    )
