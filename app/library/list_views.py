"""The open list of the library: what is new in it, and which columns it shows."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from app.collections import collection_list
from app.form_responses import parse_whole_number
from app.library import list_settings, news
from app.negotiation import wants_fragment
from app.search import facets, indexing
from app.search.listed_samples import load_listed
from app.search.match_counts import count_matches
from app.search.sample_query import SampleQuery, with_collection_name, with_learned_words
from app.search.term_labels import order_label

blueprint = Blueprint("listing", __name__, url_prefix="/samples")


@blueprint.get("/news")
def index() -> BaseResponse:
    """Return what has changed since a page was made, or 204 if nothing has.

    The rows of new samples come along where they belong at the top of the list.
    """
    version = parse_whole_number(request.args.get("version", ""))
    since = news.parse_time(request.args.get("since", ""))
    if version is None or since is None:
        abort(400)
    if news.is_unchanged(current_user, version):
        return Response(status=204)
    query = with_learned_words(current_user, SampleQuery.from_args(request.args))
    query = with_collection_name(current_user, query)
    if list_settings.is_order_left_open(request.args):
        query = list_settings.with_remembered_order(current_user, query)
    indexing.follow_changes(current_user.id)
    mark = news.current_mark(current_user)  # before the rest: what changes meanwhile is looked for again
    ids = news.new_samples(current_user, query, since)
    counts = count_matches(current_user.id, query)
    are_listed = len(ids) <= news.MAX_NEW and news.is_newest_first(query)
    page = render_template(
        "library/_news.html",
        query=query,
        search_url=partial(url_for, "library.index"),
        mark=mark,
        results=counts,
        counts=counts,
        tags=facets.count_tags(current_user),
        order=order_label(query.sort, query.terms),
        **collection_list.filter_choices(current_user, query),
        number=len(ids),
        samples=load_listed(current_user, ids) if are_listed else [],
    )
    return Response(page)


@blueprint.post("/columns")
def choose_columns() -> BaseResponse:
    """Show the chosen columns from now on."""
    list_settings.show_columns(current_user, request.form.getlist("column"))
    if wants_fragment():
        return Response(status=204)
    search: dict[str, Any] = SampleQuery.from_args(request.form).to_args()
    return redirect(url_for("library.index", **search), 303)
