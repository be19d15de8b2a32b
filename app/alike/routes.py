"""The page of samples that sound like one sample, or like several."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.library import samples
from app.negotiation import wants_fragment
from app.search import facets, similar_samples
from app.search.chips import search_chips
from app.search.listed_samples import load_listed
from app.search.match_counts import library_values
from app.search.sample_query import SampleQuery, with_collection_name, with_learned_words
from app.search.sample_search import PAGE_SIZE
from app.search.similar_samples import MAX_HITS, MAX_SOURCES, NoVectorError, SimilarQuery

blueprint = Blueprint("alike", __name__, url_prefix="/samples")  # a page about samples, beside their own

SELECT_SOME = "Select 1 to 20 samples first."
COMPARED = {"match": None, "reason": "what the others are compared with"}
TOO_MANY = "You selected more than 20 samples. Select fewer."


@blueprint.get("/<sample_id>/similar")
def similar(sample_id: str) -> str:
    """Show the samples that sound most like one."""
    return _render_page([sample_id], partial(url_for, ".similar", sample_id=sample_id))


@blueprint.get("/similar")
def similar_to_several() -> str | Response:
    """Show the samples that sound most like several, taken together."""
    ids = list(dict.fromkeys(request.args.getlist("sample")))
    if not 1 <= len(ids) <= MAX_SOURCES:
        flash(TOO_MANY if ids else SELECT_SOME, "error")
        return redirect(url_for("library.index"), 303)
    return _render_page(ids, partial(url_for, ".similar_to_several", sample=ids))


@blueprint.post("/similar")
def choose_several() -> Response:
    """Go to the page for the samples ticked in a list, with its search still in force."""
    ids = request.form.getlist("sample")[: MAX_SOURCES + 1]
    search: dict[str, Any] = SampleQuery.from_args(request.form).to_args(sort="")
    if len(ids) == 1:
        return redirect(url_for(".similar", sample_id=ids[0], **search), 303)
    return redirect(url_for(".similar_to_several", sample=ids, **search), 303)


def _render_page(ids: list[str], own_url: Callable[..., str]) -> str:
    search = with_learned_words(current_user, SampleQuery.from_args(request.args))
    search = with_collection_name(current_user, search)
    wanted = SimilarQuery.from_args(request.args, search)
    try:
        source = similar_samples.read_source(current_user, ids)
    except NoVectorError:
        return render_template("alike/no_vector.html", sources=samples.all_owned_by(current_user, ids))
    limit = _limit()
    hits = similar_samples.find_similar(current_user, source, wanted, ids, limit)
    listed = load_listed(current_user, [*ids, *(hit.sample_id for hit in hits)])
    sources = listed[: len(ids)]
    if [sample.id for sample in sources] != ids:
        abort(404)
    return render_template(
        "alike/_results.html" if wants_fragment() else "alike/similar.html",
        sources=sources,
        source=source,
        samples=listed[len(ids) :],
        matches=dict.fromkeys(ids, COMPARED) | {hit.sample_id: hit for hit in hits},
        wanted=wanted,
        query=search,
        own_url=own_url,
        # The links of filters and chips keep the preset and the change.
        search_url=partial(own_url, **wanted.to_args()),
        chips=search_chips(search),
        counts=library_values(current_user.id),
        tags=[(name, None) for name, _ in facets.count_tags(current_user)],
        more=MAX_HITS if len(hits) == limit < MAX_HITS else None,
    )


def _limit() -> int:
    """Return how many rows are wanted, or answer 400."""
    given = request.args.get("limit", str(PAGE_SIZE))
    if not re.fullmatch("[1-9][0-9]{0,2}", given) or int(given) > MAX_HITS:
        abort(400)
    return int(given)
