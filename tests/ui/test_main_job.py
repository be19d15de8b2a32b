"""The main path of a producer: drop files, watch them finish, listen, download, read the email."""

from __future__ import annotations

import base64
import email
import email.policy
import re
import sqlite3
import subprocess
import time
from contextlib import closing
from io import BytesIO
from pathlib import Path

import imageio_ffmpeg
import pytest
import soundfile
from playwright.sync_api import Page, expect

from tests.live import Product
from tests.support import PASSWORD, chord, drum_loop, kick
from tests.ui.conftest import sign_in

pytestmark = pytest.mark.ui

DROP = """(files) => {
  const transfer = new DataTransfer();
  for (const [name, content] of files) {
    const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
    transfer.items.add(new File([bytes], name));
  }
  const at = { dataTransfer: transfer, bubbles: true, cancelable: true };
  document.body.dispatchEvent(new DragEvent("dragover", at));
  document.body.dispatchEvent(new DragEvent("drop", at));
  window.sameDocument = true;
}"""

POLL_OF_AN_UNCHANGED_CARD = """() => {
  const jobs = document.getElementById("jobs");
  const stub = ({ id }) => `<article id="${id}" data-unchanged></article>`;
  const cards = [...jobs.querySelectorAll(".card")].map(stub);
  Idiomorph.morph(jobs, `<div id="jobs" data-polled>${cards.join("")}</div>`);
}"""

# Which files the page holds in memory by an address: those of this computer are dropped first.
FOLLOW_FILES = """() => {
  const [make, revoke] = [URL.createObjectURL, URL.revokeObjectURL];
  [window.openFiles, window.dropped] = [new Set(), new Set()];
  URL.createObjectURL = (blob) => {
    const url = make(blob);
    window.openFiles.add(url);
    if (blob instanceof File) window.dropped.add(url);
    return url;
  };
  URL.revokeObjectURL = (url) => {
    window.openFiles.delete(url);
    revoke(url);
  };
}"""


def six_formats(folder: Path) -> list[tuple[str, bytes]]:
    samples, rate = soundfile.read(BytesIO(drum_loop(93)))
    files = []
    for number, (kind, extension) in enumerate(
        (("WAV", "wav"), ("AIFF", "aif"), ("FLAC", "flac"), ("MP3", "mp3"), ("OGG", "ogg"))
    ):
        file = BytesIO()
        soundfile.write(file, samples * (0.9 - number / 20), rate, format=kind)
        files.append((f"Break 93 {kind}.{extension}", file.getvalue()))
    (folder / "in.wav").write_bytes(drum_loop(93))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", "in.wav", "-c:a", "aac", "out.m4a"]
    subprocess.run(command, cwd=folder, check=True)
    return [*files, ("Break 93 M4A.m4a", (folder / "out.m4a").read_bytes())]


def drop(page: Page, files: list[tuple[str, bytes]]) -> None:
    page.evaluate(DROP, [(name, base64.b64encode(content).decode()) for name, content in files])


def mails(product: Product) -> list[Path]:
    return sorted((product.data_dir / "mail").glob("*.eml"))


def test_dropped_files_are_analysed_played_and_downloaded(
    page: Page, product: Product, tmp_path: Path
) -> None:
    sign_in(page)
    page.goto("/upload")
    drop(page, six_formats(tmp_path))
    expect(page.locator(".card.completed")).to_have_count(6, timeout=60_000)
    assert page.evaluate("window.sameDocument") is True
    # The six are one recording.
    expect(page.locator("#live-status")).to_have_text("6 ready, 5 already in your library", timeout=60_000)
    expect(page.locator("#quota")).to_contain_text("6 of 1,000 uploads this month")
    expect(page.locator("#jobs")).not_to_have_attribute("hx-trigger", re.compile("every"))
    expect(page.locator("#tray")).to_be_hidden()

    page.get_by_role("link", name="Library").click()
    rows = page.locator(".rows .row")
    expect(rows).to_have_count(6)
    for number in range(6):
        expect(rows.nth(number).locator(".col-bpm")).to_have_text("93")
    rows.first.get_by_role("button", name=re.compile("^Play ")).click()
    expect(rows.first).to_have_class(re.compile("sounding"))
    _expect_sound(page)
    expect(page.locator("#player")).to_be_visible()

    rows.first.get_by_role("link", name=re.compile("^Break 93")).click()
    expect(page.locator("#sample-title")).to_contain_text("Break 93")
    with page.expect_download() as download:
        page.get_by_role("link", name="SP-404MKII WAV").click()
    info = soundfile.info(download.value.path())
    assert (info.samplerate, info.subtype, info.format) == (48000, "PCM_16", "WAV")
    assert re.fullmatch(r"Break 93 \w+\.wav", download.value.suggested_filename)

    _expect_one_mail_with_a_link_that_works(page, product)


