"""The page of collections, and what is done to one: rename, delete with undo, make a kit."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.billing import quota
from app.collections import collection_edits, collection_list, collection_rows
from app.collections.collection_edits import NameTakenError
from app.collections.collection_rows import TooManyCollectionsError
from app.collections.forms import CollectionForm
from app.form_responses import see_other
from app.kits import collection_kit
from app.kits.collection_kit import KitOfFolders
from app.kits.kit_list import TooManyKitsError
from app.library import collection_deletion
from app.models.collection import MAX_COLLECTIONS
from app.models.sample_places import folder_path, is_inside
from app.plurals import pluralize
from app.sp404.pads import PAD_NAMES

blueprint = Blueprint("collections", __name__, url_prefix="/collections")


@blueprint.get("")
def index() -> str:
    """List the collections."""
    return render_template(
        "collections/index.html",
        collections=collection_list.list_collections(current_user),
        max_collections=MAX_COLLECTIONS,
    )


@blueprint.post("/<collection_id>")
def rename(collection_id: str) -> Response:
    """Rename a collection."""
    collection = collection_rows.owned_collection(current_user, collection_id)
    form = CollectionForm()
    if not form.validate():
        return _refuse(" ".join(str(error) for error in form.name.errors))
    try:
        collection_edits.rename_collection(collection, str(form.name.data))
    except NameTakenError as error:
        return _refuse(str(error))
    return see_other("collections.index", f"Renamed to {collection.name}.")


@blueprint.post("/<collection_id>/delete")
def delete(collection_id: str) -> Response:
    """Delete a collection, alone or with its sounds, and offer to undo that."""
    collection = collection_rows.owned_collection(current_user, collection_id)
    name, with_samples = collection.name, request.form.get("sounds") == "delete"
    count = collection_deletion.delete_collection(collection, with_samples)
    kept = "No sounds were deleted."
    said = f"Deleted with it: {pluralize(count, 'sound')}." if with_samples else kept
    undo = url_for("collections.restore", collection_id=collection_id)
    return see_other("collections.index", f"{name} has been deleted. {said}", f"undo:{undo}")


@blueprint.post("/<collection_id>/restore")
def restore(collection_id: str) -> Response:
    """Bring a deleted collection back, with the sounds that were deleted with it."""
    collection = collection_edits.deleted_collection(current_user, collection_id)
    try:
        count = collection_deletion.restore_collection(collection)
    except (quota.QuotaExceededError, TooManyCollectionsError) as error:
        return _refuse(str(error))
    sounds = f", with {pluralize(count, 'sound')}" if count else ""
    return see_other("collections.index", f"{collection.name} is back{sounds}.")


@blueprint.post("/<collection_id>/kit")
def make_kit(collection_id: str) -> Response:
    """Make a kit of a collection, or of one of its folders: each folder begins a bank."""
    collection = collection_rows.owned_collection(current_user, collection_id)
    chosen = folder_path(request.form.get("folder"))
    folders = collection_list.count_by_folder(collection.id)
    inside = {path: count for path, count in folders.items() if is_inside(path, chosen)}
    try:
        made = collection_kit.kit_from_collection(current_user, collection, inside)
    except TooManyKitsError as error:
        return _refuse(str(error))
    if made is None:
        return _refuse("There are no sounds to make a kit of yet.")
    if made.samples_left:
        flash(_left_out_sentence(made), "error")
    return see_other("kits.show", "Each folder begins a bank: see the notes of the kit.", kit_id=made.kit.id)


def _left_out_sentence(made: KitOfFolders) -> str:
    left = pluralize(made.samples_left, "sound")
    folders = pluralize(made.folders_left, "folder")
    whole = f", with {folders} left out as a whole" if made.folders_left else ""
    return f"A kit has {len(PAD_NAMES)} pads, and each folder begins a bank: {left} found no room{whole}."


def _refuse(sentence: str) -> Response:
    return see_other("collections.index", sentence, "error")
