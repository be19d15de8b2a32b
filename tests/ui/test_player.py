"""The player in a browser: sounds start and repeat, play on from page to page, and follow the keys."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.live import Product
from tests.ui.conftest import sign_in
from tests.ui.stock import stock_library

pytestmark = pytest.mark.ui
OF_EACH_CLASS = 6  # 108 sounds, the newest of which are on the first of three pages


@pytest.fixture(scope="module", autouse=True)
def stocked(product: Product, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Put sounds of every class into the demo account's library as rows, with files to play."""
    stock_library(product, tmp_path_factory.mktemp("sounds"), OF_EACH_CLASS)


def sounding(page: Page) -> Locator:
    return page.locator(".row.sounding")


def sound(page: Page, property_name: str) -> object:
    return page.evaluate(f"document.getElementById('sound').{property_name}")


def test_a_loop_repeats_by_its_samples_and_the_bar_shows_it(page: Page) -> None:
    sign_in(page)
    page.goto("/samples?kind=loop")
    page.keyboard.press("ArrowDown")
    assert str(sound(page, "src")).endswith("/audio"), "the source is set before anything is asked"
    expect(sounding(page)).to_have_count(1)
    bar = page.get_by_role("region", name="Player")
    expect(bar.locator("[data-player=total]")).to_have_text("0:04.8")
    expect(bar.locator("[data-player=time]")).to_have_text(re.compile(r"0:00\.[3-9]"))
    expect(page.locator(".row.sounding .playhead")).to_be_visible()
    expect(page.locator("#sound")).to_have_js_property("muted", True)  # the loop is heard from its voice
    page.wait_for_load_state("networkidle")  # the next two are fetched
    page.keyboard.press("ArrowDown")
    assert str(sound(page, "src")).startswith("blob:"), "the next row was fetched before"
    like = bar.get_by_role("button", name="Like this sample")
    like.click()
    expect(page.locator(".row.sounding .like button")).to_have_attribute("aria-pressed", "true")
    expect(like).to_have_attribute("aria-pressed", "true")
    assert Axe().run(page).violations_count == 0
    bar.get_by_role("slider", name="Position").press("Home")
    bar.get_by_role("button", name="Loop").click()
    expect(sounding(page)).to_have_count(0, timeout=9_000)  # after its end
    expect(bar.get_by_role("button", name="Loop")).to_have_attribute("aria-pressed", "false")


