"""Parse what a request carries with the operation's schemas. Size limits are set before anything is read."""

from __future__ import annotations

from flask import request
from pydantic import BaseModel
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from app.api.operation import Operation
from app.form_responses import form_texts


def parse_request(operation: Operation) -> dict[str, BaseModel]:
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
        found["body"] = operation.body.model_validate_json(_read_json(operation.max_body_bytes))
    if operation.form is not None:
        _require_mimetype("multipart/form-data")
        if any("\0" in text for text in form_texts()):
            raise BadRequest
        found["form"] = operation.form.model_validate(request.form.to_dict())
    return found


def _read_json(max_bytes: int) -> bytes:
    _require_mimetype("application/json")
    request.max_content_length = max_bytes
    return request.get_data()


def _require_mimetype(mimetype: str) -> None:
    if request.mimetype != mimetype:
        raise UnsupportedMediaType
