"""Turn exceptions into answers: a page, an alert for htmx, JSON, or a problem document for the API."""

from __future__ import annotations

import logging

from flask import Flask, g, jsonify, render_template, request
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response

from app.api import problems
from app.auth.hashing_queue import RETRY_AFTER_S, HashingBusyError
from app.extensions import db, limiter
from app.integrations.storage import StorageError
from app.models.ownership import RowNotFoundError
from app.negotiation import is_api_request, wants_fragment, wants_json
from app.notify.mail_links import DeadLinkError
from app.upload.spool import NEARLY_FULL, DiskFullError, is_disk_full

log = logging.getLogger(__name__)

ErrorAnswer = tuple[str | Response, int] | tuple[str | Response, int, dict[str, str]]

MESSAGES = {
    400: "We could not read that request. Check it and try again.",
    403: "You are not allowed to do this.",
    404: "There's nothing at this URL. The page may have been deleted, or the link may be wrong.",
    405: "This URL does not support that action.",
    413: "That is too much to send in one go. Send fewer or smaller files.",
    415: "This URL does not accept that type of content.",
    416: "The file does not have the requested part.",
    429: "Too many attempts. Wait a while, then try again.",
    500: "Something went wrong on our side. Nothing of yours is lost. Try again.",
    503: "Part of the service can't be reached. Try again in a minute.",
}

HASHING_BUSY = "Many people are signing in right now. Nothing was changed. Try again in a few seconds."
DEAD_LINK = "This link has expired or has already been used. Request a new one."
# Where each mailed link can be requested again, and what the button there says.
NEW_LINK_PAGES = {
    "auth.finish_registration": ("auth.register", "Sign up again"),
    "auth.sign_in_by_link": ("auth.sign_in", "Sign in"),
    "auth.reset": ("auth.forgot", "Reset your password"),
    "auth.verify": ("account.security", "Open the security settings"),
    "auth.confirm_email": ("account.security", "Open the security settings"),
    "auth.stop_change": ("auth.forgot", "Reset your password"),
    "account.export": ("account.data", "Export your data again"),
}


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(RowNotFoundError, answer_not_found)
    app.register_error_handler(DeadLinkError, answer_dead_link)
    app.register_error_handler(OperationalError, answer_unavailable)
    app.register_error_handler(PoolTimeout, answer_unavailable)
    app.register_error_handler(StorageError, answer_unavailable)
    app.register_error_handler(HashingBusyError, answer_hashing_busy)
    app.register_error_handler(DiskFullError, answer_disk_full)
    app.register_error_handler(OSError, answer_system_error)
    app.register_error_handler(Exception, answer_unexpected)


def answer_http_error(error: HTTPException) -> ErrorAnswer | HTTPException:
    code = error.code or 500
    if isinstance(error, SecurityError):
        return error  # an unknown Host header: no URL of ours can be built under it
    if code < 400 or error.response is not None:
        return error
    if isinstance(error, CSRFError):
        return _render_error(400, "This page was open for too long. Reload it and try again.")
    body, _ = _render_error(code, MESSAGES.get(code, str(error.description)))
    return body, code, _error_headers(error)


def answer_not_found(_: RowNotFoundError) -> ErrorAnswer:
    return _render_error(404, MESSAGES[404])


def answer_dead_link(_: DeadLinkError) -> ErrorAnswer:
    return _render_error(404, DEAD_LINK, NEW_LINK_PAGES.get(request.endpoint or ""))


def answer_unavailable(error: Exception) -> ErrorAnswer:
    log.exception("unavailable: %s", type(error).__name__)
    _detach_database()
    body, status = _render_error(503, MESSAGES[503])
    return body, status, {"Retry-After": "30"}


def answer_hashing_busy(_: HashingBusyError) -> ErrorAnswer:
    body, status = _render_error(503, HASHING_BUSY)
    return body, status, {"Retry-After": str(RETRY_AFTER_S)}


def answer_disk_full(refusal: Exception) -> ErrorAnswer:
    body, status = _render_error(507, str(refusal))
    return body, status, {"Retry-After": "300"}


def answer_system_error(error: OSError) -> ErrorAnswer:
    """Answer a full disk, wherever it was noticed, with 507; any other error is unexpected."""
    if not is_disk_full(error):
        return answer_unexpected(error)
    log.error("the disk is full: %s", error)
    _detach_database()
    return answer_disk_full(DiskFullError(NEARLY_FULL))


def answer_unexpected(error: Exception) -> ErrorAnswer:
    log.exception("unhandled error")
    _detach_database()
    return _render_error(500, MESSAGES[500])


def _error_headers(error: HTTPException) -> dict[str, str]:
    """Return the headers that belong to an error, such as Allow and Content-Range; a 429 has Retry-After."""
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    wait_s = limiter.retry_after_s()
    if error.code == 429 and wait_s is not None:
        headers.setdefault("Retry-After", str(wait_s))
    return headers


def _detach_database() -> None:
    """Treat the reader as signed out, so that the error page does not query the broken database for them."""
    db.session.rollback()
    g._login_user = AnonymousUserMixin()


def _render_error(
    code: int, sentence: str, next_page: tuple[str, str] | None = None
) -> tuple[str | Response, int]:
    """Answer in the form the request wants; `next_page` is an endpoint and the label of the button to it."""
    if is_api_request():
        return problems.problem_response(code, sentence), code
    if wants_fragment():
        return render_template("errors/_alert.html", sentence=sentence), code
    if wants_json():
        return jsonify(error=sentence), code
    return render_template("errors/error.html", code=code, sentence=sentence, next_page=next_page), code
