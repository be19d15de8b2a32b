"""How many files with projects wait for a choice, whose they are, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.extensions import db, settings
from app.imports import project_uploads
from app.models import ProjectUpload, User
from app.models.base import transaction, utcnow
from app.models.project_upload import UPLOAD_LIFETIME
from app.sp404.errors import UnitFileError
from tests.support import waiting_jobs


def keep(user: User, ages_minutes: Sequence[float]) -> None:
    """Keep files of these ages, each named after its place, with something in the store."""
    with transaction() as session:
        for number, minutes in enumerate(ages_minutes):
            name = f"{user.email[:1]}{number}"
            made: dict[str, Any] = {
                "id": name,
                "name": name,
                "store_key": f"projects/{user.id}/{name}",
                "size_bytes": 1,
            }
            at = utcnow() - timedelta(minutes=minutes)
            session.add(ProjectUpload(user_id=user.id, found=[], created_at=at, **made))
            path = settings().data_dir / "store" / made["store_key"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"project")


def kept() -> set[str]:
    """Return the files that have a row, all of which have an object, as no others have."""
    db.session.expire_all()
    rows = db.session.execute(select(ProjectUpload.id, ProjectUpload.store_key)).tuples().all()
    objects = {path.name for path in (settings().data_dir / "store/projects").rglob("*") if path.is_file()}
    assert objects == {name for name, _ in rows}
    return objects


def test_eight_files_of_each_user_wait_for_an_hour(owner: User, stranger: User) -> None:
    keep(owner, [59] * 7 + [61])
    keep(stranger, [61] * 8)
    theirs = {f"s{number}" for number in range(8)}
    project_uploads.forget_unneeded(owner.id)
    assert kept() == {f"o{number}" for number in range(7)} | theirs
    with transaction() as session:
        eighth = {"id": "o8", "name": "o8", "store_key": f"projects/{owner.id}/o8", "size_bytes": 1}
        session.add(ProjectUpload(user_id=owner.id, found=[], **eighth))
    with pytest.raises(UnitFileError, match="8 files"):
        project_uploads.forget_unneeded(owner.id)
    project_uploads.forget_unneeded(stranger.id)
    assert set(db.session.scalars(select(ProjectUpload.user_id))) == {owner.id}


def test_a_file_stays_while_a_job_needs_it_and_goes_when_it_was_imported(owner: User) -> None:
    keep(owner, [61, 61, 5, 5])
    for name, state in (("o0", "pending"), ("o3", "completed")):
        waiting_jobs(owner, 1, purpose=project_uploads.KIT_IMPORT, state=state, choices={"upload_id": name})
    project_uploads.forget_unneeded(owner.id)
    assert kept() == {"o0", "o2"}


def test_files_that_nobody_can_import_any_more_are_removed(owner: User, stranger: User) -> None:
    lifetime = UPLOAD_LIFETIME.total_seconds() / 60
    keep(owner, [lifetime + 1, lifetime - 1])
    keep(stranger, [lifetime - 1, lifetime + 1, 0])
    project_uploads.remove_old_uploads()
    assert kept() == {"o1", "s0", "s2"}
    (last,) = db.session.scalars(select(ProjectUpload).where(ProjectUpload.id == "s2"))
    project_uploads.forget(last)
    assert kept() == {"o1", "s0"}