def _expect_sound(page: Page) -> None:
    until = time.monotonic() + 30
    while not page.evaluate("document.getElementById('sound').currentTime > 0.05"):
        assert time.monotonic() < until, "no sound plays"
        page.wait_for_timeout(50)


def _expect_one_mail_with_a_link_that_works(page: Page, product: Product) -> None:
    until = time.monotonic() + 30
    while not mails(product) and time.monotonic() < until:
        page.wait_for_timeout(100)
    (path,) = mails(product)
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert message["Subject"] == "6 samples are ready"
    body = message.get_body(("plain",))
    assert body is not None
    link = re.search(rf"{product.url}/samples/\w+", body.get_content())
    assert link is not None
    page.goto(link.group())
    expect(page.get_by_role("heading", level=1)).to_contain_text("Break 93")


def test_a_refused_file_says_why_and_the_others_continue(page: Page) -> None:
    sign_in(page)
    page.goto("/upload")
    drop(page, [("song.wav", b"%PDF-1.7 nothing"), ("empty.wav", b""), ("Fine.wav", chord())])
    expect(page.get_by_text("song.wav is not audio we can read (looks like PDF).")).to_be_visible()
    expect(page.get_by_text("empty.wav is empty (0 bytes).")).to_be_visible()
    expect(page.locator(".card.completed", has_text="Fine.wav")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Dismiss").first.click()
    expect(page.locator(".queue-item")).to_have_count(1)


def test_files_over_the_plan_stay_in_the_list_until_there_is_room(page: Page, product: Product) -> None:
    page.goto("/register")
    page.get_by_label("Email").fill("spender@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/upload")
    assert "Your next 10 files are analysed right away." in page.locator("#free-wait").inner_text()
    files = [(f"Kick {number:02d}.wav", kick() + bytes(2 * number)) for number in range(13)]
    drop(page, [("Huge.wav", bytes(10_000_001)), *files])
    over = page.locator("[data-tray-over]")
    expect(over).to_contain_text("4 files are kept in this list.", timeout=60_000)
    expect(over).to_contain_text("You have used all 10 uploads for today.")
    expect(over).to_contain_text("Your plan takes files up to 10 MB.")
    expect(over.get_by_role("link", name="See plans")).to_be_visible()  # nothing can be bought on this server
    expect(page.locator("#tray .refused")).to_have_count(0)
    expect(page.locator("[data-tray-cancel]")).to_be_hidden()
    expect(page.locator(".card")).to_have_count(10)
    expect(page.locator("#free-wait")).to_contain_text("a file uploaded now is analysed on")
    expect(page.locator(".queue-item .wave path").last).to_have_attribute("d", re.compile("M0.5"))
    page.get_by_role("button", name="Play Kick 12.wav").click()
    _expect_sound(page)
    with closing(sqlite3.connect(product.data_dir / "library.db", timeout=30)) as database, database:
        database.execute("UPDATE api_usage SET effective_at = '2020-01-01 00:00:00' WHERE kind = 'upload'")
    page.get_by_role("button", name="Upload them now").click()
    expect(page.locator(".card")).to_have_count(13)
    expect(over).to_contain_text("1 file is kept in this list.")
    expect(page.locator(".card", has_text="Kick 12.wav")).to_contain_text("You can play it now.")
    expect(page.locator(".card.pending .wave path").first).to_have_attribute("d", re.compile("M0.5"))
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("#tray")).to_be_hidden()
    page.get_by_role("button", name="Play Kick 12.wav").click()
    _expect_sound(page)


