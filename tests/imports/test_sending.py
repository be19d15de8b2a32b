"""Files with projects are taken, looked into, kept for some days and forgotten; others get a sentence."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from flask import Flask

from app.extensions import db, settings
from app.imports import import_orders, project_uploads
from app.imports.project_uploads import TIME_TO_CHOOSE, remove_old_uploads
from app.integrations.storage import open_store
from app.jobs import run
from app.kits import kit_bases
from app.models import ProjectUpload, User
from app.models.base import transaction, utcnow
from app.models.ownership import RowNotFoundError
from app.models.project_upload import UPLOAD_LIFETIME
from app.sp404.errors import UnitFileError
from tests.imports.sending import order, send, unit_project
from tests.sp404.project.made_files import zipped
from tests.support import ApiScript, Browser


def test_files_are_removed_when_nobody_can_bring_them_back(as_owner: Browser) -> None:
    first = send(as_owner, unit_project())
    key = first.store_key
    age(first)
    second = send(as_owner, unit_project())
    assert not (settings().data_dir / "store" / key).exists()
    order(as_owner, second)
    third = send(as_owner, unit_project())
    kept = {one.id for one in db.session.scalars(db.select(ProjectUpload))}
    assert kept == {second.id, third.id}
    with transaction():
        third.created_at = utcnow() - 2 * UPLOAD_LIFETIME
    remove_old_uploads()
    assert db.session.scalars(db.select(ProjectUpload.id)).all() == [second.id]
    run.run_next()
    kit_bases.remove_abandoned()
    assert len(list(open_store(settings()).older_than("kept/", utcnow()))) == 1
    fourth = send(as_owner, unit_project())  # now that the second is done
    assert db.session.scalars(db.select(ProjectUpload.id)).all() == [fourth.id]


def test_projects_of_one_name_in_two_files_are_both_imported(as_owner: Browser) -> None:
    first, second = send(as_owner, unit_project()), send(as_owner, unit_project())
    assert [len(order(as_owner, upload)) for upload in (first, second, second)] == [1, 2, 2]


def age(upload: ProjectUpload) -> None:
    """Let a file be older than anybody takes to choose from it."""
    with transaction():
        upload.created_at = utcnow() - 2 * TIME_TO_CHOOSE


def test_files_that_somebody_may_be_choosing_from_stay_and_are_counted(
    as_owner: Browser, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.imports.project_uploads.MAX_KEPT_UPLOADS", 2)
    first, second = send(as_owner, unit_project()), send(as_owner, unit_project())
    sent = {"project": (BytesIO(zipped(unit_project())), "x.zip")}
    assert "2 files with projects are waiting" in as_owner.post("/kits/import", **sent).text
    # As if another request had added the second one while the file was looked into.
    monkeypatch.setattr("app.imports.project_uploads.forget_unneeded", lambda _: None)
    with pytest.raises(UnitFileError, match="are waiting"):
        project_uploads.receive(owner, BytesIO(zipped(unit_project())), "x.zip")
    store = open_store(settings())
    kept = {first.store_key, second.store_key}
    assert set(store.older_than("projects/", utcnow() + UPLOAD_LIFETIME)) == kept
    [path] = [one["path"] for one in first.found]
    project_uploads.forget(first)
    with pytest.raises(RowNotFoundError):  # nor is a job made of a file that is forgotten meanwhile
        import_orders.order_imports(owner, forgotten(first), [path])


def test_what_one_sends_removes_no_project_of_another_that_waits(
    as_owner: Browser, as_stranger: Browser
) -> None:
    theirs = send(as_stranger, unit_project())
    order(as_stranger, theirs)
    age(theirs)
    ours = send(as_owner, unit_project())
    assert set(db.session.scalars(db.select(ProjectUpload.id))) == {theirs.id, ours.id}


def forgotten(upload: ProjectUpload) -> ProjectUpload:
    """Return a file as a request still has it that has read its row before."""
    values = {"id": upload.id, "user_id": upload.user_id, "store_key": upload.store_key}
    return ProjectUpload(**values, name=upload.name, found=upload.found, size_bytes=1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no ZIP", "neither a project folder, nor a ZIP"),
        (zipped({"readme.txt": b"x"}), "no project of the SP-404MKII and no kit.json"),
        (zipped({"PADCONF.BIN": b"x"}, "../"), "leads outside"),
        (zipped({"a": b"x"})[:-9], "cut off"),
    ],
)
def test_files_that_can_not_be_used_get_a_sentence(as_owner: Browser, content: bytes, words: str) -> None:
    answer = as_owner.post("/kits/import", project=(BytesIO(content), "x.zip"))
    assert (answer.status_code, words in answer.text) == (422, True)
    assert db.session.scalars(db.select(ProjectUpload)).all() == []


def test_nothing_chosen_is_said(as_owner: Browser) -> None:
    upload = send(as_owner, unit_project())
    answer = as_owner.post(f"/kits/import/{upload.id}", chosen="elsewhere")
    assert (answer.status_code, "Choose at least one project." in answer.text) == (422, True)
    assert as_owner.post("/kits/import").status_code == 422


def test_the_api_takes_a_project_and_names_the_kit(app: Flask, owner: User) -> None:
    script = ApiScript(app, owner)
    several = {f"{n}/{path}": data for n in (1, 2) for path, data in unit_project().items()}
    sent = {"project": (BytesIO(zipped(several)), "card.zip")}
    told = script.call("POST", "/api/kits/import", data=sent)
    assert (told.status_code, told.get_json()["detail"]) == (
        422,
        "There are 2 projects: “1”, “2”. Name one as `folder`.",
    )
    assert db.session.scalars(db.select(ProjectUpload)).all() == []
    named: dict[str, Any] = {"project": (BytesIO(zipped(several)), "card.zip"), "folder": "2"}
    answer = script.call("POST", "/api/kits/import", data=named)
    assert answer.status_code == 202
    run.run_next()
    job = script.get(f"/api/jobs/{answer.get_json()['job_id']}").get_json()
    assert (job["status"], job["purpose"], job["left_out"]) == ("completed", "kit_import", [])
    assert set(script.get(f"/api/kits/{job['kit_id']}").get_json()["pads"]) == {"A1", "A2", "B2"}
    kits_only = ApiScript(app, owner, "kits:write")
    unread = {"project": (BytesIO(b""), "x")}
    refused = kits_only.call("POST", "/api/kits/import", {"X-Unreceived": "yes"}, data=unread)
    assert (refused.status_code, "`samples:write`" in refused.get_json()["detail"]) == (403, True)
