"""A folder becomes a collection, and so does a ZIP; one line says what is left out."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.sp404.project.made_files import small_project, zipped
from tests.support import chord, drum_loop, kick, tone, wav
from tests.ui.conftest import sign_in

pytestmark = pytest.mark.ui


def drop_paths(page: Page, *paths: Path) -> None:
    """Drop files and folders as the desktop does; an event made by a script can't hold a folder."""
    browser = page.context.new_cdp_session(page)
    files = [str(path) for path in paths]
    data = {"items": [], "files": files, "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        browser.send("Input.dispatchDragEvent", {"type": kind, "x": 200, "y": 200, "data": data})


def write(folder: Path, **files: bytes) -> Path:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name.replace("__", ".", 1)).write_bytes(content)
    return folder


def test_sounds_of_a_folder_are_uploaded_and_side_files_are_left_out(page: Page, tmp_path: Path) -> None:
    pack = write(tmp_path / "My pack", kick__wav=kick(), readme__txt=b"Thank you", __DS_Store=b"\0")
    write(pack / "Loops" / "93", break__wav=drum_loop(93), break__asd=b"\0")
    write(pack / "__MACOSX", pad__wav=b"\0\5\26\7")
    single = tmp_path / "Pad.wav"
    single.write_bytes(chord())
    sign_in(page)
    page.goto("/upload")
    drop_paths(page, pack, single)
    for name in ("kick.wav", "break.wav", "Pad.wav"):
        expect(page.locator(".card.completed", has_text=name)).to_be_visible(timeout=30_000)
    expect(page.locator(".card")).to_have_count(3)
    notice = page.locator(".tray-notice")
    expect(notice).to_contain_text("My pack: 4 files left out: 2 are not audio, 2 are hidden.")
    notice.get_by_role("button", name="Dismiss").click()
    expect(page.locator("#tray")).to_be_hidden()
    page.goto("/samples?q=break")
    page.get_by_role("link", name="break", exact=True).first.click()
    expect(page.get_by_role("navigation", name="Folders of the sample")).to_contain_text(
        "My pack › Loops › 93"
    )


def test_a_chosen_folder_and_a_zip_are_taken(page: Page, tmp_path: Path) -> None:
    pack = write(tmp_path / "Chosen", rim__wav=wav(tone(400, 0.1)), notes__txt=b"x", more__zip=b"PK")
    write(pack / "Deep" / "down", low__wav=wav(tone(60, 0.2)))
    sounds = {f"Night/Drums/{n}.wav": wav(tone(200 + 10 * n, 0.1)) for n in range(3)}
    archive = tmp_path / "Night.zip"
    archive.write_bytes(zipped(sounds | {"Night/cover.jpg": b"x"}))
    project = tmp_path / "Unit.zip"
    project.write_bytes(zipped(small_project(), "P1/"))
    sign_in(page)
    page.goto("/upload")
    page.get_by_label("Choose a folder").set_input_files(pack)
    expect(page.locator(".tray-notice").nth(0)).to_contain_text("Chosen: 1 file left out: 1 is not audio.")
    expect(page.locator(".tray-notice").nth(1)).to_contain_text("Drop by itself: more.zip.")
    page.locator("#audio").set_input_files([archive, project])
    refused = page.locator(".queue-item.refused", has_text="Unit.zip is a project of the SP-404MKII")
    expect(refused.get_by_role("link", name="Import a project")).to_have_attribute("href", "/kits/import")
    done = page.locator(".card.completed", has_text="Night.zip")
    expect(done).to_contain_text("3 sounds added. 1 file left out: 1 is not audio.", timeout=60_000)
    expect(done.get_by_role("link", name="Open the collection")).to_be_visible()
    for name in ("rim.wav", "low.wav", "0.wav", "1.wav", "2.wav"):
        expect(page.locator(".card.completed", has_text=name)).to_be_visible(timeout=60_000)
    # A ZIP that does not fit is not sent before its owner says so.
    answer = {"fits": False, "sentence": "That would be 3 uploads; you have 1 left today."}
    page.route("**/upload/room*", lambda route: route.fulfill(json=answer))
    page.locator("#audio").set_input_files(archive)
    waiting = page.locator(".queue-item.refused", has_text="Night.zip That would be 3 uploads")
    waiting.get_by_role("button", name="Send it").click()
    expect(page.locator(".card.completed", has_text="No sound was added.")).to_be_visible(timeout=60_000)


def test_a_folder_of_more_files_than_one_listing_gives_is_read_to_its_end(page: Page, tmp_path: Path) -> None:
    folder = tmp_path / "Many"
    write(folder, **{f"{number}__txt": b"words" for number in range(230)})
    sign_in(page)
    page.goto("/upload")
    drop_paths(page, folder)
    notices = page.locator(".tray-notice")
    expect(notices.nth(0)).to_have_text("The folder Many holds no sounds. Dismiss", use_inner_text=True)
    expect(notices.nth(1)).to_contain_text("Many: 230 files left out")


def test_an_empty_folder_gets_a_sentence(page: Page, tmp_path: Path) -> None:
    empty = write(tmp_path / "Nothing")
    sign_in(page)
    page.goto("/upload")
    drop_paths(page, empty)
    expect(page.locator(".tray-notice")).to_contain_text("The folder Nothing holds no sounds.")


def test_a_file_that_vanishes_before_it_is_read_gets_a_sentence(page: Page, tmp_path: Path) -> None:
    vanishing = tmp_path / "Gone.wav"
    vanishing.write_bytes(kick())
    sign_in(page)
    page.goto("/upload")
    page.evaluate(
        """() => { const read = Blob.prototype.arrayBuffer;
        Blob.prototype.arrayBuffer = function () {
          return new Promise((go) => setTimeout(go, 1500)).then(() => read.call(this)); }; }"""
    )
    drop_paths(page, vanishing)
    expect(page.locator(".queue-note")).to_have_text("Checking")
    vanishing.unlink()
    expect(page.locator(".queue-note")).to_contain_text("The browser could not read Gone.wav.")