def test_one_cancel_ends_a_drop_that_is_still_being_sent(page: Page) -> None:
    sign_in(page)
    page.goto("/upload")
    page.route("**/upload/known/*", lambda _: None)  # the browser never learns whether it may send them
    page.evaluate(FOLLOW_FILES)
    drop(page, [(f"Never {number}.wav", kick()) for number in range(5)])
    expect(page.locator("[data-tray-count]")).to_have_text("0 of 5 sent")
    page.get_by_role("button", name="Play Never 2.wav").click()
    _expect_sound(page)
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator("#tray")).to_be_hidden()
    expect(page.locator(".card", has_text="Never")).to_have_count(0)
    assert page.evaluate("window.openFiles.size") == 1  # the one in the player
    page.get_by_role("link", name="Library").click()
    page.locator(".rows .play").first.click()
    expect(page.locator(".row.sounding")).to_have_count(1)
    assert page.evaluate("[...window.openFiles].filter((url) => window.dropped.has(url))") == []


def test_sixty_files_have_one_bar_one_cancel_and_no_long_page(page: Page, product: Product) -> None:
    sign_in(page)
    page.goto("/upload")
    with product.stopped_worker():
        drop(page, [(f"Hit {number:02d}.wav", kick() + bytes(2 * number + 50)) for number in range(60)])
        expect(page.get_by_role("button", name="Cancel", exact=True)).to_have_count(1)
        expect(page.locator("[data-tray-count]")).to_have_text("", timeout=60_000)
        expect(page.locator(".drop-head progress")).to_have_attribute("max", "60")
        for width, height in ((390, 844), (1280, 800)):
            page.set_viewport_size({"width": width, "height": height})
            for path in ("/upload", "/jobs", "/dashboard"):
                page.goto(path)
                screens = page.evaluate("document.documentElement.scrollHeight / window.innerHeight")
                assert screens <= 3, (path, width, screens)
        page.get_by_role("heading", name="Jobs").click()
        expect(page.locator("#jobs progress")).to_have_count(1)
        page.get_by_role("button", name="Cancel the rest of these files").click()
        expect(page.locator(".card.pending, .card.processing")).to_have_count(0)
        expect(page.locator(".card.cancelled").first).to_contain_text("It does not count towards your plan.")


def test_a_file_that_is_already_in_the_library_is_not_sent_again(page: Page) -> None:
    sign_in(page)
    page.goto("/upload")
    drop(page, [("Twice.wav", kick())])
    card = page.locator(".card.completed", has_text="Twice.wav")
    expect(card).to_be_visible(timeout=30_000)
    page.evaluate(POLL_OF_AN_UNCHANGED_CARD)
    expect(page.locator("#jobs")).to_have_attribute("data-polled", "")
    expect(card).to_be_visible()
    drop(page, [("Twice again.wav", kick())])
    expect(page.locator(".queue-note")).to_have_text("Already in your library: Twice")
    page.get_by_role("button", name="Upload anyway").click()
    expect(page.locator(".card.completed", has_text="Twice again.wav")).to_be_visible(timeout=30_000)


def test_files_can_be_dropped_on_any_page(page: Page) -> None:
    sign_in(page)
    page.goto("/samples")
    drop(page, [("Elsewhere.wav", chord((220.0, 261.63, 329.63)))])
    page.get_by_role("link", name="Watch them finish").click()
    expect(page.locator(".card.completed", has_text="Elsewhere.wav")).to_be_visible(timeout=30_000)
    expect(page.locator("#tray")).to_be_hidden()


def test_a_visitor_hears_the_loop_on_the_landing_page(page: Page) -> None:
    page.goto("/")
    button = page.get_by_role("button", name="Play the loop")
    button.click()
    expect(page.get_by_role("button", name="Stop the loop")).to_have_attribute("aria-pressed", "true")
    place = page.get_by_role("progressbar", name="Place in the loop")
    expect(place).not_to_have_js_property("value", 0)
    page.get_by_role("button", name="Stop the loop").click()
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(place).to_have_js_property("value", 0)
    page.locator("#loop-button").dblclick()
    page.wait_for_timeout(500)  # in which the loop would begin
    expect(place).to_have_js_property("value", 0)
