"""The way of a kit to a card in a browser: checked, fixed, made, downloaded, and written to a folder."""

from __future__ import annotations

import re
import zipfile
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.live import JOB_S, Producer
from tests.sp404 import second_reader
from tests.ui.conftest import sign_in
from tests.ui.memory_card import (
    AS_CARD,
    CHOOSE_INSIDE,
    EMPTY_CARD,
    FAIL_AT,
    MAKE_FOLDER,
    PUT_FILE,
    make_card,
    read_card,
    write_card,
    zipped,
)
from tests.ui.test_pages import check

pytestmark = [pytest.mark.ui, pytest.mark.filled]
WAIT_MS = JOB_S * 1000


def place_everything(page: Page) -> None:
    """Make a kit of the sounds of the library."""
    sign_in(page)
    page.goto("/samples")
    page.locator('[data-action="select-page"]').check()
    page.get_by_role("button", name="Add to kit").click()
    page.get_by_label("Kit", exact=True).select_option(index=0)
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url("**/kits/**")


def set_pad(page: Page, pad: str, **fields: str) -> None:
    page.locator(f"#pad-{pad}").click()
    panel = page.locator("#pad-panel")
    expect(panel.get_by_role("heading", level=2)).to_contain_text(pad)
    for label, value in fields.items():
        panel.locator("input").and_(panel.get_by_label(label, exact=True)).fill(value)
    panel.get_by_role("button", name="Save pad").click()
    # The word may still be there from the pad before.
    expect(page.locator(".htmx-settling, .htmx-added, .htmx-request")).to_have_count(0)
    expect(page.get_by_text("Saved.")).to_be_visible()


def download(page: Page, folder: Path) -> Path:
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download ZIP").first.click()
    target = folder / "card.zip"
    downloading.value.save_as(target)
    return target


def test_a_kit_is_checked_fixed_made_and_read_by_the_second_reader(
    page: Page, library: Producer, tmp_path: Path
) -> None:
    place_everything(page)
    set_pad(page, "A1", Start="40000000")
    set_pad(page, "A2", Name="Twice")
    set_pad(page, "A3", Name="TWICE")
    page.get_by_role("link", name="Card", exact=True).click()
    page.wait_for_url("**/card")
    kit_card = page.url
    page.get_by_label("SP-404MKII import folder").uncheck()
    native = page.get_by_role("checkbox", name="SP-404MKII project")
    native.check()
    page.get_by_label("Project number").select_option("4")
    expect(page.locator(".htmx-settling, .htmx-added, .htmx-request")).to_have_count(0)
    findings = page.locator("#preflight .findings li")
    expect(findings.filter(has_text="The start (40,000,000) is past the end")).to_have_count(1)
    expect(findings.filter(has_text="Another pad of the bank is called")).to_contain_text(
        "Rename to “TWICE-2”"
    )
    expect(page.get_by_text("1 error and")).to_be_visible()
    page.get_by_role("button", name="Fix all").click()
    expect(page.get_by_text("Fixed. A1: Reset start")).to_be_visible()
    expect(page.get_by_text("0 errors and")).to_have_count(0)
    expect(page.get_by_role("button", name="Fix all")).to_have_count(0)
    expect(native).to_be_checked()
    expect(page.get_by_label("Project number")).to_have_value("4")
    archive = tmp_path / "straight.zip"
    with page.expect_download(timeout=WAIT_MS) as downloading:
        page.get_by_role("button", name="Make card").click()
    downloading.value.save_as(archive)  # nothing more was pressed
    expect(page.get_by_role("heading", name="The card is ready")).to_be_visible()
    expect(page.get_by_role("button", name="Write to a folder")).to_be_visible()
    made = page.url
    page.set_viewport_size({"width": 390, "height": 800})
    check(page, made)
    check(page, kit_card)
    assert download(page, tmp_path).read_bytes() == archive.read_bytes()
    read = second_reader.read_project(archive)
    assert (read["folder"], len(read["pads"])) == ("PROJECT_04", 3)
    pads: dict[str, Any] = read["pads"]
    assert (pads["A2"]["name"], pads["A3"]["name"]) == ("Twice", "TWICE-2")
    assert pads["A1"]["start"] == 0
    import_again(page, archive)


