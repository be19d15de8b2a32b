"""Views of the JSON API. They call the same functions as the pages, for the owner of a token."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

import tasks
from app.account import data_export
from app.api import (
    errors,
    openapi,
    operations,
    problems,
    request_parsing,
    response_headers,
    sample_schemas,
    schemas,
    similar_schemas,
)
from app.api.operations import Operation
from app.auth import api_tokens
from app.billing import plans, quota
from app.extensions import csrf, db, limiter, settings
from app.jobs import actions, progress, purposes, reprocess
from app.library import downloads, samples, trash
from app.models import Job, User
from app.models.api_token import EXPORTS_WRITE
from app.models.job import CANCELLED
from app.models.ownership import owned_by
from app.notify.external_urls import external_url
from app.reprocessing.reprocess_purposes import ANALYSE, DESCRIBE
from app.search import similar_samples
from app.search.sample_query import SampleQuery, with_learned_words
from app.search.sample_search import find_samples, is_page_start, load_samples
from app.search.similar_samples import SimilarQuery
from app.upload import direct_uploads, early_checks, idempotency, intake
from app.upload.intake import UploadOptions

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
            user = _authorised_user(operation.ability)
            if isinstance(user, BaseResponse):
                return user
            if operation.form is not None:
                _check_before_reading(user)
            made = view(user, **ids, **request_parsing.parse_request(operation))
            if isinstance(made, BaseResponse):
                return made
            return Response(made.model_dump_json(), operation.status, mimetype="application/json")

        blueprint.add_url_rule(operation.rule, operation.name, answer, methods=[operation.method])
        return view

    return register


@blueprint.get("/openapi.json")
def document() -> Response:
    return jsonify(openapi.document(settings().base_url))


@serves(operations.UPLOAD)
def upload(user: User, form: schemas.UploadForm, headers: schemas.UploadHeaders) -> Answer:
    files = request.files.getlist("audio")
    if len(files) != 1 or len(request.files) != 1:
        return problems.problem_response(422, "Send one file in the field `audio`.")
    if headers.idempotency_key is None:
        return _accept_upload(user, files[0], UploadOptions(**form.model_dump()))
    return _upload_once(user, files[0], form, headers.idempotency_key)


@serves(operations.START_UPLOAD)
def start_upload(user: User, body: schemas.LinkRequest) -> Answer:
    options = UploadOptions(body.export_sp404, body.ai_analysis)
    batch_id = intake.open_batch(user, None, 1)
    link = direct_uploads.create_link(user, body.filename, body.size_bytes, batch_id, options)
    return schemas.LinkAnswer(
        upload_id=link.upload_id,
        url=link.url,
        method="PUT",
        headers=link.headers,
        expires_at=link.expires_at,
    )


@serves(operations.COMPLETE_UPLOAD)
def complete_upload(user: User, upload_id: str) -> Answer:
    job = direct_uploads.complete_upload(user, upload_id)
    tasks.wake_for_job(job.tier)
    return _upload_answer(job)


@serves(operations.SHOW_JOB)
def show_job(user: User, job_id: str) -> Answer:
    return _job_answer(owned_by(user, Job, job_id))


@serves(operations.CANCEL_JOB)
def cancel_job(user: User, job_id: str) -> Answer:
    job = owned_by(user, Job, job_id)
    actions.cancel(job.id)
    db.session.refresh(job)
    if job.state != CANCELLED:
        return problems.problem_response(409, f"The job is {job.state} and can't be cancelled any more.")
    return _job_answer(job)


@serves(operations.LIST_SAMPLES)
def list_samples(user: User, query: sample_schemas.SamplesQuery) -> Answer:
    if query.after is not None and not is_page_start(user, query.after):
        sentence = "`after` is not a sample in your library. Start again without it."
        return problems.problem_response(422, sentence)
    wanted = query.model_dump(exclude={"after", "limit"})
    wanted |= {"kind": query.kind or "", "key": query.key or "", "sort": query.sort or ""}
    found = find_samples(user, with_learned_words(user, SampleQuery(**wanted)), query.after, query.limit)
    return sample_schemas.SamplesAnswer(
        samples=[sample_schemas.SampleAnswer.from_sample(sample) for sample in found.samples],
        total=found.total,
        total_is_minimum=found.is_more,
        next_after=found.next_after,
    )


@serves(operations.SHOW_SAMPLE)
def show_sample(user: User, sample_id: str) -> Answer:
    return sample_schemas.SampleAnswer.from_sample(samples.owned_by(user, sample_id))


@serves(operations.FIND_SIMILAR)
def find_similar(user: User, sample_id: str, query: similar_schemas.SimilarSamplesQuery) -> Answer:
    own = [samples.owned_by(user, sample_id).id]
    try:
        source = similar_samples.read_source(user, own)
    except similar_samples.NoVectorError:
        return problems.problem_response(409, similar_schemas.NOT_COMPARABLE)
    hits = similar_samples.find_similar(user, source, SimilarQuery(query.preset), own, query.limit)
    loaded = load_samples(user, [hit.sample_id for hit in hits])
    return similar_schemas.SimilarSamplesAnswer.from_hits(hits, loaded)


@serves(operations.EDIT_SAMPLE)
def edit_sample(user: User, sample_id: str, body: sample_schemas.SamplePatch) -> Answer:
    sample = samples.owned_by(user, sample_id)
    samples.edit_sample(
        sample,
        name=body.name,
        tags=None if body.tags is None else ",".join(body.tags),
        liked=body.liked,
        corrections=body.corrections,
        reset=body.taken_back,
    )
    return sample_schemas.SampleAnswer.from_sample(sample)


@serves(operations.DELETE_SAMPLE)
def delete_sample(user: User, sample_id: str) -> Answer:
    trash.delete_sample(samples.owned_by(user, sample_id))
    return Response(status=operations.DELETE_SAMPLE.status)


@serves(operations.DESCRIBE_SAMPLE)
def describe_sample(user: User, sample_id: str) -> Answer:
    return _reprocess_sample(user, sample_id, DESCRIBE)


@serves(operations.ANALYSE_SAMPLE)
def analyse_sample(user: User, sample_id: str) -> Answer:
    return _reprocess_sample(user, sample_id, ANALYSE)


@serves(operations.DOWNLOAD_SAMPLE)
def download_sample(user: User, sample_id: str, query: sample_schemas.DownloadQuery) -> Answer:
    sample = samples.owned_by(user, sample_id)
    if query.format == "original":
        return _redirect(downloads.original_url(sample))
    allowed = _authorised_user(EXPORTS_WRITE)
    if isinstance(allowed, BaseResponse):
        return allowed
    try:
        return _redirect(downloads.sp404_url(sample))
    except downloads.TooLongForPadError as error:
        return problems.problem_response(409, str(error))


@serves(operations.SHOW_USAGE)
def show_usage(user: User) -> Answer:
    return schemas.UsageAnswer.from_usage(quota.plan_usage(user), data_export.kept_bytes(user))


def _authorised_user(ability: str | None) -> User | Response:
    """Return the owner of the token in the request, or the problem with that token."""
    token = api_tokens.request_token()
    if token is None:
        response = problems.problem_response(401, "Send a valid token as `Authorization: Bearer sp404_…`.")
        invalid = ', error="invalid_token"' if api_tokens.has_auth_header() else ""
        response.headers["WWW-Authenticate"] = f'Bearer realm="sp404mk2"{invalid}'
        return response
    if ability is not None and not token.allows(ability):
        sentence = (
            f"This token does not have the permission `{ability}`. Create one that does in Settings > Tokens."
        )
        return problems.problem_response(403, sentence)
    return token.user


def _check_before_reading(user: User) -> None:
    """Refuse an upload by its headers; a repeated request still gets its answer when the plan is used up."""
    key = request.headers.get("Idempotency-Key")
    if key is None or not idempotency.is_known(user, key):
        early_checks.check_quota(user, request.content_length)
    early_checks.reserve_room(early_checks.largest_body(plans.plan_for_user(user), 1))


def _redirect(url: str) -> Response:
    return Response(status=operations.DOWNLOAD_SAMPLE.status, headers={"Location": url})


def _upload_once(user: User, file: FileStorage, form: schemas.UploadForm, key: str) -> schemas.UploadAnswer:
    """Accept a file once for this Idempotency-Key: a repeated request gets the first one's answer.

    A request that was cut off after it made its job finds that job; one that fails releases the key.
    """
    fingerprint = idempotency.request_fingerprint(file.stream, file.filename, form.model_dump_json())
    request_row = idempotency.begin_request(user, key, fingerprint)
    if request_row.answer is not None:
        return schemas.UploadAnswer.model_validate(request_row.answer)
    row_id, job = request_row.id, idempotency.find_job(request_row)
    options = UploadOptions(**form.model_dump(), job_id=request_row.job_id)
    try:
        answer = _upload_answer(job) if job is not None else _accept_upload(user, file, options)
    except BaseException:
        idempotency.release_key(row_id)
        raise
    idempotency.save_answer(row_id, answer.model_dump(mode="json"))
    return answer


def _accept_upload(user: User, file: FileStorage, options: UploadOptions) -> schemas.UploadAnswer:
    """Store the file, queue its job and wake a worker."""
    batch_id = intake.open_batch(user, None, 1)
    job = intake.accept_upload(user, file.stream, file.filename, batch_id, options)
    tasks.wake_for_job(job.tier)
    return _upload_answer(job)


def _reprocess_sample(user: User, sample_id: str, purpose: str) -> schemas.UploadAnswer:
    """Queue a job that describes or analyses a sample again, and wake a worker."""
    job = reprocess.queue_job(user, samples.owned_by(user, sample_id).id, purpose)
    tasks.wake_for_job(job.tier)
    return _upload_answer(job)


def _upload_answer(job: Job) -> schemas.UploadAnswer:
    plural = purposes.find_purpose(job.purpose).wording.plural
    message = f"Queued. On the Free plan, {plural} start later." if job.is_delayed else "Queued."
    return schemas.UploadAnswer.from_job(job, progress.estimate_finish(job), message)


def _job_answer(job: Job) -> schemas.JobAnswer:
    url = external_url("api.download_sample", sample_id=job.sample_id or "", format="sp404")
    return schemas.JobAnswer.from_job(job, progress.estimate_finish(job), url)
