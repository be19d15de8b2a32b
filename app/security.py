"""Guard every request: require a sign-in, reject input no form can use, and add security headers."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit

from flask import Flask, Response, abort, flash, g, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from app import logs
from app.config import Settings
from app.extensions import settings
from app.form_responses import form_texts
from app.models.base import new_id

STRIPE_API_BASE = Settings.model_fields["stripe_api_base"].default

RETRY_LATER = frozenset({429, 503, 507})
FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
# The fields that take files; any other form takes none.
FILE_FIELDS = {
    "upload.create": frozenset({"audio"}),
    "upload.take_zip": frozenset({"zip"}),
    "kits.keep_midi": frozenset({"midi"}),
    "imports.send": frozenset({"project"}),
}
# Every other endpoint needs a signed-in user, so a new route is closed until it is listed here.
PUBLIC_ENDPOINTS = frozenset(
    {
        "account.export",  # carries a signed link
        "api.document",
        "auth.demo",
        "auth.confirm_email",  # carries a signed link
        "auth.finish_registration",  # carries a signed link
        "auth.forgot",
        "auth.register",
        "auth.reset",  # carries a signed link
        "auth.second_step",
        "auth.sign_in",
        "auth.stop_change",  # carries a signed link
        "auth.sign_in_by_link",  # carries a signed link
        "auth.verify",  # carries a signed link
        "billing.take_event",  # signed by Stripe
        "pages.api",
        "pages.healthz",
        "pages.landing",
        "pages.media",
        "pages.metrics",  # has a token of its own
        "pages.readyz",
        "upload.permission",  # looks at the session or the token itself
    }
)


def init_app(app: Flask, *early_answers: Callable[[], Response | None]) -> None:
    """Register what runs before and after every request.

    An early answer checks the sign-in itself, and leaves the request to its view by returning None.
    """
    app.before_request(assign_request_id)
    app.before_request(reject_unusable_input)
    for early_answer in early_answers:
        app.before_request(early_answer)
    app.before_request(require_sign_in)
    app.after_request(add_security_headers)


def assign_request_id() -> None:
    """Give the request an id, which its log lines carry and users can quote when they report a problem.

    A trusted proxy in front may have chosen it. Its jobs keep it, and pass it on to the engine.
    """
    given = request.headers.get("X-Request-ID", "") if settings().trusted_proxies else ""
    g.request_id = logs.valid_request_id(given) or new_id()
    logs.bind_request(g.request_id)


def reject_unusable_input() -> None:
    """Answer 400 to NUL characters and to a file where a form takes none.

    People never type NUL, and PostgreSQL rejects it in text. A form would take a file for the value of the
    text field with the same name. The API and Stripe's events are checked where their bodies are read.
    """
    typed = [request.path, *(text for pair in request.args.items(multi=True) for text in pair)]
    if request.mimetype in FORM_TYPES and request.blueprint not in (None, "api"):
        typed += form_texts()
        if request.files.keys() - FILE_FIELDS.get(request.endpoint or "", frozenset()):
            abort(400)
    if any("\0" in text for text in typed):
        abort(400)


def require_sign_in() -> BaseResponse | None:
    """Redirect to the sign-in page unless the endpoint is public or the user is signed in."""
    if request.endpoint is None or request.endpoint in PUBLIC_ENDPOINTS:
        return None
    if request.blueprint == "api":
        return None  # checks tokens itself and ignores cookies
    if current_user.is_authenticated:
        return None
    return redirect_to_sign_in()


def add_security_headers(response: Response) -> Response:
    """Add the security and caching headers that a view has not set itself."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", _content_policy(settings()))
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Request-ID", g.get("request_id", ""))
    headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if settings().base_url.startswith("https://"):
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if response.status_code in RETRY_LATER:
        headers.setdefault("Retry-After", "60")
    if request.endpoint != "pages.media" or response.status_code >= 400:
        headers.setdefault("Cache-Control", "no-store")
        response.vary.update(["Cookie", "HX-Request"])
    return response


def redirect_to_sign_in() -> BaseResponse:
    """Redirect to the sign-in page, which leads back here; for a fragment, htmx moves the whole page."""
    target = request.script_root + request.full_path.rstrip("?") if request.method == "GET" else ""
    if request.headers.get("HX-Request"):
        _, _, address = request.headers.get("HX-Current-URL", "").partition("://")
        _, slash, path = address.partition("/")
        response: BaseResponse = Response(status=200)
        response.headers["HX-Redirect"] = url_for("auth.sign_in", next=slash + path or None)
        return response
    flash("Sign in to continue.")
    return redirect(url_for("auth.sign_in", next=target or None), 303)


@lru_cache(maxsize=8)
def _content_policy(now: Settings) -> str:
    store = _origin_of(now.s3_endpoint_url) if now.s3_bucket else ""
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": f"'self' {store}",
        "media-src": f"'self' blob: {store}",
        "form-action": f"'self' {_payment_hosts(now)}",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "manifest-src": "'self'",
    }
    return "; ".join(f"{name} {value.strip()}" for name, value in rules.items())


def _payment_hosts(now: Settings) -> str:
    """Return the hosts that our forms may redirect to: Checkout and the billing portal."""
    if now.stripe_secret_key is None:
        return ""
    hosts = "https://checkout.stripe.com https://billing.stripe.com"
    return hosts if now.stripe_api_base == STRIPE_API_BASE else f"{hosts} {_origin_of(now.stripe_api_base)}"


def _origin_of(url: str | None) -> str:
    """Return scheme and host of a URL; without one, those of Amazon's object stores."""
    parts = urlsplit(url or "https://*.amazonaws.com")
    return f"{parts.scheme}://{parts.netloc}"
