"""The library: the list with its search, a sample's page, and what can be done to a sample."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from app.billing import quota
from app.collections import collection_list
from app.extensions import limiter
from app.kits import placements
from app.library import bulk_views, downloads, list_settings, measurement_facts, news, samples, trash
from app.library.bulk_forms import BulkValuesForm
from app.library.forms import SampleForm, VibeForm
from app.library.wave_marks import wave_marks
from app.models import Sample
from app.models.corrections import UnfitCorrectionError
from app.negotiation import wants_fragment
from app.reprocessing.sample_age import sample_age
from app.search import facets, ranking, word_questions
from app.search.chips import search_chips
from app.search.listed_samples import load_listed
from app.search.page_order import MAX_RANKED
from app.search.sample_query import SampleQuery, with_collection_name, with_learned_words
from app.search.sample_search import list_samples
from app.search.term_labels import order_label

blueprint = Blueprint("library", __name__, url_prefix="/samples")

Page = str | tuple[str, int] | BaseResponse
RESET_CORRECTIONS = "taken_back"


@blueprint.get("")
def index() -> str:
    """Show the list. htmx gets only the part below the search field, from the same address."""
    query = with_learned_words(current_user, SampleQuery.from_args(request.args))
    query = with_collection_name(current_user, query)
    after, search_url = request.args.get("after", ""), partial(url_for, ".index")
    if wants_fragment() and after:
        results = list_samples(current_user, query, after)
        return render_template("library/_rows.html", query=query, results=results, search_url=search_url)
    query = list_settings.with_chosen_order(current_user, query, request.args)
    results = list_samples(current_user, query, after)
    version = results.counts.version
    wider = [] if results.total else facets.wider_searches(current_user, query, version)
    template = "library/_results.html" if wants_fragment() else "library/index.html"
    return render_template(
        template,
        query=query,
        search_url=search_url,
        results=results,
        mark=news.current_mark(current_user),
        columns=list_settings.COLUMNS,
        hidden=list_settings.hidden_columns(current_user),
        max_ranked=MAX_RANKED,
        chips=search_chips(query),
        order=order_label(query.sort, query.terms),
        named=facets.samples_named_so(current_user, query, version),
        wider=wider,
        close=[] if results.total else facets.close_matches(current_user, query, wider, version),
        sorts=ranking.SORT_ORDERS,
        is_order_open=list_settings.is_order_left_open(request.args),
        order_left_open=list_settings.REMEMBERED,
        counts=results.counts,
        tags=facets.count_tags(current_user),
        **collection_list.filter_choices(current_user, query),
        bulk_values=BulkValuesForm(None, prefix=bulk_views.PREFIX),
        askable=word_questions.words_to_offer(current_user, query.ask, query.learned),
    )


@blueprint.post("/words")
@limiter.limit("20/minute", key_func=lambda: f"account:{current_user.id}")
def learn_words() -> BaseResponse:
    """Ask a model about the words that no rule knows. Searching itself never asks one."""
    query = SampleQuery.from_args(request.form)
    try:
        word_questions.learn_words(current_user, query.ask)
    except word_questions.NoAnswerError as error:
        flash(str(error), "error")
    search_again: dict[str, Any] = dict(query.to_args())
    return redirect(url_for("library.index", **search_again), 303)


@blueprint.get("/<sample_id>")
def detail(sample_id: str) -> str:
    """Show a sample's page. `edit` names a value that is shown as its field."""
    sample = samples.owned_by(current_user, sample_id)
    return _detail_page(sample, editing={request.args.get("edit", "")})


@blueprint.post("/<sample_id>")
def update(sample_id: str) -> Page:
    """Save the name, the tags and the corrections of what was measured."""
    sample = samples.owned_by(current_user, sample_id)
    form = SampleForm(sample, request.form)
    if not form.validate():
        return _detail_page(sample, form=form), 422
    try:
        dropped = samples.edit_sample(
            sample, name=form.changed("name"), tags=form.changed("tags"), corrections=form.corrections
        )
    except UnfitCorrectionError as error:
        form[error.field].errors = [str(error)]
        return _detail_page(sample, form=form), 422
    if not wants_fragment():  # on the page itself the new value stands where the old one stood
        dropped.insert(0, "Saved.")
    if dropped:
        flash(" ".join(dropped))
    return _back_to(sample)


@blueprint.post("/<sample_id>/vibe")
def correct_vibe(sample_id: str) -> Page:
    """Save the corrections of the description."""
    sample = samples.owned_by(current_user, sample_id)
    form = VibeForm(sample, request.form)
    if not form.validate():
        return _detail_page(sample, vibe_form=form), 422
    samples.edit_sample(sample, corrections=form.corrections, reset=form.reset)
    flash("Saved.")
    return _back_to(sample)


@blueprint.post("/<sample_id>/tempo/<any(half, double):factor>")
def scale_tempo(sample_id: str, factor: str) -> BaseResponse:
    """Halve or double the tempo."""
    sample = samples.owned_by(current_user, sample_id)
    samples.scale_tempo(sample, 0.5 if factor == "half" else 2.0)
    return _back_to(sample)


