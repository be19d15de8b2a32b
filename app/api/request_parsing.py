"""What a request carries, as an operation's schemas read it. Limits come before parsing."""

from __future__ import annotations

from flask import request
from pydantic import BaseModel
from werkzeug.exceptions import UnsupportedMediaType

from app.api.operations import Operation
from app.billing import plans
from app.extensions import db
from app.models import User

MAX_FORM_BYTES, MAX_JSON_BYTES = 10**6, 64 * 1024


def parse_request(operation: Operation, user: User) -> dict[str, BaseModel]:
    """What the request carries, as the operation's schemas read it."""
    found: dict[str, BaseModel] = {}
    if operation.query is not None:
        found["query"] = operation.query.model_validate(request.args.to_dict())
    if operation.headers is not None:
        found["headers"] = operation.headers.model_validate(dict(request.headers))
    if operation.body is not None:
        found["body"] = operation.body.model_validate_json(_read_json())
    if operation.form is not None:
        _require_mimetype("multipart/form-data")
        request.max_content_length = plans.plan_for_user(user).max_file_bytes + MAX_FORM_BYTES
        db.session.commit()  # the body may come slowly, and no connection is held meanwhile
        found["form"] = operation.form.model_validate(request.form.to_dict())
    return found


def _read_json() -> bytes:
    _require_mimetype("application/json")
    request.max_content_length = MAX_JSON_BYTES
    return request.get_data()


def _require_mimetype(mimetype: str) -> None:
    if request.mimetype != mimetype:
        raise UnsupportedMediaType
