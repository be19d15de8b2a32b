"""Views of the JSON API about samples."""

from __future__ import annotations

from flask import Response
from werkzeug.wrappers import Response as BaseResponse

import tasks
from app.api import (
    collection_views,
    duplicate_schemas,
    operations,
    problems,
    sample_schemas,
    schemas,
    similar_schemas,
)
from app.api.serving import Answer, authorise_user, serves, upload_answer
from app.deduplication import group_list
from app.jobs import reprocess
from app.library import downloads, samples, trash
from app.models import User
from app.models.api_token import EXPORTS_WRITE
from app.reprocessing.reprocess_purposes import ANALYSE, DESCRIBE
from app.search import similar_samples
from app.search.sample_query import SampleQuery, with_learned_words
from app.search.sample_search import find_samples, is_page_start, load_samples
from app.search.similar_samples import SimilarQuery


@serves(operations.LIST_SAMPLES)
def list_samples(user: User, query: sample_schemas.SamplesQuery) -> Answer:
    if query.after is not None and not is_page_start(user, query.after):
        sentence = "`after` is not a sample in your library. Start again without it."
        return problems.problem_response(422, sentence)
    wanted = query.model_dump(exclude={"after", "limit"})
    wanted |= {"kind": query.kind or "", "key": query.key or "", "sort": query.sort or ""}
    wanted |= collection_views.place_filters(user, query.collection, query.folder)
    search = with_learned_words(user, SampleQuery(**wanted))
    found = find_samples(user, search, query.after, query.limit, samples.WITH_COLLECTION)
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
    loaded = load_samples(user, [hit.sample_id for hit in hits], samples.WITH_COLLECTION)
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
    allowed = authorise_user(EXPORTS_WRITE)
    if isinstance(allowed, BaseResponse):
        return allowed
    try:
        return _redirect(downloads.sp404_url(sample))
    except downloads.TooLongForPadError as error:
        return problems.problem_response(409, str(error))


@serves(operations.LIST_DUPLICATES)
def list_duplicates(user: User, query: duplicate_schemas.DuplicatesQuery) -> Answer:
    page = group_list.list_groups(user, query.after, query.limit)
    totals = group_list.count_groups(user)
    loaded = load_samples(user, page.sample_ids, samples.WITH_COLLECTION)
    return duplicate_schemas.DuplicatesAnswer.from_page(page, totals, loaded)


def _redirect(url: str) -> Response:
    return Response(status=operations.DOWNLOAD_SAMPLE.status, headers={"Location": url})


def _reprocess_sample(user: User, sample_id: str, purpose: str) -> schemas.UploadAnswer:
    """Queue a job that describes or analyses a sample again, and wake a worker."""
    job = reprocess.queue_job(user, samples.owned_by(user, sample_id).id, purpose)
    tasks.wake_for_job(job.tier)
    return upload_answer(job)
