"""The page of a card that is being made: how far it is, cancel, try again, and the card when it is ready."""

from __future__ import annotations

import json

from flask import abort, make_response, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.cards.card_page import CANNOT_BE_RETRIED, STRAIGHT_BYTES, blueprint, target_names
from app.cards.card_purpose import CARD_PURPOSE
from app.extensions import db
from app.jobs import actions, card_list
from app.kits import kit_list
from app.models import CardExport, Job, Kit
from app.models.ownership import RowNotFoundError, owned_by
from app.negotiation import wants_fragment


@blueprint.get("/kits/<kit_id>/exports/<export_id>")
def progress(kit_id: str, export_id: str) -> Response:
    """Show how far a card is, and then the card; htmx asks every second, and starts a small download."""
    kit, job = _own_order(kit_id, export_id)
    card = db.session.get(CardExport, job.id)
    page = "cards/_progress.html" if wants_fragment() else "cards/progress.html"
    answer = make_response(
        render_template(
            page,
            kit=kit,
            job=job,
            card=card,
            targets=target_names(),
            purpose=CARD_PURPOSE,
            waiting=card_list.waiting_reason([job]),
        )
    )
    if wants_fragment() and card is not None and card.size_bytes <= STRAIGHT_BYTES:
        address = url_for(".made", export_id=card.id)
        answer.headers["HX-Trigger-After-Settle"] = json.dumps({"card-ready": {"address": address}})
    return answer


@blueprint.post("/kits/<kit_id>/exports/<export_id>/cancel")
def cancel(kit_id: str, export_id: str) -> Response:
    """Cancel the job; a worker that runs it stops within moments."""
    kit, job = _own_order(kit_id, export_id)
    actions.cancel(job.id)
    return _back_to(kit, job)


@blueprint.post("/kits/<kit_id>/exports/<export_id>/retry")
def retry(kit_id: str, export_id: str) -> Response:
    """Try a failed job again."""
    kit, job = _own_order(kit_id, export_id)
    if not actions.retry(job.id):
        abort(409, CANNOT_BE_RETRIED)
    tasks.wake_for_job(job.tier)
    return _back_to(kit, job)


def _own_order(kit_id: str, export_id: str) -> tuple[Kit, Job]:
    kit = kit_list.owned_kit(current_user, kit_id)
    job = owned_by(current_user, Job, export_id)
    if (job.choices or {}).get("kit_id") != kit.id:
        raise RowNotFoundError
    return kit, job


def _back_to(kit: Kit, job: Job) -> Response:
    return redirect(url_for(".progress", kit_id=kit.id, export_id=job.id), 303)
