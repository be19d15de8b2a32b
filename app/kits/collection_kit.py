"""Make a kit of a collection: each folder begins a bank."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import func, select

from app.extensions import db
from app.kits.kit_list import create_kit, next_name
from app.kits.kit_state import KitState, PadState
from app.kits.pad_edits import pad_for_sample
from app.models import Collection, Kit, Sample, User
from app.models.sample_places import fold_name
from app.sp404.kit_document import MAX_NOTES
from app.sp404.pad_names import safe_name
from app.sp404.pads import PAD_NAMES, bank_of
from app.sp404.unit_limits import MAX_PROJECT_NAME, PADS_IN_BANK


class KitOfFolders(NamedTuple):
    """A new kit, and how many samples and whole folders found no room."""

    kit: Kit
    samples_left: int
    folders_left: int


def kit_from_collection(user: User, collection: Collection, folders: dict[str, int]) -> KitOfFolders | None:
    """Create a kit from a collection's folders, by path; None when there is no sample.

    `folders` says how many samples each one holds. Each begins a bank, and one with more than 16 goes on in
    the next, as long as there are banks; the kit's notes name them. Samples are in the order of their names.
    Raises TooManyKitsError.
    """
    held: dict[str, PadState] = {}
    begins: list[str] = []
    free = PAD_NAMES
    for paths in _one_of_each_name(folders):
        samples = _first_samples(collection, paths, len(free)) if free else []
        if samples:
            held |= {pad: pad_for_sample(each) for pad, each in zip(free, samples, strict=False)}
            begins.append(f"{bank_of(free[0])}: {paths[0] or collection.name}")
            free = free[-(-len(samples) // PADS_IN_BANK) * PADS_IN_BANK :]
    if not held:
        return None
    name = next_name(user, safe_name(collection.name, MAX_PROJECT_NAME))
    notes = "\n".join(["Banks of folders:", *begins])[:MAX_NOTES]
    kit = create_kit(user, KitState(name, notes=notes).with_pads(held))
    left_out = len(_one_of_each_name(folders)) - len(begins)
    return KitOfFolders(kit, sum(folders.values()) - len(held), left_out)


def _one_of_each_name(folders: Iterable[str]) -> list[list[str]]:
    """Return the paths by name; those that differ only in case are one folder."""
    by_name: dict[str, list[str]] = {}
    for path in sorted(folders):
        by_name.setdefault(fold_name(path), []).append(path)
    return [by_name[name] for name in sorted(by_name)]


def _first_samples(collection: Collection, paths: list[str], most: int) -> list[Sample]:
    """Return the first samples of a folder by name, at most so many."""
    inside = Sample.collection_id == collection.id, Sample.folder.in_(paths), Sample.deleted_at.is_(None)
    by_name = select(Sample).where(*inside).order_by(func.lower(Sample.name), Sample.id)
    return list(db.session.scalars(by_name.limit(most)).all())
