"""What went wrong, said once: a page, or a small alert when htmx or a script asked."""

from __future__ import annotations

import logging

from flask import Flask, g, jsonify, render_template
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response

from app.api import problems
from app.extensions import db
from app.integrations.storage import StorageError
from app.models.ownership import RowNotFoundError
from app.negotiation import is_api_request, wants_fragment, wants_json

log = logging.getLogger(__name__)

ErrorAnswer = tuple[str | Response, int] | tuple[str | Response, int, dict[str, str]]

MESSAGES = {
    400: "The request could not be understood.",
    403: "You may not do this.",
    404: "There is nothing here. It may have been deleted, or the address may be mistyped.",
    405: "That can't be done at this address.",
    413: "That is more than can be sent at once. Send fewer or smaller files.",
    415: "That is not the kind of content this address takes.",
    416: "The file has no such part.",
    429: "Too many attempts. Wait a little, then try again.",
    500: "Something on our side broke. Nothing of yours is lost; try again.",
    503: "A part of the service is out of reach. Try again in a minute.",
}


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(RowNotFoundError, answer_not_found)
    app.register_error_handler(OperationalError, answer_unavailable)
    app.register_error_handler(PoolTimeout, answer_unavailable)
    app.register_error_handler(StorageError, answer_unavailable)
    app.register_error_handler(Exception, answer_unexpected)


def answer_http_error(error: HTTPException) -> ErrorAnswer | HTTPException:
    code = error.code or 500
    if isinstance(error, SecurityError):
        return error  # a foreign host name: no page of ours can be addressed under it
    if code < 400 or error.response is not None:
        return error
    if isinstance(error, CSRFError):
        return _render_error(400, "This page was open for too long. Reload it and try again.")
    body, _ = _render_error(code, MESSAGES.get(code, str(error.description)))
    return body, code, _error_headers(error)


def answer_not_found(_: RowNotFoundError) -> ErrorAnswer:
    return _render_error(404, MESSAGES[404])


def answer_unavailable(error: Exception) -> ErrorAnswer:
    log.exception("out of reach: %s", type(error).__name__)
    _detach_database()
    body, status = _render_error(503, MESSAGES[503])
    return body, status, {"Retry-After": "30"}


def answer_unexpected(error: Exception) -> ErrorAnswer:
    log.exception("unhandled error")
    _detach_database()
    return _render_error(500, MESSAGES[500])


def _error_headers(error: HTTPException) -> dict[str, str]:
    """What an error says beside its page: Allow, Content-Range, Retry-After."""
    return {name: value for name, value in error.get_headers() if name != "Content-Type"}


def _detach_database() -> None:
    """The page that says what broke must not ask the database who is reading it."""
    db.session.rollback()
    g._login_user = AnonymousUserMixin()


def _render_error(code: int, sentence: str) -> tuple[str | Response, int]:
    if is_api_request():
        return problems.problem_response(code, sentence), code
    if wants_fragment():
        return render_template("errors/_alert.html", sentence=sentence), code
    if wants_json():
        return jsonify(error=sentence), code
    return render_template("errors/error.html", code=code, sentence=sentence), code
