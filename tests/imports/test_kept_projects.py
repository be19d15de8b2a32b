"""What a kit keeps of its project is counted until no kit keeps it any more, and then given back."""

from __future__ import annotations

import os
from pathlib import Path

from app.extensions import db, settings
from app.kits import kit_bases, kit_list
from app.models import Kit, KitBase, User
from app.models.base import transaction, utcnow
from tests.imports.sending import bring_back, quantities, unit_project
from tests.support import Browser


def test_a_copy_keeps_the_project_too_and_the_last_one_gives_its_storage_back(
    as_owner: Browser, owner: User, tmp_path: Path
) -> None:
    files = unit_project()
    kit = bring_back(as_owner, files)
    copy = kit_list.copy_kit(owner, kit)
    assert "This kit was imported from the unit." in as_owner.get(f"/kits/{copy.id}/card").text
    base = db.session.get_one(KitBase, copy.id)
    key, size_bytes, before = base.store_key, base.size_bytes, quantities("storage")
    for one in (kit, copy):
        assert (settings().data_dir / "store" / key).exists()
        kit_list.delete_kit(one)
        with transaction():
            one.deleted_at = utcnow() - 2 * kit_list.UNDO_PERIOD
        kit_list.purge_deleted_kits()
    assert not (settings().data_dir / "store" / key).exists()
    assert quantities("storage") == before - size_bytes


def test_storage_comes_back_once_where_the_previous_version_removed_the_kit(as_owner: Browser) -> None:
    kit = bring_back(as_owner, unit_project())
    base = db.session.get_one(KitBase, kit.id)
    size_bytes, before = base.size_bytes, quantities("storage")
    path = settings().data_dir / "store" / base.store_key
    never_charged = path.with_name("of-a-job-that-failed")
    never_charged.write_bytes(b"x")
    for one in (path, never_charged):
        os.utime(one, (0, 0))
    kit_bases.remove_abandoned()
    assert (path.exists(), never_charged.exists(), quantities("storage")) == (True, False, before)
    with transaction() as session:
        session.execute(db.delete(Kit))
    kept = path.read_bytes()
    for _ in range(2):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(kept)  # as if the process died before it was deleted
        os.utime(path, (0, 0))
        kit_bases.remove_abandoned()
        assert not path.exists()
        assert quantities("storage") == before - size_bytes
