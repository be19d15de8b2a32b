"""What the product refuses, as the API says it."""

from __future__ import annotations

from flask import Blueprint, Response, url_for
from pydantic import ValidationError

from app.api import problems
from app.jobs.reprocess import DailyLimitError
from app.upload.direct_uploads import NoBucketError, NotArrivedError
from app.upload.idempotency import KeyReusedError, RequestInProgressError
from app.upload.intake import UploadRefusedError, UploadUnavailableError


def register(blueprint: Blueprint) -> None:
    blueprint.register_error_handler(ValidationError, problems.validation_problem)
    blueprint.register_error_handler(
        UploadRefusedError, lambda refusal: problems.problem_response(422, str(refusal))
    )
    blueprint.register_error_handler(
        DailyLimitError, lambda problem: problems.problem_response(422, str(problem))
    )
    blueprint.register_error_handler(
        NotArrivedError, lambda problem: problems.problem_response(409, str(problem))
    )
    blueprint.register_error_handler(UploadUnavailableError, service_unavailable)
    blueprint.register_error_handler(NoBucketError, no_object_store)
    blueprint.register_error_handler(KeyReusedError, key_reused)
    blueprint.register_error_handler(RequestInProgressError, key_in_use)


def service_unavailable(trouble: UploadUnavailableError) -> Response:
    response = problems.problem_response(503, str(trouble))
    response.headers["Retry-After"] = "60"
    return response


def no_object_store(_: NoBucketError) -> Response:
    url = url_for("api.upload")
    return problems.problem_response(
        409, f"There is no object store here: send the file itself to POST {url}."
    )


def key_reused(_: KeyReusedError) -> Response:
    return problems.problem_response(422, "This Idempotency-Key was used with another file or other options.")


def key_in_use(_: RequestInProgressError) -> Response:
    return problems.problem_response(409, "The first request with this Idempotency-Key is not answered yet.")
