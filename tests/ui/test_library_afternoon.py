"""An afternoon in the library: a folder in, heard, tagged and out again; at a desk, on a phone, by forms."""

from __future__ import annotations

import csv
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.live import JOB_S, Producer, Product
from tests.support import tone, wav
from tests.ui.conftest import listen, sign_in
from tests.ui.test_dropped_folders import drop_paths

pytestmark = pytest.mark.ui
WAIT_MS = JOB_S * 1000
FOLDERS = {"Drums/Kicks": 20, "Drums/Hats": 20, "Synths": 19}  # and one longer sound at the top
PAGES = 10
CHOSEN = 20
NAMES = ".col-name > a:first-child"
# What would be heard as a gap.
COUNT_GAPS = """() => {
  window.gaps = [];
  for (const name of ["pause", "emptied", "waiting", "ended"]) {
    document.getElementById("sound").addEventListener(name, () => window.gaps.push(name));
  }
}"""


def long_tone() -> bytes:
    """Return a sound that goes on while one walks: 90 s in 8 kHz."""
    samples = 0.3 * np.sin(2 * np.pi * 220 * np.arange(90 * 8000) / 8000)
    return wav(samples.astype(np.float32), rate=8000)


def write_pack(pack: Path) -> Path:
    """Write 60 sounds in nested folders, with side files of three programs."""
    number = 0
    for folder, count in FOLDERS.items():
        place = pack / folder
        place.mkdir(parents=True)
        for _ in range(count):
            number += 1
            name = f"{folder.rpartition('/')[2]} {number:02d}.wav"
            (place / name).write_bytes(wav(0.5 * tone(90 * 1.06**number, 0.1, 20)))
    (pack / "Walk.wav").write_bytes(long_tone())
    for side_file in ("cover.jpg", "Drums/licence.txt", "Drums/Kicks/Kicks 01.wav.asd"):
        (pack / side_file).write_bytes(b"beside")
    for hidden in (".DS_Store", "Drums/._Kicks", "__MACOSX/Walk.wav"):
        (pack / hidden).parent.mkdir(exist_ok=True)
        (pack / hidden).write_bytes(b"\0\5\26\7")
    return pack


@contextmanager
def page_of(browser: Browser, product: Product, width: int, runs_scripts: bool = True) -> Iterator[Page]:
    """Open the product as another device does; its console stays empty."""
    context = browser.new_context(
        base_url=product.url,
        viewport={"width": width, "height": 844},
        has_touch=width < 600,
        java_script_enabled=runs_scripts,
    )
    browser_errors: list[str] = []
    context.on("page", lambda page: listen(page, browser_errors))
    page = context.new_page()
    sign_in(page)
    yield page
    context.close()
    assert browser_errors == []


def position_s(page: Page) -> float:
    return float(page.evaluate("document.getElementById('sound').currentTime"))


def check_sound_goes_on(page: Page, after_s: float) -> float:
    """Return where the sound is now, which is later than before."""
    assert page.evaluate("window.gaps") == []
    assert page.evaluate("document.getElementById('sound').paused") is False
    now_s = position_s(page)
    assert now_s > after_s
    return now_s


