"""The pages of duplicates, and what can be done there: free them, choose which stays, tell them apart."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.billing import quota
from app.deduplication import group_list, groups
from app.library import cleanups
from app.models import DuplicateCleanup, DuplicateGroup
from app.models.base import transaction
from app.models.duplicate_group import FREEING, UNDOING
from app.models.ownership import owned_by
from app.negotiation import wants_fragment
from app.search.listed_samples import ListedSample, load_listed

blueprint = Blueprint("duplicates", __name__, url_prefix="/duplicates")

Page = str | tuple[str, int] | Response
MAX_SHOWN = 200  # of one group
NOTHING_CHOSEN = "Nothing was moved: these samples are no longer duplicates."


@blueprint.get("")
def index() -> str:
    """Show the groups of duplicates, those with most space to free first."""
    try:
        page = group_list.list_groups(current_user, request.args.get("after"))
    except ValueError:
        abort(400)
    return render_template(
        "duplicates/index.html",
        page=page,
        listed=_listed(page.sample_ids),
        totals=group_list.count_groups(current_user),
        cleanups=cleanups.recent_cleanups(current_user),
    )


@blueprint.get("/<group_id>")
def show(group_id: str) -> Page:
    """Show one group; where nothing is left of it, go to the others."""
    shown = group_list.show_group(owned_by(current_user, DuplicateGroup, group_id), MAX_SHOWN)
    if shown is None:
        flash("These samples are no longer duplicates.")
        return redirect(url_for(".index"), 303)
    listed = _listed(shown.sample_ids)
    if wants_fragment():
        return render_template("duplicates/_group.html", group=shown, listed=listed)
    return render_template("duplicates/group.html", group=shown, listed=listed)


@blueprint.post("/<group_id>/kept")
def choose_kept(group_id: str) -> Page:
    """Keep another sample of a group when the rest is freed."""
    with _locked_account():
        group, (sample_id, *_) = _group_with_members(group_id)
        groups.choose_kept(group, sample_id)
    return _answer(group.id, "Saved.")


@blueprint.post("/<group_id>/apart")
def tell_apart(group_id: str) -> Page:
    """Take a sample out of a group, or all but the one that is kept, because they are no duplicates."""
    with _locked_account():
        group, members = _group_with_members(group_id)
        others = [each for each in members if each != group.kept_id] if request.form.get("all") else members
        apart = others[:MAX_SHOWN]
        groups.tell_apart(group, apart)
    left = f" {len(others) - MAX_SHOWN} more are left: do it again for them." if apart != others else ""
    return _answer(group.id, f"Saved. These samples won't be grouped together again.{left}", apart)


@blueprint.post("/<group_id>/together")
def take_back(group_id: str) -> Page:
    """Undo the above."""
    with _locked_account():
        group = owned_by(current_user, DuplicateGroup, group_id)
        groups.take_back(group, request.form.getlist("sample")[:MAX_SHOWN])
    return _answer(group.id, "Grouped again.")


@blueprint.post("/cleanups")
def free() -> Page:
    """Free the groups named, or all."""
    if request.form.get("all"):
        cleanup = cleanups.free_all(current_user)
    else:
        group_ids = request.form.getlist("group")[: cleanups.GROUPS_AT_ONCE]
        cleanup = cleanups.free_groups(current_user, [_owned_id(each) for each in group_ids])
    if cleanup.state == FREEING:
        tasks.wake(tasks.free_duplicates)
    if wants_fragment():
        totals = group_list.count_groups(current_user)
        return render_template("duplicates/_freed.html", cleanup=cleanup, totals=totals)
    if cleanup.state != FREEING and not cleanup.samples:
        flash(NOTHING_CHOSEN, "error")
    return redirect(url_for(".index"), 303)


@blueprint.post("/cleanups/<cleanup_id>/undo")
def undo(cleanup_id: str) -> Page:
    """Bring back what was freed."""
    cleanup = owned_by(current_user, DuplicateCleanup, cleanup_id)
    cleanups.undo_cleanup(cleanup)
    if cleanup.state == UNDOING:
        tasks.wake(tasks.free_duplicates)
        flash("The samples are being brought back.")
    elif cleanup.problem:
        flash("The samples that were still in the trash are back in your library.")
        flash(cleanup.problem, "error")
    else:
        flash("The samples are back in your library.")
    return redirect(url_for(".index"), 303)


@blueprint.errorhandler(quota.QuotaExceededError)
def no_room(error: quota.QuotaExceededError) -> Page:
    """Say why samples can't be brought back now."""
    flash(str(error), "error")
    return redirect(url_for(".index"), 303)


def _owned_id(group_id: str) -> str:
    return owned_by(current_user, DuplicateGroup, group_id).id


@contextmanager
def _locked_account() -> Iterator[None]:
    """Open a transaction in which nothing else changes the user's groups."""
    with transaction():
        quota.lock_account(current_user.id)
        yield


def _group_with_members(group_id: str) -> tuple[DuplicateGroup, list[str]]:
    """Return the user's group and the samples of it in the request; otherwise answer 404 or 400."""
    group = owned_by(current_user, DuplicateGroup, group_id)
    members, named = groups.live_members(group.id), request.form.getlist("sample")
    if not set(named) <= set(members):
        abort(404)
    if not named and not request.form.get("all"):
        abort(400)
    return group, named or list(members)


def _answer(group_id: str, sentence: str, apart: Collection[str] = ()) -> Page:
    """Answer with the group as it is now, or go back to where it was shown."""
    if wants_fragment():
        group = owned_by(current_user, DuplicateGroup, group_id)
        shown = group_list.show_group(group, group_list.SHOWN_COPIES)
        listed = _listed(shown.sample_ids) if shown is not None else {}
        template = "duplicates/_changed.html"
        return render_template(
            template, group=shown, group_id=group_id, listed=listed, sentence=sentence, apart=apart
        )
    flash(sentence)
    return redirect(url_for(".index"), 303)


def _listed(sample_ids: Collection[str]) -> dict[str, ListedSample]:
    return {sample.id: sample for sample in load_listed(current_user, list(sample_ids))}
