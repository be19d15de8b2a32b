"""Which projects that were sent are removed and counted: of one's own files, by how long they wait."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.extensions import db
from app.imports import project_uploads
from app.imports.project_uploads import MAX_KEPT_UPLOADS, TIME_TO_CHOOSE
from app.models import ProjectUpload, User
from app.models.base import new_id, transaction, utcnow
from app.models.project_upload import UPLOAD_LIFETIME
from app.sp404.errors import UnitFileError

MINUTE = timedelta(minutes=1)


def add_upload(user: User, name: str, age: timedelta) -> ProjectUpload:
    made = ProjectUpload(user_id=user.id, name=name, store_key=f"made/{user.id}/{new_id()}", size_bytes=1)
    made.found, made.created_at = [], utcnow() - age
    with transaction() as session:
        session.add(made)
    return made


def left() -> list[str]:
    return list(db.session.scalars(select(ProjectUpload.name).order_by(ProjectUpload.name)))


def test_ones_own_files_that_nobody_chose_from_are_removed(owner: User, stranger: User) -> None:
    for user, whose in ((owner, "mine"), (stranger, "theirs")):
        add_upload(user, f"{whose}, left", TIME_TO_CHOOSE + MINUTE)
        add_upload(user, f"{whose}, waiting", TIME_TO_CHOOSE - MINUTE)
    project_uploads.forget_unneeded(owner.id)
    assert left() == ["mine, waiting", "theirs, left", "theirs, waiting"]


def test_a_file_is_forgotten_alone(owner: User) -> None:
    first = add_upload(owner, "first", MINUTE)
    add_upload(owner, "second", MINUTE)
    project_uploads.forget(first)
    assert left() == ["second"]


def test_only_ones_own_files_fill_the_room(owner: User, stranger: User) -> None:
    for number in range(MAX_KEPT_UPLOADS):
        add_upload(stranger, f"theirs {number}", MINUTE)
    for number in range(MAX_KEPT_UPLOADS - 1):
        add_upload(owner, f"mine {number}", MINUTE)
    project_uploads.forget_unneeded(owner.id)
    add_upload(owner, "the last one", MINUTE)
    with pytest.raises(UnitFileError):
        project_uploads.forget_unneeded(owner.id)


def test_files_are_removed_after_their_time(owner: User) -> None:
    add_upload(owner, "old", UPLOAD_LIFETIME + MINUTE)
    add_upload(owner, "young", UPLOAD_LIFETIME - MINUTE)
    project_uploads.remove_old_uploads()
    assert left() == ["young"]
