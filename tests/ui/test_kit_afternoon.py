"""An afternoon with a kit: filled, shuffled, swapped, chopped, played while it changes, and undone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.live import JOB_S, Product
from tests.ui.conftest import sign_in
from tests.ui.stock import stock_library

pytestmark = pytest.mark.ui
OF_EACH_CLASS = 7  # 126 sounds
RECIPES = {"A": "Boom bap", "B": "MPC", "C": "GM drums", "D": "Breaks", "E": "Loops in key"}
WAIT_MS = JOB_S * 1000


@pytest.fixture(scope="module", autouse=True)
def stocked(product: Product, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Put sounds of every class into the demo account's library as rows, with files to play."""
    stock_library(product, tmp_path_factory.mktemp("sounds"), OF_EACH_CLASS)


def names(page: Page) -> dict[str, str]:
    """Return what each pad of the open bank is called."""
    pads = page.locator("#pads .pad[data-sample]")
    return {pad.get_attribute("data-pad") or "": pad.locator(".pad-name").inner_text() for pad in pads.all()}


def notice(page: Page, words: str) -> None:
    expect(page.locator("#kit-notices")).to_contain_text(words)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


@contextmanager
def changed(page: Page) -> Iterator[None]:
    """Wait until the page shows the kit after a change."""
    revision = page.locator("#pads").get_attribute("data-revision") or ""
    yield
    expect(page.locator("#pads")).not_to_have_attribute("data-revision", revision)


def step_number(page: Page) -> str:
    now: Locator = page.locator("[data-step].now")
    return now.get_attribute("data-step") or ""


