"""A project is chosen as a ZIP or as a folder, looked at, imported by a job, and opens as a kit."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.imports.sending import unit_project
from tests.sp404.project.made_files import write_files, zipped
from tests.ui.conftest import sign_in

pytestmark = pytest.mark.ui


def test_a_zip_or_a_folder_of_a_project_becomes_a_kit(page: Page, tmp_path: Path) -> None:
    sign_in(page)
    page.goto("/kits")
    page.get_by_role("link", name="Import a project").click()
    archive = tmp_path / "Night.zip"
    archive.write_bytes(zipped(unit_project(), "P01/"))
    page.get_by_label("Choose a ZIP or PADCONF.BIN").set_input_files(archive)
    expect(page.get_by_role("heading", name="Night.zip")).to_be_visible()
    expect(
        page.get_by_text("3 pads with a sound · 1 pattern · 1 picture · up to 3 new samples")
    ).to_be_visible()
    page.get_by_role("link", name="Import a project").click()
    photos = write_files(tmp_path / "photos", {"beach.jpg": b"\xff\xd8"})
    folder = page.get_by_label("Choose a folder")
    folder.set_input_files(photos)
    expect(page.get_by_role("alert")).to_contain_text("There is no project of the SP-404MKII")
    card = write_files(tmp_path / "CARD/EXPORT/PROJECT/P01", unit_project() | {"PTN/PTN00002.BIN": b"?"})
    write_files(tmp_path / "CARD", {"beach.jpg": b"\xff\xd8", "EXPORT/PROJECT/P01/._PADCONF.BIN": b"\0"})
    assert card.exists()
    page.evaluate("() => { Blob.prototype.stream = () => { throw new Error('It was read.'); }; }")
    page.evaluate("() => { document.getElementById('project-form').dataset.maxBytes = 100; }")
    folder.set_input_files(tmp_path / "CARD")
    expect(page.get_by_role("alert")).to_contain_text("the most that your plan takes at once")
    page.reload()
    folder.set_input_files(tmp_path / "CARD")
    expect(page.get_by_role("heading", name="CARD.zip")).to_be_visible()
    expect(page.get_by_text("CARD/EXPORT/PROJECT/P01")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    job = page.locator(".card.completed", has_text="Dusty project")
    job.get_by_role("link", name="See what was imported").click(timeout=60_000)
    expect(page.get_by_text("2 new samples.")).to_be_visible()
    expect(page.get_by_text("Pattern A2: ")).to_be_visible()
    page.get_by_role("link", name="Open the kit").click()
    expect(page.get_by_role("heading", name="Dusty project")).to_be_visible()
    expect(page.get_by_text("Same rumble")).to_be_visible()
