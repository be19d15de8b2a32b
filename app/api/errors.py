"""Map the product's exceptions to problem details of the API."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, url_for
from pydantic import ValidationError

from app.api import problems
from app.audio.render.recipe import RecipeError
from app.jobs.reprocess import DailyLimitError
from app.kits.bank_filling import NothingToFillError
from app.kits.history import KitConflictError, KitTooLargeError
from app.kits.kit_list import TooManyKitsError
from app.kits.pad_edits import EmptyPadError
from app.kits.pad_swaps import NothingAlikeError
from app.models.corrections import UnfitCorrectionError
from app.sp404.errors import UnitFileError
from app.upload.direct_uploads import NoBucketError, NotArrivedError
from app.upload.idempotency import KeyReusedError, RequestInProgressError
from app.upload.intake import OverPlanError, UploadRefusedError, UploadUnavailableError

# Their messages are sentences for the user; the status says what kind of refusal it is.
STATUS_BY_ERROR: dict[type[Exception], int] = {
    UploadRefusedError: 422,
    DailyLimitError: 422,
    RecipeError: 422,
    UnitFileError: 422,
    NotArrivedError: 409,
    KitConflictError: 409,
    TooManyKitsError: 409,
    KitTooLargeError: 422,
    EmptyPadError: 422,
    NothingToFillError: 422,
    NothingAlikeError: 422,
}


def register(blueprint: Blueprint) -> None:
    """Register a handler for each exception that a view of the API may raise."""
    for error, status in STATUS_BY_ERROR.items():
        blueprint.register_error_handler(error, partial(refuse, status))
    blueprint.register_error_handler(OverPlanError, over_plan)
    blueprint.register_error_handler(UnfitCorrectionError, unfit_correction)
    blueprint.register_error_handler(ValidationError, problems.validation_problem)
    blueprint.register_error_handler(UploadUnavailableError, service_unavailable)
    blueprint.register_error_handler(NoBucketError, no_object_store)
    blueprint.register_error_handler(KeyReusedError, key_reused)
    blueprint.register_error_handler(RequestInProgressError, key_in_use)


def refuse(status: int, error: Exception) -> Response:
    """Answer with the exception's own sentence."""
    return problems.problem_response(status, str(error))


def over_plan(error: OverPlanError) -> Response:
    """Answer 422 with the sentence, and say at `plan` which of its limits it is."""
    named = problems.FieldError(field="plan", message=error.limit)
    return problems.problem_response(422, str(error), [named])


def unfit_correction(error: UnfitCorrectionError) -> Response:
    """Answer 422 with the sentence, and name the field."""
    named = problems.FieldError(field=error.field, message=str(error))
    return problems.problem_response(422, str(error), [named])


def service_unavailable(trouble: UploadUnavailableError) -> Response:
    """Answer 503 and ask for another try in a minute."""
    response = problems.problem_response(503, str(trouble))
    response.headers["Retry-After"] = "60"
    return response


def no_object_store(_: NoBucketError) -> Response:
    """Answer 409 and name the operation that works without an object store."""
    url = url_for("api.upload")
    return problems.problem_response(
        409, f"This server has no object store. Send the file itself to POST {url}."
    )


def key_reused(_: KeyReusedError) -> Response:
    """Refuse a key that belongs to another request."""
    return problems.problem_response(
        422, "This Idempotency-Key was used with another file or other options. Send a new key."
    )


def key_in_use(_: RequestInProgressError) -> Response:
    """Refuse a request while an earlier one with the same key is running."""
    return problems.problem_response(
        409, "The first request with this Idempotency-Key is still running. Try again soon."
    )
