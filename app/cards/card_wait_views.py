"""The page of a card that is being made: how far it is, cancel, try again, and the card when it is ready."""

from __future__ import annotations

from flask import abort, redirect, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.cards import export_page
from app.cards.card_page import CANNOT_BE_RETRIED, blueprint, target_names
from app.jobs import actions
from app.kits import kit_list
from app.models import Job, Kit
from app.models.ownership import RowNotFoundError, owned_by


@blueprint.get("/kits/<kit_id>/exports/<export_id>")
def progress(kit_id: str, export_id: str) -> Response:
    """Show how far a card is, and then the card."""
    kit, job = _own_order(kit_id, export_id)
    return export_page.show_progress(
        job,
        "cards/progress.html",
        kit=kit,
        noun="card",
        own_url=_address(kit, job),
        back=(url_for("cards.choose", kit_id=kit.id), "Back to the cards"),
        targets=target_names(),
    )


@blueprint.post("/kits/<kit_id>/exports/<export_id>/cancel")
def cancel(kit_id: str, export_id: str) -> Response:
    """Cancel the job."""
    kit, job = _own_order(kit_id, export_id)
    actions.cancel(job.id)
    return redirect(_address(kit, job), 303)


@blueprint.post("/kits/<kit_id>/exports/<export_id>/retry")
def retry(kit_id: str, export_id: str) -> Response:
    """Try a failed job again."""
    kit, job = _own_order(kit_id, export_id)
    if not actions.retry(job.id):
        abort(409, CANNOT_BE_RETRIED)
    tasks.wake_for_job(job.tier)
    return redirect(_address(kit, job), 303)


def _own_order(kit_id: str, export_id: str) -> tuple[Kit, Job]:
    kit = kit_list.owned_kit(current_user, kit_id)
    job = owned_by(current_user, Job, export_id)
    if (job.choices or {}).get("kit_id") != kit.id:
        raise RowNotFoundError
    return kit, job


def _address(kit: Kit, job: Job) -> str:
    return url_for("cards.progress", kit_id=kit.id, export_id=job.id)
