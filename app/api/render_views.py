"""Views of the JSON API about shaped sounds and chops."""

from __future__ import annotations

from flask import Response

import tasks
from app.api import operations, render_schemas
from app.api.serving import Answer, serves
from app.library import samples
from app.models import Job, Render, User
from app.models.ownership import owned_by
from app.shaping import chops, orders, render_downloads, renders, slice_archives


@serves(operations.RENDER_SAMPLE)
def render_sample(user: User, sample_id: str, body: render_schemas.RenderRequest) -> Answer:
    sample = samples.owned_by(user, sample_id)
    order = orders.order_render(user, sample, body)
    if isinstance(order, Job):
        tasks.wake_for_job(order.tier)
    return render_schemas.RenderOrderAnswer.from_order(order)


@serves(operations.DOWNLOAD_RENDER)
def download_render(user: User, render_id: str) -> Answer:
    render = owned_by(user, Render, render_id)
    sample = samples.owned_by(user, render.sample_id)
    render_downloads.count_download(user, render)
    renders.touch(render)
    url = renders.download_url(render, sample)
    return Response(status=operations.DOWNLOAD_RENDER.status, headers={"Location": url})


@serves(operations.FIND_CHOPS)
def find_chops(user: User, sample_id: str, query: render_schemas.ChopsQuery) -> Answer:
    sample = samples.owned_by(user, sample_id)
    found = chops.find_chops(sample, query.by, query.count, query.sensitivity)
    return render_schemas.ChopsAnswer.from_chops(found)


@serves(operations.ORDER_SLICES)
def order_slices(user: User, sample_id: str, body: render_schemas.SlicesRequest) -> Answer:
    sample = samples.owned_by(user, sample_id)
    if body.cuts:
        found = chops.chosen_chops(sample, body.cuts)
    else:
        found = chops.find_chops(sample, body.by, body.count, body.sensitivity)
    order = slice_archives.order_archive(user, sample, found)
    if isinstance(order, Job):
        tasks.wake_for_job(order.tier)
    return render_schemas.RenderOrderAnswer.from_order(order)
