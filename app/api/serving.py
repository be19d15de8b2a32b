"""Serve the operations of the JSON API: check the token and what was sent, then call a view.

The views are in `sample_views` and `routes`. They call the same functions as the pages, for the owner of the
token.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from flask import Blueprint, Response, request
from pydantic import BaseModel
from werkzeug.wrappers import Response as BaseResponse

from app.api import errors, operations, problems, request_parsing, response_headers, schemas
from app.api.operation import Operation
from app.auth import api_tokens
from app.billing import plans
from app.extensions import csrf, limiter, settings
from app.jobs import progress, purposes
from app.models import Job, User
from app.upload import early_checks, idempotency

blueprint = Blueprint("api", __name__, url_prefix=operations.PREFIX)
csrf.exempt(blueprint)  # no view reads a cookie, so another site can't make a browser act
errors.register(blueprint)
blueprint.after_request(response_headers.add_rate_headers)
blueprint.after_request(response_headers.add_etag)

Answer = BaseModel | BaseResponse
View = Callable[..., Answer]


def _rate_limit() -> str:
    return f"{settings().api_requests_per_minute}/minute"


def _has_token() -> bool:
    return api_tokens.request_token() is not None


def _has_no_token() -> bool:
    return not _has_token()


# Requests with a valid token count for its account; all others, even with a made-up token, for their network.
limiter.shared_limit(_rate_limit, scope="api", key_func=api_tokens.rate_limit_key, exempt_when=_has_no_token)(
    blueprint
)
limiter.shared_limit(_rate_limit, scope="api", exempt_when=_has_token)(blueprint)


def serves(operation: Operation) -> Callable[[View], View]:
    """Register a function as the view of an operation. Token, ability and values are checked before it."""

    def register(view: View) -> View:
        @wraps(view)
        def answer(**ids: str) -> BaseResponse:
            user = authorise_user(operation.ability, operation.further_ability)
            if isinstance(user, BaseResponse):
                return user
            if operation.form is not None:
                _check_before_reading(user, operation)
            made = view(user, **ids, **request_parsing.parse_request(operation))
            if isinstance(made, BaseResponse):
                return made
            return Response(made.model_dump_json(), operation.status, mimetype="application/json")

        blueprint.add_url_rule(operation.rule, operation.name, answer, methods=[operation.method])
        return view

    return register


def upload_answer(job: Job) -> schemas.UploadAnswer:
    plural = purposes.find_purpose(job.purpose).wording.plural
    message = f"Queued. On the Free plan, {plural} start later." if job.is_delayed else "Queued."
    return schemas.UploadAnswer.from_job(job, progress.estimate_finish(job), message)


def authorise_user(*abilities: str | None) -> User | Response:
    """Return the owner of the token in the request, or the problem with that token."""
    token = api_tokens.request_token()
    if token is None:
        response = problems.problem_response(401, "Send a valid token as `Authorization: Bearer sp404_…`.")
        invalid = ', error="invalid_token"' if api_tokens.has_auth_header() else ""
        response.headers["WWW-Authenticate"] = f'Bearer realm="sp404mk2"{invalid}'
        return response
    missing = next((each for each in abilities if each is not None and not token.allows(each)), None)
    if missing is not None:
        sentence = (
            f"This token does not have the permission `{missing}`. Create one that does in Settings > Tokens."
        )
        return problems.problem_response(403, sentence)
    return token.user


def _check_before_reading(user: User, operation: Operation) -> None:
    """Refuse an upload by its headers; a repeated request still gets its answer when the plan is used up."""
    if operation is operations.IMPORT_KIT:
        early_checks.reserve_archive_room(user)
        return
    key = request.headers.get("Idempotency-Key")
    if key is None or not idempotency.is_known(user, key):
        early_checks.check_quota(user, request.content_length)
    early_checks.reserve_room(early_checks.largest_body(plans.plan_for_user(user), 1))
