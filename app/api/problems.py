"""Build the errors of the JSON API, as problem details (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, g, request
from pydantic import BaseModel, Field, ValidationError

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 20


class FieldError(BaseModel):
    field: str = Field(description="Where it is, such as `bpm` or `tags.0`.")
    message: str


class Problem(BaseModel):
    """What went wrong, for a program and for a person."""

    type: str = Field(description="Always about:blank: the status says which kind it is.")
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="One sentence for a person.")
    instance: str = Field(description="The path that was asked for.")
    request_id: str = Field(description="Quote it when you report a problem.")
    errors: list[FieldError] = Field(description="Each value that can't be used.")


def problem_response(code: int, sentence: str, errors: list[FieldError] | None = None) -> Response:
    """Return an answer with a status code, one sentence about it and the values that can't be used."""
    problem = Problem(
        type="about:blank",
        title=HTTPStatus(code).phrase,
        status=code,
        detail=sentence,
        instance=request.path,
        request_id=g.get("request_id", ""),
        errors=errors or [],
    )
    return Response(problem.model_dump_json(), code, content_type=MEDIA_TYPE)


def validation_problem(error: ValidationError) -> Response:
    """Return 400 for a body that is not JSON, and 422 for values that the operation does not accept."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    if any(detail["type"] == "json_invalid" for detail in details):
        return problem_response(400, "The body is not valid JSON.")
    errors = [
        FieldError(field=_field_path(d["loc"]), message=d["msg"].removeprefix("Value error, "))
        for d in details[:MAX_ERRORS]
    ]
    words = "; ".join(f"{error.field}: {error.message}" if error.field else error.message for error in errors)
    return problem_response(422, f"The request can't be used. {words}", errors)


def _field_path(location: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in location)
