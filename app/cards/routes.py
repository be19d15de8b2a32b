"""The page that makes cards of a kit: what to choose, what to know before, and the cards that are kept."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.cards import card_orders
from app.cards.card_purpose import CARD
from app.extensions import db, limiter
from app.jobs import reprocess
from app.jobs.reprocess import DailyLimitError
from app.kits import kit_list
from app.models import CardExport, Job, Kit, KitBase
from app.models.ownership import owned_by
from app.sp404.card.card_options import PROJECTS, TARGETS
from app.sp404.errors import UnitFileError

blueprint = Blueprint("cards", __name__)

TARGET_WORDS = {
    "mk2": ("SP-404MKII project (beta)", "Pads with all settings and chops. Not proven on the hardware."),
    "import": ("SP-404MKII import folder", "WAVs, a folder for each bank. You set the pads on the unit."),
    "sx": ("SP-404SX / SP-404A card", "44.1 kHz, 12 pads a bank. The SP-404MKII imports it too."),
    "wav": ("WAVs and kit.json", "The whole kit with its sounds, to share."),
    "sfz": ("SFZ", "For software samplers, with mute groups."),
    "xpm": ("MPC program", "For MPC 2.x: pads from the bottom left, mute groups."),
    "midi": ("MIDI files", "The kit's patterns."),
}


@blueprint.get("/kits/<kit_id>/card")
def choose(kit_id: str) -> str:
    """Show what cards there are, and those that are kept."""
    return _page(kit_list.owned_kit(current_user, kit_id))


@blueprint.post("/kits/<kit_id>/exports")
@limiter.limit("30/minute", key_func=lambda: f"account:{current_user.id}")
def order(kit_id: str) -> Response | tuple[str, int]:
    """Have a card made."""
    kit = kit_list.owned_kit(current_user, kit_id)
    number = request.form.get("project_number", "1")
    try:
        job = card_orders.order_card(
            current_user,
            kit,
            request.form.getlist("target"),
            int(number) if number.isascii() and number.isdigit() and len(number) < 3 else 0,
        )
    except (UnitFileError, DailyLimitError) as error:
        return _page(kit, str(error)), 422
    tasks.wake_for_job(job.tier)
    flash("Making the card. You can download it here when it is done.")
    return redirect(url_for("jobs.cards"), 303)


@blueprint.get("/exports/<export_id>")
def made(export_id: str) -> Response:
    """Download a card."""
    card = owned_by(current_user, CardExport, export_id)
    return redirect(card_orders.download_url(card))


def _page(kit: Kit, sentence: str = "") -> str:
    under_way = [job for job in reprocess.unfinished_jobs_for(current_user, CARD) if _is_about(job, kit)]
    return render_template(
        "cards/choose.html",
        kit=kit,
        sentence=sentence,
        targets={target: TARGET_WORDS[target] for target in TARGETS},
        was_brought_back=db.session.get(KitBase, kit.id) is not None,
        projects=range(1, PROJECTS + 1),
        kept=card_orders.kept_cards(current_user, kit),
        under_way=under_way,
        left=max(reprocess.left_today(current_user, CARD), 0),
    )


def _is_about(job: Job, kit: Kit) -> bool:
    return (job.choices or {}).get("kit_id") == kit.id
