"""Parse what a request carries with the operation's schemas. Size limits are set before anything is read."""

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
    """Return the query, headers, body and form that the operation's schemas read from the request.

    Raise pydantic's ValidationError for values that do not fit, and UnsupportedMediaType for another type of
    body.
    """
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
        db.session.commit()  # release the connection: the body may arrive slowly
        found["form"] = operation.form.model_validate(request.form.to_dict())
    return found


def _read_json() -> bytes:
    _require_mimetype("application/json")
    request.max_content_length = MAX_JSON_BYTES
    return request.get_data()


def _require_mimetype(mimetype: str) -> None:
    if request.mimetype != mimetype:
        raise UnsupportedMediaType
