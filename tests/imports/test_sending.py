"""Files with projects are taken, looked into, kept for some days and forgotten; others get a sentence."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from flask import Flask

from app.extensions import db, settings
from app.imports.project_uploads import remove_old_uploads
from app.integrations.storage import open_store
from app.jobs import run
from app.kits import kit_bases
from app.models import ProjectUpload, User
from app.models.base import transaction, utcnow
from app.models.project_upload import UPLOAD_LIFETIME
from tests.imports.sending import order, send, unit_project
from tests.sp404.project.made_files import zipped
from tests.support import ApiScript, Browser


def test_files_are_removed_when_nobody_can_bring_them_back(as_owner: Browser) -> None:
    first = send(as_owner, unit_project())
    key = first.store_key
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
    named: dict[str, Any] = {"project": (BytesIO(zipped(several)), "card.zip"), "folder": "2"}
    answer = script.call("POST", "/api/kits/import", data=named)
    assert answer.status_code == 202
    run.run_next()
    job = script.get(f"/api/jobs/{answer.get_json()['job_id']}").get_json()
    assert (job["status"], job["purpose"], job["left_out"]) == ("completed", "kit_import", [])
    assert set(script.get(f"/api/kits/{job['kit_id']}").get_json()["pads"]) == {"A1", "A2", "B2"}
    kits_only = ApiScript(app, owner, "kits:write")
    assert (
        kits_only.call("POST", "/api/kits/import", data={"project": (BytesIO(b""), "x")}).status_code == 403
    )