@blueprint.post("/<sample_id>/revert")
def revert(sample_id: str) -> BaseResponse:
    """Reset the named corrections, or all. The latest reset can be undone in this browser."""
    sample = samples.owned_by(current_user, sample_id)
    reset = samples.reset_corrections(sample, *request.form.getlist("field"))
    if reset:
        session[RESET_CORRECTIONS] = {sample.id: reset}
        undo = url_for("library.put_back", sample_id=sample.id)
        flash("Reset to what was found.", f"undo:{undo}")
    return _back_to(sample)


@blueprint.post("/<sample_id>/corrections")
def put_back(sample_id: str) -> BaseResponse:
    """Undo the latest reset."""
    sample = samples.owned_by(current_user, sample_id)
    if sample.id in session.get(RESET_CORRECTIONS, {}):
        samples.restore_corrections(sample, session.pop(RESET_CORRECTIONS)[sample.id])
        flash("Your corrections are back.")
    else:
        flash("This can't be undone any more. Only your latest reset can.", "error")
    return _back_to(sample)


@blueprint.post("/<sample_id>/like")
def like(sample_id: str) -> Page:
    """Like a sample, or take the like away."""
    sample = samples.owned_by(current_user, sample_id)
    samples.toggle_like(sample)
    if wants_fragment():
        return render_template("library/_like.html", sample=sample)
    return redirect(request.referrer or url_for("library.index"), 303)


@blueprint.post("/<sample_id>/delete")
def delete(sample_id: str) -> Page:
    """Hide a sample and offer to undo that."""
    sample = samples.owned_by(current_user, sample_id)
    trash.delete_sample(sample)
    if wants_fragment():
        return render_template("library/_deleted.html", sample=sample)
    undo = url_for("library.restore", sample_id=sample.id)
    flash(f"{sample.name} has been deleted.", f"undo:{undo}")
    return redirect(url_for("library.index"), 303)


@blueprint.post("/<sample_id>/restore")
def restore(sample_id: str) -> Page:
    """Bring a deleted sample back."""
    sample = samples.deleted_sample(current_user, sample_id)
    trash.restore_sample(sample)
    if wants_fragment():
        at_library = url_for("library.index") in request.headers.get("HX-Current-URL", "")
        rows = load_listed(current_user, [sample.id])
        return render_template("library/_row.html", samples=rows, selectable=at_library)
    return _back_to(sample)


@blueprint.errorhandler(quota.QuotaExceededError)
def no_room(error: quota.QuotaExceededError) -> Page:
    """Say why a sample can't be restored now. It is not lost: it can be once there is room."""
    if wants_fragment():
        return render_template("errors/_alert.html", sentence=str(error)), 409
    flash(str(error), "error")
    return redirect(url_for("library.index"), 303)


@blueprint.get("/<sample_id>/audio")
def audio(sample_id: str) -> BaseResponse:
    """Send the player to the audio."""
    return redirect(downloads.audio_url(samples.owned_by(current_user, sample_id)))


@blueprint.get("/<sample_id>/peaks")
def peaks(sample_id: str) -> Response:
    """Return what the player's bar shows of a sample: waveform as 800 heights, length, like."""
    sample = samples.owned_by(current_user, sample_id)
    response = jsonify(peaks=list(sample.features.peaks), duration_s=sample.duration_s, liked=sample.liked)
    response.add_etag()
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response


@blueprint.get("/<sample_id>/original")
def original(sample_id: str) -> BaseResponse:
    """Download the uploaded file."""
    return redirect(downloads.original_url(samples.owned_by(current_user, sample_id)))


@blueprint.get("/<sample_id>/sp404")
def sp404(sample_id: str) -> BaseResponse:
    """Download the WAV for the SP-404MKII."""
    sample = samples.owned_by(current_user, sample_id)
    try:
        return redirect(downloads.sp404_url(sample))
    except downloads.TooLongForPadError as error:
        flash(str(error), "error")
        return _back_to(sample)


def _detail_page(
    sample: Sample,
    form: SampleForm | None = None,
    vibe_form: VibeForm | None = None,
    editing: Collection[str] = (),
) -> str:
    form = form or SampleForm(sample)
    return render_template(
        "library/detail.html",
        sample=sample,
        parent=samples.parent_of(sample),
        marks=wave_marks(sample),
        form=form,
        editing={*editing, *form.errors},
        vibe_form=vibe_form or VibeForm(sample),
        was=measurement_facts.original_values(sample),
        facts=measurement_facts.measured_facts(sample),
        pictures=measurement_facts.chart_bars(sample),
        tempi=measurement_facts.other_tempi(sample),
        other_keys=measurement_facts.other_keys(sample),
        other_sounds=measurement_facts.other_sounds(sample),
        age=sample_age(sample),
        placements=placements.pads_with(sample),
    )


def _back_to(sample: Sample) -> BaseResponse:
    return redirect(url_for("library.detail", sample_id=sample.id), 303)
