"""What kits keep of the unit's projects that they were imported from: share, read and release it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import ColumnElement, select

from app.billing import quota
from app.extensions import db, settings
from app.integrations.storage import ObjectMissingError, StorageError, open_store
from app.jobs import cleanup
from app.models import Kit, KitBase, Usage
from app.models.base import transaction, utcnow
from app.models.usage import STORAGE
from app.sp404.project.base_archive import BaseArchive, read_base

log = logging.getLogger(__name__)

MIN_AGE = timedelta(days=1)
"""A younger file may belong to a job that has not made its kit yet."""
BaseKey = tuple[str, str, int]
"""Owner, key in the store and size of what is kept."""


def base_key(user_id: str, job_id: str) -> str:
    """Return where a job puts what its kit keeps."""
    return f"kept/{user_id}/{job_id}"


def has_base(kit: Kit) -> bool:
    """Return whether a kit was imported from a project of the unit, or is a copy of one that was."""
    return db.session.get(KitBase, kit.id) is not None


def fetch_base(kit_id: str, folder: Path) -> BaseArchive | None:
    """Return the project that a kit was imported from, to be written again; None for other kits.

    Its file goes into the folder and is read from there. Raises StorageError, and UnitFileError when it can't
    be read.
    """
    key = db.session.scalar(select(KitBase.store_key).where(KitBase.kit_id == kit_id))
    db.session.commit()
    if key is None:
        return None
    archive = folder / "base.zip"
    try:
        open_store(settings()).fetch(key, archive)
    except ObjectMissingError:
        log.warning("what kit %s keeps of its project is gone: %s", kit_id, key)
        return None
    return read_base(archive)


def share_base(kit: Kit, copy: Kit) -> None:
    """Let a copy of a kit keep the same, inside the caller's transaction. It is stored and counted once."""
    base = db.session.get(KitBase, kit.id)
    if base is not None:
        shared = {"store_key": base.store_key, "size_bytes": base.size_bytes}
        db.session.add(KitBase(kit_id=copy.id, user_id=copy.user_id, **shared))


def base_keys(condition: ColumnElement[bool]) -> Sequence[BaseKey]:
    """Return what the kits of a condition keep."""
    kept = select(KitBase.user_id, KitBase.store_key, KitBase.size_bytes).join(Kit, Kit.id == KitBase.kit_id)
    return db.session.execute(kept.where(condition).distinct()).all()


def release_unused(keys: Collection[BaseKey]) -> list[str]:
    """Give back the storage of what no kit keeps any more; return its keys. The caller has a transaction."""
    unused = []
    for user_id, key, size_bytes in keys:
        if not _is_in_use(key):
            quota.add_usage(user_id, STORAGE, _returned_key(key), -size_bytes)
            unused.append(key)
    return unused


def delete_objects(keys: Collection[str]) -> None:
    """Delete what was released from the store; `remove_abandoned` removes what is left."""
    for key in keys:
        with suppress(StorageError):
            open_store(settings()).delete(key)


def remove_abandoned() -> None:
    """Delete what no kit keeps and no import may still use, a day after it was stored; give its storage back.

    A process of the previous version removes kits without knowing what they keep.
    """
    store = open_store(settings())
    for key in store.older_than("kept/", utcnow() - MIN_AGE):
        if not cleanup.may_job_run(key) and not _is_in_use(key):
            log.info("removing what no kit keeps any more: %s", key)
            _give_back(key)
            store.delete(key)


def _give_back(key: str) -> None:
    """Give back the storage of an object if it was charged for, and only once."""
    _, user_id, job_id = key.split("/")
    is_owed = _is_owed(job_id)
    db.session.commit()  # no transaction is open while the file is fetched
    if not is_owed:
        return
    with TemporaryDirectory() as folder:
        archive = Path(folder) / "base.zip"
        open_store(settings()).fetch(key, archive)
        size_bytes = archive.stat().st_size
    with transaction():
        if quota.lock_account(user_id) and _is_owed(job_id) and not _is_in_use(key):
            quota.add_usage(user_id, STORAGE, _returned_key(key), -size_bytes)


def _is_owed(job_id: str) -> bool:
    """Return whether a job has charged storage, and none of it for what its kit kept was given back."""
    charged = Usage.entry_key.startswith(f"storage:{job_id}"), Usage.quantity > 0
    found = db.session.scalar(select(Usage.id).where(Usage.kind == STORAGE, *charged).limit(1))
    returned = db.session.scalar(select(Usage.id).where(Usage.entry_key == _returned_key(job_id)))
    return found is not None and returned is None


def _is_in_use(key: str) -> bool:
    return db.session.scalar(select(KitBase.kit_id).where(KitBase.store_key == key).limit(1)) is not None


def _returned_key(key: str) -> str:
    return f"base:{key.rpartition('/')[2]}:back"