def test_the_sound_goes_on_from_page_to_page(page: Page) -> None:
    page.set_viewport_size({"width": 1100, "height": 800})  # a wider one shows the sample beside the list
    sign_in(page)
    page.goto("/samples")
    page.evaluate("window.isSameDocument = true")
    rows = page.locator(".rows .row")
    for count in (100, 108):
        page.locator(".more a").scroll_into_view_if_needed()
        expect(rows).to_have_count(count)
    loop = page.locator('.rows .row[data-loop="1"]').last
    name = loop.locator(".col-name a").first.inner_text()
    loop.locator(".play").click()
    expect(sounding(page)).to_have_count(1)
    loop.focus()
    top = page.evaluate("scrollY")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page).to_have_title(re.compile(f"^{name}"))
    page.keyboard.press(" ")
    expect(page.locator("#sound")).to_have_js_property("paused", True)
    page.keyboard.press(" ")
    page.go_back()
    expect(rows).to_have_count(108)
    expect(loop).to_be_focused()
    expect(loop).to_have_class(re.compile("sounding"))
    assert abs(page.evaluate("scrollY") - top) < 5
    loop.get_by_role("checkbox").check()
    page.locator(".bulk").get_by_role("button", name="Like", exact=True).click()
    expect(page.locator(".notice", has_text="1 sample liked.")).to_be_focused(
        timeout=15_000
    )  # duplicates are searched
    page.get_by_role("link", name="Dashboard").click()
    expect(page.get_by_role("link", name="Dashboard")).to_have_attribute("aria-current", "page")
    page.locator("[data-player=link]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    assert page.evaluate("window.isSameDocument") is True
    assert sound(page, "paused") is False


def test_the_sound_goes_on_through_kits_until_their_pads_are_played(page: Page) -> None:
    sign_in(page)
    page.goto("/samples?kind=loop")
    page.evaluate("window.isSameDocument = true")
    page.locator(".rows .play").first.click()
    expect(sounding(page)).to_have_count(1)
    page.get_by_role("link", name="Kits").click()
    page.get_by_label("Name").fill("Evening")
    page.get_by_role("button", name="Make kit").click()
    play_mode = page.get_by_role("button", name="Play mode")
    page.get_by_role("button", name="Fill bank A").click()
    expect(page.locator("#kit-notices")).to_contain_text("Bank A: ")
    page.get_by_role("link", name="Card", exact=True).click()
    page.get_by_role("button", name="Make card").first.click()
    expect(page.locator("#card-progress")).to_be_visible()
    page.get_by_role("link", name="Evening").click()
    assert sound(page, "paused") is False
    play_mode.click()
    expect(page.get_by_text("Play with 1234 QWER ASDF ZXCV")).to_be_visible(timeout=15_000)
    assert sound(page, "paused") is True
    page.keyboard.down("1")
    expect(page.locator("#pad-A1")).to_have_class(re.compile("held"))
    page.get_by_role("button", name="Play beat").click()
    page.go_back()  # to the card, which its pads are not on
    expect(page.locator("#card-progress")).to_be_visible()
    page.keyboard.up("1")
    page.keyboard.press(" ")
    expect(page.locator("#sound")).to_have_js_property("paused", False)
    page.get_by_role("link", name="Kits").first.click()
    page.get_by_role("link", name="Import a project").click()
    expect(page.get_by_role("heading", name="Import a project")).to_be_focused()
    for key in ("ArrowDown", "x", "Escape", "/", "a", "1"):
        page.keyboard.press(key)  # which the pads would take
    page.get_by_role("link", name="Kits").first.click()
    page.get_by_label("Name").fill("Second")
    page.get_by_role("button", name="Make kit").click()
    expect(play_mode).to_have_attribute("aria-pressed", "false")
    page.locator("#pad-A2").click(modifiers=["Control"])
    expect(page.locator("#pads-selected")).to_have_text("1 pad")
    play_mode.click()
    expect(page.get_by_text("No sound to step")).to_be_visible()
    assert page.evaluate("window.isSameDocument") is True


def test_keys_lead_from_the_search_field_to_the_rows_and_back_to_a_row(page: Page) -> None:
    sign_in(page)
    page.goto("/samples")
    rows = page.locator(".rows .row")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(rows.first).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("kick")
    page.keyboard.press("Enter")  # before the answer is there
    expect(page).to_have_url(re.compile("ask=kick"))
    expect(rows.first).to_be_focused()
    expect(rows.first).to_contain_text("kick")
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    expect(page.get_by_role("searchbox")).to_have_value("kick")
    expect(page.get_by_role("searchbox")).not_to_be_focused()
    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    rows.nth(1).locator("summary").click()
    rows.nth(1).get_by_role("button", name="Delete").press("Enter")
    page.get_by_role("button", name="Undo").press("Enter")
    expect(rows.nth(1).locator(".play")).to_be_visible()
    expect(rows.nth(1)).to_be_focused()


def test_the_list_of_keys_has_what_is_true_on_the_page(page: Page) -> None:
    sign_in(page)
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    lines = ("select a sample", "in the search field", "open the sample")
    for path, told in {"/samples": lines, "/dashboard": lines[2:], "/upload": ()}.items():
        page.goto(path)
        page.keyboard.press("?")
        expect(keys).to_contain_text("show this list")
        assert [line for line in lines if keys.get_by_text(line).is_visible()] == list(told)


def test_a_row_plays_without_javascript_after_three_tabs(browser: Browser, product: Product) -> None:
    context = browser.new_context(base_url=product.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page)
    page.goto("/samples?kind=loop")
    for key in ("Tab", "Enter", "Tab"):
        page.keyboard.press(key)
    expect(page.locator(".rows .row").first.locator(":focus")).to_have_count(1)
    page.locator(".rows .row .play").first.click()
    page.wait_for_url("**/media/*")
    expect(page.locator("video, audio")).to_have_js_property("paused", False)
    expect(page.locator("video, audio")).not_to_have_js_property("currentTime", 0)
    context.close()
