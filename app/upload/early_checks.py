"""Refuse an upload by its headers, before its body is read: by quota, declared size and free disk."""

from __future__ import annotations

from io import RawIOBase
from typing import Any, cast

from flask import current_app, request
from flask_wtf.csrf import CSRFError, validate_csrf
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData
from wtforms import ValidationError

from app.billing import plans, quota
from app.billing.plans import Plan
from app.extensions import db
from app.models import User
from app.upload import idempotency, spool
from app.upload.intake import OverPlanError, UploadRefusedError
from app.upload.spool import SpoolingRequest

MAX_OVERHEAD_BYTES = 10**6  # of a body besides its files: boundaries, part headers and the other fields
MAX_UPLOAD_BYTES = 10**9
HEAD_BYTES = 64 * 1024


def check_quota(user: User, declared: int | None) -> None:
    """Raise OverPlanError when the plan certainly has no room for a body of the declared length."""
    usage, declared = quota.plan_usage(user), declared or 0
    if usage.refusal(max(declared - MAX_OVERHEAD_BYTES, 1)) is not None:
        raise OverPlanError(usage.refusal(max(declared, 1)) or "", usage.refusing_limit)


def largest_body(plan: Plan, files: int) -> int:
    """Return the longest body with this many files that a plan allows."""
    several = min(files * plan.max_file_bytes, MAX_UPLOAD_BYTES)
    return max(several, plan.max_file_bytes) + MAX_OVERHEAD_BYTES


def may_send(user: User, declared: int | None, files: int, is_archive: bool = False) -> bool:
    """Return whether a body of the declared length would be read, without reading or reserving anything."""
    limit = largest_body(plans.plan_for_user(user), files)
    if is_archive:
        limit = plans.plan_for_user(user).max_archive_bytes + MAX_OVERHEAD_BYTES
    key = request.headers.get("Idempotency-Key")
    try:
        if not is_archive and (key is None or not idempotency.is_known(user, key)):
            check_quota(user, declared)
        spool.reserve_room(declared or 0).release()
    except (UploadRefusedError, spool.DiskFullError):
        return False
    return declared is None or declared <= limit


def reserve_room(max_body_bytes: int) -> None:
    """Limit the body, and reserve the disk space it needs; without a declared length, that is the limit.

    Raises RequestEntityTooLarge and DiskFullError. The database connection is released, because the body may
    arrive slowly.
    """
    request.max_content_length = max_body_bytes
    declared = request.content_length
    if declared is not None and declared > max_body_bytes:
        raise RequestEntityTooLarge
    db.session.commit()
    cast(SpoolingRequest, request).reserve_room(max_body_bytes if _is_chunked() else declared or 0)


def reserve_archive_room(user: User) -> None:
    """Reserve the room for a ZIP of sounds, or for a file with projects, as `reserve_room` does."""
    reserve_room(plans.plan_for_user(user).max_archive_bytes + MAX_OVERHEAD_BYTES)


def is_unreceived() -> bool:
    """Return whether the proxy in front refuses to receive the body, so that reading it is an error."""
    return cast(SpoolingRequest, request).is_unreceived


def require_form_token() -> None:
    """Raise CSRFError unless the header, or the beginning of a large body, holds the session's form token.

    Browsers send the fields of a form in order, so the token comes before the files. A body no larger than
    any other form's is checked after it has been read, as everywhere else.
    """
    is_small = not _is_chunked() and (request.content_length or 0) <= current_app.config["MAX_CONTENT_LENGTH"]
    if is_small or not current_app.config.get("WTF_CSRF_ENABLED", True):
        return
    token = request.headers.get("X-CSRFToken") or _token_at_the_head()
    try:
        validate_csrf(token)
    except ValidationError as error:
        raise CSRFError(error.args[0]) from error


def _is_chunked() -> bool:
    """Return whether the body comes without a length."""
    return "chunked" in request.headers.get("Transfer-Encoding", "").lower()


def _token_at_the_head() -> str | None:
    """Return the form token if it comes before the first file; the body can still be read from its start."""
    boundary = request.mimetype_params.get("boundary", "").encode("ascii", "replace")
    decoder = MultipartDecoder(boundary, max_form_memory_size=HEAD_BYTES, max_parts=20)
    try:
        decoder.receive_data(_peek())
        return _find_field(decoder, current_app.config["WTF_CSRF_FIELD_NAME"])
    except (ValueError, RequestEntityTooLarge):
        return None


def _find_field(decoder: MultipartDecoder, wanted: str) -> str | None:
    name, value = "", b""
    while not isinstance(event := decoder.next_event(), NeedData | Epilogue | File):
        if isinstance(event, Field):
            name, value = event.name, b""
        elif isinstance(event, Data):
            value += event.data
            if name == wanted and not event.more_data:
                return value.decode("utf-8", "replace")
    return None


def _peek() -> bytes:
    """Read the beginning of the body, and put it back in front of the rest."""
    environ, length = request.environ, request.content_length
    if length is None and not environ.get("wsgi.input_terminated"):
        return b""
    body = environ["wsgi.input"]
    head = body.read(HEAD_BYTES if length is None else min(HEAD_BYTES, length))
    environ["wsgi.input"] = _Rejoined(head, body)
    return cast(bytes, head)


class _Rejoined(RawIOBase):
    """The beginning of a body, and then the rest of it."""

    def __init__(self, head: bytes, rest: Any) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._head[: len(buffer)] if self._head else self._rest.read(len(buffer))
        self._head = self._head[len(block) :]
        buffer[: len(block)] = block
        return len(block)
