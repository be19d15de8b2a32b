"""The landing page, the dashboard, signed files, the API's documentation, and health checks for operators."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from urllib.parse import quote

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import text
from werkzeug.utils import send_file
from werkzeug.wrappers import Response as BaseResponse

from app.admin import metrics as queue_metrics
from app.api import openapi
from app.billing import plans, quota
from app.extensions import db, settings
from app.integrations.storage import DiskStore, InvalidLinkError, open_store
from app.jobs import card_list
from app.kits import kit_list
from app.notify.external_urls import external_url
from app.search.sample_query import SampleQuery
from app.search.sample_search import list_samples

blueprint = Blueprint("pages", __name__)

RECENT_SAMPLES = 8
HEARD_IN_LOOP = Path(__file__).with_name("landing_loop.json")  # made by scripts/landing_loop.py
RECENT_KITS = 5
# What nginx itself says of a file that it sends, and what other servers than nginx would be told.
SENT_BY_NGINX = ("Content-Length", "ETag", "Last-Modified", "X-Sendfile")


@blueprint.get("/")
def landing() -> str | BaseResponse:
    """Show what the product does and costs; signed-in users go to their dashboard."""
    if current_user.is_authenticated:
        return redirect(url_for("pages.dashboard"))
    return render_template(
        "pages/landing.html",
        plans=plans.PLANS.values(),
        heard=json.loads(HEARD_IN_LOOP.read_text()),
        home_url=external_url("pages.landing"),
    )


@blueprint.get("/dashboard")
def dashboard() -> str:
    """Show the newest sounds and kits, what waits and runs, and what of the plan is used."""
    kits = kit_list.list_kits(current_user)[:RECENT_KITS]
    recent = list_samples(current_user, SampleQuery(), after=None, limit=RECENT_SAMPLES)
    return render_template(
        "pages/dashboard.html",
        standing=quota.plan_usage(current_user),
        board=card_list.load_cards(current_user.id),
        recent=recent.samples,
        total=recent.total,
        waiting=recent.waiting,
        kits=kits,
        pads=kit_list.count_pads(kits),
    )


@blueprint.get("/media/<token>")
def media(token: str) -> BaseResponse:
    """Send a file of the disk store; the signed token is the permission. Ranges work, so players can seek."""
    if "," in request.headers.get("Range", ""):
        del request.environ["HTTP_RANGE"]  # several ranges at once: the whole file is a valid answer too
    store = open_store(settings())
    if not isinstance(store, DiskStore):
        abort(404)
    try:
        path, content_type, download_name = store.open_link(token)
        response = send_file(
            path,
            request.environ,
            mimetype=content_type,
            as_attachment=download_name is not None,
            download_name=download_name,
            conditional=not settings().media_by_nginx,
            use_x_sendfile=settings().media_by_nginx,
        )
    except (InvalidLinkError, FileNotFoundError):
        abort(404)
    if settings().media_by_nginx:
        response.headers["X-Accel-Redirect"] = quote(f"/.media/{path.relative_to(store.root).as_posix()}")
        for name in SENT_BY_NGINX:
            response.headers.pop(name, None)
    # A browser shows a sound on a page of its own, which loads it from this address.
    is_shown = download_name is None and content_type.startswith("audio/")
    allowed = "media-src 'self'" if is_shown else "sandbox"
    response.headers["Content-Security-Policy"] = f"default-src 'none'; {allowed}"
    response.headers["Cache-Control"] = "private, max-age=900"
    return response


@blueprint.get("/docs/api")
def api() -> str:
    """Show the OpenAPI document as a page."""
    document = openapi.document(settings().base_url)
    known = document["components"]["schemas"]
    return render_template(
        "pages/api.html",
        document=document,
        fields_of=lambda schema: openapi.schema_fields(schema, known),
        type_of=openapi.type_label,
    )


@blueprint.get("/healthz")
def healthz() -> Response:
    """Answer as long as the process runs."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
def readyz() -> Response:
    """Answer when the database does too; otherwise the error handler answers 503."""
    db.session.execute(text("SELECT 1"))
    return Response("ready\n", mimetype="text/plain")


@blueprint.get("/metrics")
def metrics() -> Response:
    """Send metrics to a scraper that has the token; 404 when no token is configured."""
    token = settings().metrics_token
    if token is None:
        abort(404)
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode("latin-1", "replace"), f"Bearer {token}".encode()):
        return Response(
            "a bearer token is needed\n", 401, {"WWW-Authenticate": "Bearer"}, mimetype="text/plain"
        )
    return Response(queue_metrics.render_metrics(), content_type=queue_metrics.CONTENT_TYPE)
