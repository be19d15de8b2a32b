"""Fill a bank, shuffle it, fit it, swap the sound of a pad: the forms of a kit's page."""

from __future__ import annotations

import secrets

from flask import flash, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response

from app.form_responses import parse_whole_number
from app.kits import bank_filling, bank_fitting, bank_reasons, kit_list, pad_swaps
from app.kits.fill_wishes import FillWishes, wishes_of_sentence
from app.kits.kit_page import Page, back_to, blueprint, known_bank, known_pad, sent_revision
from app.plurals import pluralize
from app.search.sentence_parser import MAX_SENTENCE_LENGTH
from app.sp404.bank_layouts import LAYOUTS, find_layout

MAX_SEED = 2**31 - 1


@blueprint.post("/<kit_id>/banks/<bank>/fill")
def fill_bank(kit_id: str, bank: str) -> Response:
    """Fill a bank by a sentence, or else by the recipe that was chosen."""
    kit, bank = kit_list.owned_kit(current_user, kit_id), known_bank(bank)
    sentence = request.form.get("sentence", "").strip()[:MAX_SENTENCE_LENGTH]
    layout = find_layout(request.form.get("recipe", ""))
    if not sentence and layout is None:
        flash("Choose a recipe, or write what the bank should sound like.", "error")
        return back_to(kit, bank=bank)
    wishes = (
        wishes_of_sentence(current_user, sentence) if sentence else FillWishes(layout or LAYOUTS["boom-bap"])
    )
    seed = parse_whole_number(request.form.get("seed", "")) or 0
    report = bank_filling.fill_bank(current_user, kit, bank, wishes, min(seed, MAX_SEED), sent_revision())
    return back_to(kit, bank=bank, message=report.sentence, category="demo" if report.missing else "message")


@blueprint.post("/<kit_id>/banks/<bank>/shuffle")
def shuffle_bank(kit_id: str, bank: str) -> Response:
    """Put other sounds of the same classes on the pads that are not locked."""
    kit, bank = kit_list.owned_kit(current_user, kit_id), known_bank(bank)
    seed = 1 + secrets.randbelow(MAX_SEED)
    report = bank_filling.shuffle_bank(current_user, kit, bank, seed, sent_revision())
    return back_to(kit, bank=bank, message=f"{pluralize(len(report.filled), 'pad')} shuffled.")


@blueprint.post("/<kit_id>/banks/<bank>/fit")
def fit_bank(kit_id: str, bank: str) -> Response:
    """Fit the pads of a bank to its tempo, key and loudness."""
    kit, bank = kit_list.owned_kit(current_user, kit_id), known_bank(bank)
    done = bank_fitting.fit_pads(current_user, kit, bank, sent_revision())
    said = "; ".join(f"{pad} {', '.join(steps)}" for pad, steps in done.items())
    return back_to(kit, bank=bank, message=f"Fitted: {said}." if said else "Everything fits already.")


@blueprint.get("/<kit_id>/banks/<bank>/why")
def explain_bank(kit_id: str, bank: str) -> Page:
    """Say why each sound is there, how well they fit together, and what would fit better."""
    kit, bank = kit_list.owned_kit(current_user, kit_id), known_bank(bank)
    return render_template(
        "kits/why.html", kit=kit, bank=bank, why=bank_reasons.explain_bank(current_user, kit, bank)
    )


@blueprint.post("/<kit_id>/pads/<pad>/swap")
def swap_pad(kit_id: str, pad: str) -> Response:
    """Put the next or the previous of ten sounds alike on a pad, or a brighter, darker … one."""
    kit, pad = kit_list.owned_kit(current_user, kit_id), known_pad(pad)
    to, revision = request.form.get("to", ""), sent_revision()
    if to in pad_swaps.CHANGES:
        pad_swaps.change_pad(current_user, kit, pad, to, revision)
    else:
        step = pad_swaps.PREVIOUS if to == "previous" else pad_swaps.NEXT
        pad_swaps.swap_pad(current_user, kit, pad, step, revision)
    return back_to(kit, pad)
