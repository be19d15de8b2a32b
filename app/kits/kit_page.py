"""Render the page of a kit, on which all its views meet, and answer what went wrong in them."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.audio.render.recipe import RenderRecipe
from app.audio.render.wording import describe_recipe
from app.form_responses import parse_whole_number
from app.kits import grid, history, kit_list
from app.kits.bank_filling import LibraryLacksError, NothingToFillError
from app.kits.forms import BankForm, KitForm, PadForm
from app.kits.history import KitConflictError, KitTooLargeError
from app.kits.kit_list import TooManyKitsError
from app.kits.kit_rows import load_state
from app.kits.pad_edits import EmptyPadError, KitFullError
from app.kits.pad_swaps import NothingAlikeError
from app.kits.pad_waves import load_measured, load_wave
from app.kits.pattern_edits import free_place
from app.kits.shown_patterns import shown_patterns
from app.models import Kit
from app.negotiation import wants_fragment
from app.search import facets
from app.search.chips import search_chips
from app.search.sample_query import SampleQuery, with_collection_name, with_learned_words
from app.search.sample_search import list_samples
from app.shaping.shape_form import ShapeForm, shape_values
from app.sp404.bank_layouts import LAYOUTS
from app.sp404.errors import UnitFileError
from app.sp404.pad_settings import PadSettingsError
from app.sp404.pads import PAD_NAMES, PLACES, bank_of, pads_of_bank
from app.sp404.unit_limits import BANKS

blueprint = Blueprint("kits", __name__, url_prefix="/kits")

Page = str | tuple[str, int] | Response
WAYS_TO_PLAY: dict[str, dict[str, bool]] = {
    "gate": {"gate": True, "loop": False},
    "loop": {"gate": False, "loop": True},
    "gate and loop": {"gate": True, "loop": True},
    "one-shot": {"one_shot": True},
    "toggle: press to start, press to stop": {"gate": False, "loop": False, "one_shot": False},
}
"""How several pads are set to play at once."""
PAGES = ("kits.show", "kits.show_pad")
OFFERED_SAMPLES = 30


def render_kit(
    kit: Kit,
    bank: str,
    pad: str | None = None,
    *,
    kit_form: KitForm | None = None,
    bank_form: BankForm | None = None,
    pad_form: PadForm | None = None,
    shape_form: ShapeForm | None = None,
) -> str:
    """Return the page of a kit with one bank open and, if one is named, a pad beside it.

    htmx gets the parts that a change may touch, so that a beat plays on.
    """
    state = load_state(kit)
    pads = grid.shown_bank(kit, state, bank)
    shown: dict[str, Any] = {
        "kit": kit,
        "bank": bank,
        "banks": grid.filled_pads(state),
        "pads": pads,
        "all_pads": PAD_NAMES,
        "layouts": LAYOUTS.values(),
        "ways_to_play": WAYS_TO_PLAY,
        "steps": history.next_steps(kit),
        "patterns": shown_patterns(state),
        "places": pads_of_bank(bank),
        "free_place": free_place(state, bank),
        "kit_form": kit_form or KitForm(kit),
        "bank_form": bank_form or BankForm(state.bank(bank)),
        "opened": None,
        "swapped": wants_fragment(),
    }
    if pad is not None:
        shown |= _opened_pad(pads, pad, pad_form, shape_form)
    if wants_fragment():
        return render_template("kits/_changed.html", **shown)
    return render_template("kits/kit.html", **shown, **found_samples(kit, bank, pad))


def found_samples(kit: Kit, bank: str, pad: str | None) -> dict[str, Any]:
    """Return what the library beside the pads shows: the samples that the address asks for."""
    query = with_learned_words(current_user, SampleQuery.from_args(request.args))
    query = with_collection_name(current_user, query)
    results = list_samples(current_user, query, request.args.get("after", ""), OFFERED_SAMPLES)
    return {
        "query": query,
        "results": results,
        "counts": results.counts,
        "chips": search_chips(query),
        "tags": facets.count_tags(current_user),
        "search_url": partial(url_for, "kits.library", kit_id=kit.id, bank=bank, pad=pad),
        "placing": "placing",
    }


def _opened_pad(
    pads: list[grid.ShownPad], pad: str, form: PadForm | None, shape_form: ShapeForm | None
) -> dict[str, Any]:
    """Return what the panel of a pad shows."""
    opened = next(each for each in pads if each.name == pad)
    recipe = opened.held.settings.recipe or RenderRecipe()
    shown = {"opened": opened, "wave": None, "pad_form": form or PadForm(opened.held.settings)}
    if opened.sample is None:
        return shown
    sample = load_measured(opened.sample.id)
    wave = load_wave(sample, opened.held.settings)
    shape_form = shape_form or ShapeForm(None, data=shape_values(recipe, sample))
    return shown | {"wave": wave, "shape_form": shape_form, "shaped_words": describe_recipe(recipe)}


def known_pad(pad: str) -> str:
    """Return a pad's name, or answer 404."""
    if pad not in PLACES:
        abort(404)
    return pad


