"""The page of an export that is being made: how far it is, and the ZIP when it is ready."""

from __future__ import annotations

import json
from typing import Any

from flask import make_response, render_template, url_for
from werkzeug.wrappers import Response

from app.cards.card_page import STRAIGHT_BYTES
from app.extensions import db
from app.jobs import card_list, purposes
from app.models import CardExport, Job
from app.negotiation import wants_fragment


def show_progress(job: Job, page: str, **context: Any) -> Response:
    """Show how far an export is, and then the ZIP; htmx asks every second, and starts a small download.

    `page` is the whole page's template; what asks gets the fragment alone.
    """
    card = db.session.get(CardExport, job.id)
    answer = make_response(
        render_template(
            "cards/_progress.html" if wants_fragment() else page,
            job=job,
            card=card,
            purpose=purposes.find_purpose(job.purpose),
            waiting=card_list.waiting_reason(job),
            **context,
        )
    )
    if wants_fragment() and card is not None and card.size_bytes <= STRAIGHT_BYTES:
        address = url_for("cards.made", export_id=card.id)
        answer.headers["HX-Trigger-After-Settle"] = json.dumps({"card-ready": {"address": address}})
    return answer