def import_again(page: Page, archive: Path) -> None:
    """Import a card; the kit that it makes has the pads and the samples of the first one."""
    page.goto("/kits/import")
    page.get_by_label("Choose a ZIP").set_input_files(archive)
    expect(page.get_by_text("3 pads with a sound")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_role("link", name="See what was imported").first.click(timeout=WAIT_MS)
    expect(page.get_by_text("0 new samples")).to_be_visible()
    page.get_by_role("link", name="Open the kit").click()
    names = page.locator("#pads [data-sample] .pad-name")
    expect(names).to_have_text([re.compile("."), "Twice", "TWICE-2"])


@pytest.fixture
def card(page: Page, library: Producer) -> dict[str, bytes]:
    """Open the page of a card that is ready, beside an empty memory card; return the files of its ZIP."""
    address, files = make_card(library)
    page.add_init_script(AS_CARD)
    sign_in(page)
    page.goto(address)
    return files


def test_a_card_is_written_file_by_file_and_what_was_there_is_kept(
    page: Page, card: dict[str, bytes]
) -> None:
    write_card(page, f"Done: {len(card)} files written and read back.")
    assert read_card(page) == card
    expect(page.locator('[data-card="list"] li')).to_have_count(len(card))
    write_card(page, f"There already: {len(card)} files.")
    project = "EXPORT/PROJECT/PROJECT_01"
    old = {f"{project}/PADCONF.BIN": b"old", f"{project}/PTN/PTN00001.BIN": b"beat", "README.txt": b"mine"}
    for path, data in old.items():
        page.evaluate(PUT_FILE, [path, data.decode()])
    before = read_card(page)
    write_card(page, "Done: 2 files written")
    state = page.locator('[data-card="state"]').inner_text()
    assert "Still beside them from before: 1 file, see the list. Old patterns would play with" in state
    found = re.search(r"is in (BACKUP_\d{4}-\d\d-\d\d_\d{4}), where the unit does not look", state)
    assert found is not None
    backup = found[1]
    written = read_card(page)
    assert {path: data for path, data in written.items() if path in card} == card
    saved = {path: data for path, data in before.items() if path.startswith(project)}
    saved |= {"README.txt": b"mine"}
    copies = {path: data for path, data in written.items() if path.startswith("BACKUP_")}
    assert copies == {f"{backup}/{path}": data for path, data in saved.items()}
    assert written[f"{project}/PTN/PTN00001.BIN"] == b"beat"
    assert before.keys() <= written.keys()


def test_a_write_that_fails_is_told_and_deletes_nothing(page: Page, card: dict[str, bytes]) -> None:
    page.evaluate(MAKE_FOLDER, "report.csv")
    write_card(page, "The name of report.csv, or of a folder on the way to it, is taken by something else.")
    assert read_card(page) == {}
    page.evaluate(EMPTY_CARD)
    for name, words in (
        ("NotAllowedError", "The browser may no longer write to this folder."),
        ("QuotaExceededError", "There is no room left for report.csv."),
        ("NotFoundError", "The folder is gone while report.csv was written."),
    ):
        page.evaluate(FAIL_AT, ["report.csv", name])
        write_card(page, words)
        state = page.locator('[data-card="state"]')
        expect(state).to_contain_text("files written until then; nothing was deleted.")
        assert card.items() >= {path: data for path, data in read_card(page).items() if data}.items()
        page.evaluate(EMPTY_CARD)
    page.evaluate(FAIL_AT, ["report.csv", "stuck"])
    page.get_by_role("button", name="Write to a folder").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator('[data-card="state"]')).to_contain_text("Cancelled.")
    page.evaluate(CHOOSE_INSIDE, "EXPORT")
    write_card(page, "EXPORT is a folder of a card. Choose the memory card itself, above it.")
    page.evaluate(AS_CARD)
    page.evaluate(FAIL_AT, ["report.csv", "damage"])
    write_card(page, "report.csv reads back differently from what was written.")


def test_browsers_that_cannot_write_to_folders_offer_only_the_zip(page: Page, library: Producer) -> None:
    address, _ = make_card(library)
    page.add_init_script("delete window.showDirectoryPicker;")
    sign_in(page)
    page.goto(address)
    expect(page.get_by_role("link", name="Download ZIP")).to_be_visible()
    expect(page.get_by_role("button", name="Write to a folder")).to_be_hidden()


READ_ZIP = """async (data) => {
  const app = [...document.scripts].find((script) => script.src.endsWith("/js/app.js")).src;
  const { readZip, checksum } = await import(app.replace("app.js", "zip_reader.js"));
  const blob = new Blob([Uint8Array.from(atob(data), (character) => character.charCodeAt(0))]);
  const found = [];
  try {
    for (const entry of await readZip(blob)) {
      const stream = await entry.open();
      found.push([entry.path, entry.size, entry.crc === (await checksum(stream))]);
    }
  } catch (error) { found.push(error.message); }
  return found;
}"""


def test_zips_of_every_size_are_read(page: Page, library: Producer, monkeypatch: pytest.MonkeyPatch) -> None:
    page.goto("/")

    def read(data: bytes) -> Any:
        return page.evaluate(READ_ZIP, b64encode(data).decode())

    files = {"A/Käse.wav": b"abc" * 999, "empty.txt": b"", "B/b.txt": b"b"}
    expected = [[path, len(data), True] for path, data in files.items()]
    for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert read(zipped(files, packing)) == expected
    plain = zipped(files)
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 2)  # as if every file and the whole had more than 4 GB
    large = zipped(files)
    assert len(large) > len(plain) + 56
    assert read(large) == expected
    assert read(large[:-30]) == ["it is not a ZIP, or is cut off"]
    assert read(plain.replace(b"PK\1\2", b"PK\1\3")) == ["the list of files is damaged"]