def check_page(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_an_afternoon_with_a_kit(page: Page) -> None:
    sign_in(page)
    page.goto("/kits")
    page.get_by_label("Name").fill("Afternoon")
    press(page, "Make kit")
    fill_every_bank(page)
    lock_and_shuffle(page)
    chop_a_pad(page)
    play_and_swap(page)
    undo_and_redo(page)
    check_page(page)
    page.set_viewport_size({"width": 390, "height": 800})
    page.reload()
    play_on_a_phone(page)
    check_page(page)


def fill_every_bank(page: Page) -> None:
    for bank, recipe in RECIPES.items():
        open_bank(page, bank)
        page.get_by_label("Recipe").select_option(recipe)
        press(page, f"Fill bank {bank}")
        notice(page, f"Bank {bank}: ")
        held = names(page)
        assert len(held) >= 8, (recipe, held)
        assert len(set(held.values())) == (1 if recipe == "Breaks" else len(held)), "a sound is there once"
    open_bank(page, "A")


def open_bank(page: Page, bank: str) -> None:
    page.locator("#banks").get_by_role("link", name=f"Bank {bank}").click()
    expect(page.locator(f"#pad-{bank}1")).to_be_visible()
    expect(page.locator(".htmx-settling, .htmx-added, .htmx-request")).to_have_count(0)


def lock_and_shuffle(page: Page) -> None:
    page.locator("#pad-A1").click(modifiers=["Control"])
    page.locator("#pad-A3").click(modifiers=["Shift"])
    expect(page.locator("#pads-selected")).to_have_text("3 pads")
    press(page, "Lock")
    notice(page, "Locked A1, A2, A3.")
    before = names(page)
    press(page, "Shuffle unlocked pads")
    notice(page, "pads shuffled")
    after = names(page)
    assert [after[pad] for pad in ("A1", "A2", "A3")] == [before[pad] for pad in ("A1", "A2", "A3")]
    assert after != before
    page.keyboard.press("Escape")


def chop_a_pad(page: Page) -> None:
    page.locator("#pads .pad.loop").first.click()
    panel = page.locator("#pad-panel")
    expect(panel.get_by_role("slider", name="End")).to_be_visible()
    for number in range(2, 5):
        press(page, "Add a chop")
        expect(panel.get_by_role("slider", name=f"Chop {number}")).to_be_focused()
    page.keyboard.press("PageDown")
    page.keyboard.press("ArrowRight")
    panel.get_by_role("slider", name="Start").focus()
    page.keyboard.press("PageUp")
    expect(panel.get_by_label("Start", exact=True).and_(page.locator("input"))).not_to_have_value("0")
    drag_end(panel)
    press(page, "Hear it")
    expect(page.locator("[data-pad-hear]")).to_have_attribute("aria-pressed", "true", timeout=WAIT_MS)
    press(page, "Save pad")
    notice(page, "Saved.")
    expect(page.locator("#pads .pad[data-chop-count='4']")).to_have_count(1)


def drag_end(panel: Locator) -> None:
    """Drag the end to the left; the field says where it snapped to."""
    end = panel.get_by_role("slider", name="End")
    wave = panel.locator("[data-pad-wave]").bounding_box()
    assert wave is not None
    end.hover(position={"x": 2, "y": 20})  # waits until the handles are drawn again after the last move
    mouse = panel.page.mouse
    mouse.down()
    mouse.move(wave["x"] + wave["width"] * 0.9, wave["y"] + 20)
    mouse.up()
    expect(panel.locator("[name='pad-end']")).to_have_value(re.compile(r"\d+"))


def play_and_swap(page: Page) -> None:
    page.evaluate("window.isSamePage = true")
    press(page, "Play mode")
    expect(page.get_by_text("Play with 1234 QWER ASDF ZXCV")).to_be_visible(timeout=WAIT_MS)
    page.get_by_label("Groove").select_option("Boom bap")
    page.keyboard.press("1")
    page.get_by_role("button", name="Step 4", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Step 4", exact=True)).to_have_attribute("aria-pressed", "true")
    press(page, "Play beat")
    swapped = page.locator("#pad-A5")
    name = swapped.locator(".pad-name").inner_text()
    page.get_by_role("button", name="Swap with").click()
    swapped.focus()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.extend(re.findall(r"/pads/(\w+)/audio$", request.url)))
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        with changed(page):
            page.keyboard.press(key)
        expect(swapped).to_be_focused()
    expect(swapped.locator(".pad-name")).not_to_have_text(name)
    first = step_number(page)
    expect(page.locator("[data-step].now")).not_to_have_attribute("data-step", first)
    assert page.evaluate("window.isSamePage"), "the page was not loaded again"
    assert set(fetched) == {"A5"}, "only the changed pad was"
    play_chops(page)
    press(page, "Play mode")


def play_chops(page: Page) -> None:
    chopped = page.locator("#pads .pad[data-chop-count='4']")
    place = int((chopped.get_attribute("data-pad") or "A1")[1:]) - 1
    page.keyboard.press("1234qwerasdfzxcv"[place])
    press(page, f"Play the 4 chops of A{place + 1}")
    expect(page.locator("#pads .pad[data-chop]")).to_have_count(4)
    page.keyboard.down("3")
    expect(page.locator("#pad-A3")).to_have_class(re.compile("held"))
    page.keyboard.up("3")
    page.keyboard.down("q")  # there is no fifth chop
    expect(page.locator("#pads .pad.held")).to_have_count(0)
    page.keyboard.up("q")


def undo_and_redo(page: Page) -> None:
    swapped = page.locator("#pad-A5 .pad-name")
    name = swapped.inner_text()
    for _ in range(3):
        with changed(page):
            page.get_by_role("button", name="Undo: Swap A5").click()
    expect(page.get_by_role("button", name=re.compile("^Undo: Set A"))).to_be_visible()
    for _ in range(3):
        with changed(page):
            page.get_by_role("button", name="Redo: Swap A5").click()
    expect(swapped).to_have_text(name)
    held = names(page)
    page.reload()
    assert names(page) == held


def play_on_a_phone(page: Page) -> None:
    expect(page.locator("#pads .pad[data-sample]").first).to_be_in_viewport()
    press(page, "Play mode")
    expect(page.get_by_text("Play with 1234 QWER ASDF ZXCV")).to_be_visible(timeout=WAIT_MS)
    pad = page.locator("#pad-A2")
    pad.dispatch_event("pointerdown", {"pointerId": 7, "pointerType": "touch", "bubbles": True})
    expect(pad).to_have_class(re.compile("held"))
    pad.dispatch_event("pointerup", {"pointerId": 7, "pointerType": "touch", "bubbles": True})
    expect(pad).not_to_have_class(re.compile("held"))
    press(page, "Play mode")
    pad.click()
    expect(page.locator("#pad-title")).to_be_in_viewport()
