"""A page before its scripts are there, and a page that asks before it is left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.live import Producer
from tests.support import tone, wav
from tests.ui.conftest import sign_in
from tests.ui.memory_card import AS_CARD, FAIL_AT, make_card

pytestmark = [pytest.mark.ui, pytest.mark.filled]
PHONE = ViewportSize(width=412, height=823)
MAX_SHIFT = 0.05
SUM_OF_SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => { for (const shift of list.getEntries()) window.shifts += shift.value; })
  .observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture(autouse=True)
def _signed_in(page: Page, library: Producer) -> None:
    sign_in(page)


@contextmanager
def before_the_modules(page: Page, address: str) -> Iterator[None]:
    """Open a page; what is done inside happens before its modules and fonts are there."""
    for late in ("**/js/app.js", "**/*.woff2"):
        page.route(late, lambda _route: None)  # the request waits
    page.goto(address, wait_until="commit")
    expect(page.locator("#keys")).to_be_attached()  # the last part of the page
    yield
    for late in ("**/js/app.js", "**/*.woff2"):
        page.unroute(late)


@pytest.fixture
def kit(page: Page) -> str:
    """Return the address of a kit with a sound on its first pad."""
    page.goto("/kits")
    page.get_by_role("textbox", name="Name").fill("Early")
    page.get_by_role("button", name="Make kit").click()
    page.get_by_role("button", name="Fill bank A").click()
    expect(page.locator("#pad-A1[data-sample]")).to_be_visible()
    return page.url.split("?")[0]


def row_of(page: Page, name: str) -> Locator:
    return page.locator(".rows .row", has_text=name)


def test_nothing_moves_when_scripts_and_fonts_come(page: Page, kit: str) -> None:
    page.set_viewport_size(PHONE)
    page.add_init_script(SUM_OF_SHIFTS)
    for address, is_ready in (("/samples", ".row[data-src]"), (kit, "#kit-library .row[draggable]")):
        with before_the_modules(page, address):
            expect(page.locator(".page-head h1")).to_be_visible()
        expect(page.locator(is_ready).first).to_be_attached()
        page.evaluate("document.fonts.ready")
        page.evaluate("new Promise(requestAnimationFrame)")
        assert page.evaluate("window.shifts") < MAX_SHIFT, address


def test_what_is_pressed_early_in_the_library_is_done_when_it_can_be(page: Page) -> None:
    with before_the_modules(page, "/samples"):
        row_of(page, "Dusty break").locator(".play").click()
        page.get_by_label("select this page").check()
    expect(row_of(page, "Dusty break")).to_have_class(re.compile("sounding"))
    expect(page.locator("#selected")).to_have_text("3 selected")
    expect(page).to_have_url(re.compile("/samples$"))
    with before_the_modules(page, "/samples"):
        row_of(page, "Warm pad").locator("summary").click()
    expect(row_of(page, "Warm pad").get_by_role("button", name="Delete")).to_be_visible()


def test_what_is_typed_early_is_searched_for(page: Page) -> None:
    with before_the_modules(page, "/samples"):
        page.get_by_role("searchbox").fill("break")
        expect(row_of(page, "Warm pad")).to_be_visible()
    expect(page.locator(".rows .row")).to_have_count(1)


def test_play_mode_that_was_turned_on_early_is_on(page: Page, kit: str) -> None:
    with before_the_modules(page, kit):
        page.get_by_role("button", name="Play mode").click()
    expect(page.get_by_role("button", name="Play mode")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Play beat")).to_be_visible()


def test_files_that_were_chosen_early_are_sent(page: Page, tmp_path: Path) -> None:
    (tmp_path / "Early hat.wav").write_bytes(wav(tone(180, 0.2, 12)))
    with before_the_modules(page, "/upload"):
        page.locator("#audio").set_input_files(tmp_path / "Early hat.wav")
    expect(page.locator("#jobs")).to_contain_text("Early hat")


def test_a_page_that_writes_a_card_asks_before_it_is_left(page: Page, library: Producer) -> None:
    address, _ = make_card(library)
    page.add_init_script(AS_CARD)
    page.goto(address)
    page.evaluate(FAIL_AT, ["report.csv", "stuck"])
    page.get_by_role("button", name="Write to a folder").click()
    cancel = page.get_by_role("button", name="Cancel")
    expect(cancel).to_be_visible()
    to_library = page.get_by_role("navigation", name="Main").get_by_role("link", name="Library")
    page.once("dialog", lambda dialog: dialog.dismiss())
    with page.expect_event("dialog") as asked:
        to_library.click(no_wait_after=True)
    assert asked.value.type == "beforeunload"
    expect(cancel).to_be_visible()
    expect(page).to_have_url(re.compile(re.escape(address)))
    cancel.click()
    expect(page.locator('[data-card="state"]')).to_contain_text("Cancelled.")
    to_library.click()  # a question would be answered with no by the browser's driver
    expect(page).to_have_url(re.compile("/samples$"))