def check_width(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def start_walk(page: Page) -> float:
    page.goto("/samples?q=walk")
    page.get_by_role("button", name="Play Walk").click()
    expect(page.locator(".row.sounding")).to_have_count(1)
    page.evaluate(COUNT_GAPS)
    return position_s(page)


def clear_search(page: Page, rows: int) -> None:
    page.locator(".chips a, .chip").filter(has_text="walk").first.click()
    expect(page.locator(".rows .row")).to_have_count(rows)


def tag_selected(page: Page, tag: str) -> None:
    page.locator(".bulk summary", has_text="Tag").click()
    page.get_by_label("Add tags").fill(tag)
    page.get_by_role("button", name="Save tags").click()
    expect(page.locator(".notice")).to_contain_text(f"{CHOSEN} samples changed.", timeout=WAIT_MS)


def download_tagged(page: Page, tag: str, folder: Path) -> None:
    """Download what has a tag as one ZIP for the unit, and check each file of it."""
    page.goto(f"/samples?tag={tag}")
    expect(page.locator(".rows .row")).to_have_count(CHOSEN)
    page.get_by_label("select all").check()
    page.locator(".bulk summary", has_text="Download").click()
    with page.expect_download() as downloading:
        page.get_by_role("button", name="WAVs for SP-404MKII, one ZIP").click()
    path = folder / f"{tag}.zip"
    downloading.value.save_as(path)
    with ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    rows = list(csv.DictReader(StringIO(files.pop("report.csv").decode())))
    assert [row["file"] for row in rows] == [*files]
    assert {row["note"] for row in rows} <= {f"from WAV at {k} kHz to 48 kHz, 16 bits" for k in ("44.1", "8")}
    assert len(files) == CHOSEN
    for name, content in files.items():
        check_wav(name, content)


def check_wav(name: str, content: bytes) -> None:
    """A WAV as the unit reads it: 48 kHz, 16 bits, a header of 44 bytes and nothing after the sound."""
    assert name.endswith(".wav")
    riff, size, wave, fmt, fmt_size, coding, channels, rate, _, frame, bits, data, data_size = struct.unpack(
        "<4sI4s4sIHHIIHH4sI", content[:44]
    )
    assert (riff, wave, fmt, fmt_size, coding, data) == (b"RIFF", b"WAVE", b"fmt ", 16, 1, b"data"), name
    assert (rate, bits, frame) == (48_000, 16, 2 * channels), name
    assert (size, data_size) == (len(content) - 8, len(content) - 44), name
    assert any(content[44:]), f"{name} is silent"


def test_an_afternoon_at_a_desk(page: Page, tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "Night pack")
    sign_in(page)
    page.goto("/samples")
    drop_paths(page, pack)
    expect(page.locator(".tray-notice")).to_contain_text(
        "Night pack: 6 files left out: 3 are not audio, 3 are hidden."
    )
    expect(page.locator("#found")).to_have_text("60 samples", timeout=WAIT_MS)  # the open list follows
    check_folders(page)
    at_s = start_walk(page)
    clear_search(page, 50)
    links = page.locator(f".row:not(.playing) {NAMES}")
    for number in range(PAGES):
        name = links.nth(number).inner_text()
        links.nth(number).click()
        expect(page.locator("#beside h2").first).to_have_text(name)
        at_s = check_sound_goes_on(page, at_s)
    page.get_by_role("button", name="Close").click()
    boxes = page.locator(".rows .pick")
    boxes.first.check()
    boxes.nth(CHOSEN - 1).click(modifiers=["Shift"])
    expect(page.locator("#selected")).to_have_text(f"{CHOSEN} selected")
    tag_selected(page, "desk")
    check_sound_goes_on(page, at_s)
    download_tagged(page, "desk", tmp_path)


def check_folders(page: Page) -> None:
    """The collection has the folders of the pack, each with its sounds."""
    page.goto("/collections")
    page.get_by_role("link", name="Night pack").click()
    expect(page.locator("#found")).to_have_text("60 samples")
    page.locator("summary", has_text="Folders").click()
    for folder, count in (("Drums", 40), ("Kicks", 20)):
        page.locator("details[open]").get_by_role("link", name=folder).click()
        expect(page.locator("#found")).to_have_text(f"{count} samples")
    expect(page.get_by_role("navigation", name="Folders")).to_contain_text("Night pack › Drums › Kicks")
    names = page.locator(NAMES).all_inner_texts()
    assert sorted(names) == [f"Kicks {number:02d}" for number in range(1, 21)]
    page.locator(NAMES).first.click()
    expect(page.get_by_role("navigation", name="Folders of the sample")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_the_same_on_a_phone(browser: Browser, product: Product, tmp_path: Path) -> None:
    with page_of(browser, product, 390) as page:
        page.goto("/upload")
        page.locator("#audio").set_input_files(
            {"name": "Pocket.wav", "mimeType": "audio/wav", "buffer": wav(0.5 * tone(77, 0.1, 20))}
        )
        expect(page.locator(".card.completed", has_text="Pocket.wav")).to_be_visible(timeout=WAIT_MS)
        check_width(page)
        at_s = start_walk(page)
        check_width(page)
        clear_search(page, 50)
        links = page.locator(f".row:not(.playing) {NAMES}")
        for number in range(PAGES):
            name = links.nth(number).inner_text()
            links.nth(number).tap()
            expect(page.get_by_role("heading", level=1)).to_have_text(name)
            at_s = check_sound_goes_on(page, at_s)
            check_width(page)
            page.go_back()
            expect(page.get_by_role("heading", level=1)).to_have_text("Library")
        boxes = page.locator(".rows .pick")
        for number in range(CHOSEN):
            boxes.nth(number).tap()
        expect(page.locator("#selected")).to_have_text(f"{CHOSEN} selected")
        tag_selected(page, "phone")
        check_sound_goes_on(page, at_s)
        download_tagged(page, "phone", tmp_path)
        check_width(page)


def test_the_same_by_forms_alone(browser: Browser, product: Product, tmp_path: Path) -> None:
    with page_of(browser, product, 1280, runs_scripts=False) as page:
        page.goto("/upload")
        page.locator("#audio").set_input_files(
            {"name": "Plain.wav", "mimeType": "audio/wav", "buffer": wav(0.5 * tone(71, 0.1, 20))}
        )
        page.get_by_role("button", name="Upload").click()
        expect(page.locator(".card.completed", has_text="Plain.wav")).to_be_visible(timeout=WAIT_MS)
        page.goto("/samples")
        page.locator(".rows .play").first.click()
        expect(page.locator("video, audio")).to_have_count(1)
        page.go_back()
        boxes = page.locator(".rows .pick")
        for number in range(CHOSEN):
            boxes.nth(number).check()
        tag_selected(page, "forms")
        download_tagged(page, "forms", tmp_path)


def test_new_sounds_wait_until_nothing_moves_and_a_sample_beside_the_list_stays(
    page: Page, product: Product
) -> None:
    producer = Producer(product)
    producer.post("/demo")
    rows, new, beside = page.locator(".rows .row"), page.locator("#new-count"), page.locator("#beside")
    page.set_viewport_size({"width": 1280, "height": 4000})  # nothing can be scrolled
    sign_in(page)
    page.goto("/samples")
    ticked = rows.nth(2)
    ticked.locator(".pick").check()
    chosen = page.locator(f"#{ticked.get_attribute('id')}")
    before = chosen.bounding_box()
    for number, name in enumerate(("Fresh one", "Fresh two"), start=1):
        producer.upload((f"{name}.wav", wav(0.5 * tone(3000 + 100 * number, 0.1, 20))))
        expect(new).to_have_text(f"{number} new", timeout=WAIT_MS)
        expect(rows.filter(has_text="Fresh")).to_have_count(0)
    assert chosen.bounding_box() == before
    rows.nth(3).locator(NAMES).click()
    expect(beside).to_be_visible()
    opened = page.url
    new.click()
    expect(rows.filter(has_text="Fresh")).to_have_count(2)
    assert page.locator(NAMES).all_inner_texts()[:2] == ["Fresh two", "Fresh one"]
    expect(chosen.locator(".pick")).to_be_checked()
    assert page.url == opened
    # A list in another order is asked for again, and the sample stays beside it.
    page.get_by_role("button", name="Close").click()
    page.get_by_label("Sort by", exact=True).select_option("name")
    expect(page).to_have_url(re.compile("sort=name"))
    expect(rows.first).to_contain_text("Fresh one")
    rows.nth(3).locator(NAMES).click()
    expect(page).to_have_url(re.compile(r"/samples/\w{26}$"))
    opened = page.url
    producer.upload(("A new one.wav", wav(0.5 * tone(3500, 0.1, 20))))
    expect(new).to_have_text("1 new", timeout=WAIT_MS)
    new.click()
    expect(rows.first).to_contain_text("A new one")
    expect(beside).to_be_visible()
    assert page.url == opened
    page.go_back()
    expect(page).to_have_url(re.compile("sort=name"))
    expect(rows.first).to_contain_text("A new one")
