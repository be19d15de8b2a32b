"""What the library's bar does to all selected samples. Each form goes back to the list it came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from app.billing import quota
from app.collections import moves
from app.collections.collection_rows import TooManyCollectionsError
from app.download_names import ZIP_TYPE
from app.extensions import limiter
from app.library import (
    bulk_download,
    bulk_edits,
    bulk_selection,
    bundle_job,
    bundle_views,
    trash,
)
from app.library.bulk_edits import BulkOutcome
from app.library.bulk_forms import BulkTagsForm, BulkValuesForm, MoveForm
from app.library.bulk_selection import MAX_SELECTED, BulkSelection
from app.models.base import utcnow
from app.models.sample_places import NO_PLACE
from app.plurals import pluralize
from app.search.sample_query import SampleQuery

blueprint = Blueprint("bulk", __name__, url_prefix="/selected")
PREFIX = "set"  # keeps these fields apart from those of the search, which the form carries too
NOTHING_SELECTED = "Select some samples first, or tick “select all”."
NOTHING_CHOSEN = "Choose what to set: a kind, a sound type, a key or a tempo."
ONLY_SOME = f"Only the first {MAX_SELECTED:,} were changed. Narrow the search to reach the others."
TOO_MANY_TEMPI = f"Tempi are scaled for at most {MAX_SELECTED:,} samples at once. Narrow the search."

per_account = limiter.shared_limit(
    "60/minute", scope="selected", key_func=lambda: f"account:{current_user.id}"
)


@blueprint.post("/like")
@per_account
def like() -> Response:
    """Like the selected samples, or take the like away."""
    liked = request.form.get("set-liked") == "1"

    def change(ids: Sequence[str]) -> None:
        done = bulk_edits.like_samples(current_user, ids, liked)
        flash(f"{pluralize(done, 'sample')} {'liked' if liked else 'no longer liked'}.")

    return _with_selection(change)


@blueprint.post("/tags")
@per_account
def tag() -> Response:
    """Add tags to the selected samples and take others away."""
    form = BulkTagsForm(prefix=PREFIX)
    if not form.validate():
        return _refuse(form)
    return _with_selection(
        lambda ids: _say(bulk_edits.tag_samples(current_user, ids, form.added, form.removed))
    )


@blueprint.post("/values")
@per_account
def set_values() -> Response:
    """Set kind, sound, key or tempo of the selected samples."""
    form = BulkValuesForm(prefix=PREFIX)
    if not form.validate():
        return _refuse(form)
    if not form.corrections:
        return _back(NOTHING_CHOSEN, "error")
    return _with_selection(lambda ids: _say(bulk_edits.correct_samples(current_user, ids, form.corrections)))


@blueprint.post("/tempo")
@per_account
def scale_tempo() -> Response:
    """Double the tempo of the selected samples, or halve it."""
    times = 2.0 if request.form.get("set-doubled") == "1" else 0.5
    if bulk_selection.choose(current_user, request.form).is_more:
        return _back(TOO_MANY_TEMPI, "error")  # a second press would change the same ones twice
    return _with_selection(lambda ids: _say(bulk_edits.scale_tempos(current_user, ids, times)))


@blueprint.post("/download")
@limiter.limit("20/minute", key_func=lambda: f"account:{current_user.id}")
def download() -> Response:
    """Send the selected samples as one ZIP: WAVs for the unit, or the uploaded files.

    A large one is offered as a job.
    """
    selection = bulk_selection.choose(current_user, request.form)
    if selection.is_more:
        return _back(f"One ZIP holds {MAX_SELECTED:,} samples. Select fewer.", "error")
    is_original = request.form.get("set-files") == "original"
    try:
        most_bytes = bundle_job.MAX_BUNDLE_BYTES
        members = bulk_download.list_members(current_user, selection.ids, is_original, most_bytes)
    except bulk_download.ZipTooLargeError as error:
        return _back(str(error), "error")
    if not members:
        return _back(NOTHING_SELECTED, "error")
    size_bytes = sum(member.size_bytes for member in members)
    if size_bytes > bulk_download.MAX_ZIP_BYTES:
        return Response(
            bundle_views.offer_bundle(selection.ids, is_original, size_bytes), mimetype="text/html"
        )
    bulk_download.count_exports(current_user, members)
    answer = Response(bulk_download.zip_pieces(members), mimetype=ZIP_TYPE)
    name = bulk_download.zip_name(is_original)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


@blueprint.post("/delete")
@per_account
def delete() -> Response:
    """Hide the selected samples and offer to undo that."""

    def change(ids: Sequence[str]) -> None:
        count, at = bulk_edits.delete_samples(current_user, ids)
        undo = url_for("bulk.restore", deleted_at=at.isoformat())
        flash(f"{pluralize(count, 'sample')} deleted.", f"undo:{undo}" if count else "message")

    return _with_selection(change)


@blueprint.post("/move")
@per_account
def move() -> Response:
    """Move the selected samples to a collection, or out of any, and offer to undo that."""
    form = MoveForm(prefix=PREFIX)
    is_out = request.form.get("set-out") == "1"
    if not is_out and not form.validate():
        return _refuse(form)
    place = NO_PLACE if is_out else form.place

    def change(ids: Sequence[str]) -> None:
        count, at = moves.move_samples(current_user, ids, place)
        undo = url_for("bulk.undo_move", moved_at=at.isoformat())
        target = f"to {place.collection}" if place.collection else "out of collections"
        flash(f"{pluralize(count, 'sample')} moved {target}.", f"undo:{undo}" if count else "message")

    try:
        return _with_selection(change)
    except TooManyCollectionsError as error:
        return _back(str(error), "error")


@blueprint.post("/move/<moved_at>/undo")
@per_account
def undo_move(moved_at: str) -> Response:
    """Put samples back to where they were before a move."""
    at = _recent_time(moved_at)
    count = moves.undo_move(current_user, at) if at else 0
    if not count:
        return _back("There is nothing left to undo.", "error")
    return _back(f"{pluralize(count, 'sample')} moved back.")


@blueprint.post("/restore/<deleted_at>")
@per_account
def restore(deleted_at: str) -> Response:
    """Restore what one deletion hid."""
    at = _recent_time(deleted_at)
    try:
        count = bulk_edits.restore_samples(current_user, at, MAX_SELECTED) if at else 0
    except quota.QuotaExceededError as error:
        return _back(str(error), "error")
    if not count:
        return _back("There is nothing left to restore.", "error")
    return _back(f"{pluralize(count, 'sample')} restored.")


def _recent_time(text: str) -> datetime | None:
    """Return a time of which something may still be undone; None for any other text."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    is_recent = at.tzinfo is not None and timedelta(0) <= utcnow() - at <= 2 * trash.UNDO_PERIOD
    return at if is_recent else None


def _with_selection(change: Callable[[Sequence[str]], None]) -> Response:
    """Change the selected samples, and go back to the list."""
    selection: BulkSelection = bulk_selection.choose(current_user, request.form)
    if not selection.ids:
        return _back(NOTHING_SELECTED, "error")
    change(selection.ids)
    return _back(ONLY_SOME if selection.is_more else "")


def _say(outcome: BulkOutcome) -> None:
    if outcome.changed or not outcome.refused:
        flash(f"{pluralize(outcome.changed, 'sample')} changed.")
    for reason, count in outcome.refused.items():
        samples = f"{pluralize(count, 'sample')} {'was' if count == 1 else 'were'}"
        flash(f"{samples} not changed: {reason}", "error")


def _refuse(form: FlaskForm) -> Response:
    return _back(" ".join(str(error) for errors in form.errors.values() for error in errors), "error")


def _back(message: str = "", category: str = "message") -> Response:
    """Return to the list with its search, which the form carries."""
    search: dict[str, Any] = dict(SampleQuery.from_args(request.form).to_args())
    if message:
        flash(message, category)
    return redirect(url_for("library.index", **search), 303)