def known_bank(bank: str) -> str:
    """Return a bank's letter, or answer 404."""
    if len(bank) != 1 or bank not in BANKS:
        abort(404)
    return bank


def sent_revision(field: str = "revision") -> int:
    """Return the revision of the kit that the page showed, or answer 400 for a form without one."""
    revision = parse_whole_number(request.form.get(field, ""))
    if revision is None:
        abort(400)
    return revision


def sent_bank() -> str:
    """Return the bank that the page showed, A if the form names none, or answer 404 for an unknown one."""
    return known_bank(request.form.get("bank") or "A")


def back_to(
    kit: Kit, pad: str = "", bank: str = "A", message: str = "", category: str = "message"
) -> Response:
    """Redirect to a pad, or else to a bank of a kit."""
    if message:
        flash(message, category)
    if pad:
        return redirect(url_for("kits.show_pad", kit_id=kit.id, pad=pad), 303)
    return redirect(url_for("kits.show", kit_id=kit.id, bank=bank if bank != "A" else None), 303)


@blueprint.after_request
def name_address(response: Response) -> Response:
    """Tell htmx the address of the page that it shows now, where that is another one.

    A page that there is not may have an address that no header can carry, such as one with a line break.
    """
    if wants_fragment():
        address = request.script_root + request.full_path.rstrip("?")
        is_page = request.endpoint in PAGES and request.method == "GET" and response.status_code == 200
        is_new = is_page and address != _shown_address()
        response.headers["HX-Push-Url"] = address if is_new else "false"
    return response


def _shown_address() -> str:
    """Return the path and query of the page that asks, or nothing where its address is none."""
    try:
        shown = urlsplit(request.headers.get("HX-Current-URL", ""))
    except ValueError:
        return ""
    return shown._replace(scheme="", netloc="", fragment="").geturl()


@blueprint.errorhandler(KitConflictError)
def show_conflict(error: KitConflictError) -> Page:
    """Show the kit as it is now, and say that the change was not made."""
    place = request.view_args or {}
    kit = kit_list.owned_kit(current_user, place["kit_id"])
    flash(str(error), "error")
    pad = place.get("pad")
    return render_kit(kit, bank_of(pad) if pad else place.get("bank") or sent_bank(), pad), 409


@blueprint.errorhandler(TooManyKitsError)
@blueprint.errorhandler(KitFullError)
@blueprint.errorhandler(EmptyPadError)
@blueprint.errorhandler(NothingToFillError)
@blueprint.errorhandler(NothingAlikeError)
@blueprint.errorhandler(KitTooLargeError)
@blueprint.errorhandler(UnitFileError)
@blueprint.errorhandler(PadSettingsError)
def show_refusal(error: Exception) -> Page:
    """Say why nothing was changed, on the page that it was asked from."""
    flash(str(error), "error demo" if isinstance(error, LibraryLacksError) else "error")
    if wants_fragment():
        alert = make_response(render_template("components/_notices.html"), 422)
        alert.headers.update({"HX-Retarget": "#kit-notices", "HX-Reswap": "innerHTML"})
        return alert
    place = request.view_args or {}
    if not (kit_id := place.get("kit_id")):
        return redirect(url_for("kits.index"), 303)
    if pad := place.get("pad"):
        return redirect(url_for("kits.show_pad", kit_id=kit_id, pad=pad), 303)
    bank = place.get("bank") or sent_bank()
    return redirect(url_for("kits.show", kit_id=kit_id, bank=bank if bank != "A" else None), 303)
