"""What the product refuses, as the API says it."""

from __future__ import annotations

from flask import Blueprint, Response, url_for
from pydantic import ValidationError

from app.api import problems
from app.jobs.reprocess import TooOftenError
from app.upload.direct import NotArrivedError, NotOfferedError
from app.upload.idempotency import OtherRequestError, StillRunningError
from app.upload.intake import RefusedError, UnavailableError


def register(blueprint: Blueprint) -> None:
    blueprint.register_error_handler(ValidationError, problems.unusable)
    blueprint.register_error_handler(RefusedError, lambda refusal: problems.answer(422, str(refusal)))
    blueprint.register_error_handler(TooOftenError, lambda problem: problems.answer(422, str(problem)))
    blueprint.register_error_handler(NotArrivedError, lambda problem: problems.answer(409, str(problem)))
    blueprint.register_error_handler(UnavailableError, later)
    blueprint.register_error_handler(NotOfferedError, not_offered)
    blueprint.register_error_handler(OtherRequestError, other_request)
    blueprint.register_error_handler(StillRunningError, still_running)


def later(trouble: UnavailableError) -> Response:
    response = problems.answer(503, str(trouble))
    response.headers["Retry-After"] = "60"
    return response


def not_offered(_: NotOfferedError) -> Response:
    url = url_for("api.upload")
    return problems.answer(409, f"There is no object store here: send the file itself to POST {url}.")


def other_request(_: OtherRequestError) -> Response:
    return problems.answer(422, "This Idempotency-Key was used with another file or other options.")


def still_running(_: StillRunningError) -> Response:
    return problems.answer(409, "The first request with this Idempotency-Key is not answered yet.")
