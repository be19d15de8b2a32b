"""The live job cards: one poll for all of them, which ends by itself."""

from __future__ import annotations

from flask import Blueprint, abort, make_response, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response

from app.billing import quota
from app.extensions import settings
from app.integrations.storage import open_store
from app.jobs import board
from app.negotiation import wants_fragment

blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")

STOP_POLLING = 286


@blueprint.get("")
def cards() -> Response:
    """A page of its own; for htmx the cards, or 204 when it has them as they are. 286 tells it to stop."""
    now = board.for_user(current_user)
    if not wants_fragment():
        return make_response(
            render_template("jobs/index.html", board=now, standing=quota.standing(current_user))
        )
    if request.args.get("version") == now.version and now.interval_s is not None:
        return Response(status=204)
    response = make_response(
        render_template(
            "jobs/_cards.html", board=now, standing=quota.standing(current_user), out_of_band=True
        )
    )
    response.status_code = 200 if now.interval_s is not None else STOP_POLLING
    return response


@blueprint.get("/<job_id>/audio")
def audio(job_id: str) -> Response:
    """What is decoded can be played, before the analysis is done."""
    key = board.owned_by(current_user, job_id).playable_key
    if key is None:
        abort(404)
    return redirect(open_store(settings()).url(key, content_type="audio/wav"))
