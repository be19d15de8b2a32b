"""The library in a browser: audition by keyboard, live search, undo, and the same without JavaScript."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.live import Producer, Product
from tests.support import drum_loop, tone, wav
from tests.ui.conftest import sign_in

pytestmark = [pytest.mark.ui, pytest.mark.filled]
NAMES = ".rows .row .col-name > a"


def test_arrow_keys_move_and_play_and_escape_stops(page: Page) -> None:
    sign_in(page)
    page.goto("/samples")
    rows = page.locator(".rows .row")
    page.keyboard.press("ArrowDown")
    expect(rows.nth(0)).to_be_focused()
    expect(rows.nth(0)).to_have_class(re.compile("sounding"))
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    expect(rows.nth(1)).to_have_class(re.compile("sounding"))
    expect(rows.nth(0)).not_to_have_class(re.compile("playing"))
    page.keyboard.press(" ")
    expect(rows.nth(1)).not_to_have_class(re.compile("sounding"))
    page.keyboard.press(" ")
    expect(rows.nth(1)).to_have_class(re.compile("sounding"))
    page.keyboard.press("Escape")
    expect(rows.nth(1)).not_to_have_class(re.compile("sounding"))
    page.keyboard.press("l")
    expect(rows.nth(1).locator(".like button")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("l")
    expect(rows.nth(1).locator(".like button")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("l?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()


def test_a_loop_loops_and_a_one_shot_does_not(page: Page) -> None:
    sign_in(page)
    page.goto("/samples")
    loop = page.get_by_role("button", name="Loop", exact=True)
    page.get_by_role("button", name="Play Dusty break").click()
    expect(loop).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Play Deep kick").click()
    expect(loop).to_have_attribute("aria-pressed", "false")


def test_clicking_a_waveform_plays_from_there(page: Page) -> None:
    sign_in(page)
    page.goto("/samples")
    wave = page.locator(".row", has_text="Dusty break").locator(".col-wave")
    box = wave.bounding_box()
    assert box is not None
    wave.click(position={"x": box["width"] * 0.5, "y": 10})
    expect(page.locator(".row", has_text="Dusty break")).to_have_class(re.compile("sounding"))
    at = page.evaluate("document.getElementById('sound').currentTime")
    assert 2.3 < at < 4.5


def test_search_filters_while_typing_and_back_works(page: Page) -> None:
    sign_in(page)
    page.goto("/samples")
    page.get_by_role("searchbox").fill("break")
    expect(page.locator(".rows .row")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?ask=break"))
    page.locator(".chip", has_text="break").click()
    expect(page.locator(".rows .row")).to_have_count(3)
    page.go_back()
    expect(page.locator(".rows .row")).to_have_count(1)
    expect(page.get_by_role("searchbox")).to_have_value("break")


def test_deleting_can_be_undone_in_place(page: Page) -> None:
    sign_in(page)
    page.goto("/samples")
    row = page.locator(".row", has_text="Warm pad")
    row.locator("summary").click()
    row.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Warm pad has been deleted.")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".row", has_text="Warm pad").locator(".play")).to_be_visible()


def test_deleting_on_a_phone_keeps_the_width_of_the_columns(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page)
    page.goto("/samples")
    row, other = (page.locator(".row", has_text=name) for name in ("Warm pad", "Dusty break"))
    before = other.locator(".col-name").bounding_box()
    row.locator("summary").click()
    row.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert other.locator(".col-name").bounding_box() == before
    page.get_by_role("button", name="Undo").click()
    expect(row.locator(".play")).to_be_visible()


def test_a_menu_near_the_bottom_opens_upwards(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 480})
    sign_in(page)
    page.goto("/samples")
    page.get_by_role("button", name="Play Dusty break").click()
    row = page.locator(".rows .row").last
    row.locator("summary").click()
    delete, player = row.get_by_role("button", name="Delete"), page.locator("#player")
    expect(delete).to_be_visible()
    box, bar = delete.bounding_box(), player.bounding_box()
    assert box is not None
    assert bar is not None
    assert box["y"] + box["height"] <= bar["y"]


def test_the_bar_waits_for_a_selection(page: Page) -> None:
    sign_in(page)
    page.goto("/samples")
    like = page.get_by_role("button", name="Like", exact=True)
    expect(like).to_be_hidden()
    page.get_by_label("select all").check()
    expect(like).to_be_visible()
    expect(page.get_by_role("button", name="Find similar")).to_be_disabled()
    page.get_by_label("select all").uncheck()
    expect(like).to_be_hidden()


def test_a_range_is_tagged_by_enter_deleted_and_brought_back(page: Page) -> None:
    sign_in(page)
    page.goto("/samples")
    rows = page.locator(".rows .row")
    count = rows.count()
    rows.nth(0).get_by_role("checkbox").click()
    rows.nth(2).locator(".col-kind").click(modifiers=["Shift"])
    expect(page.locator("#selected")).to_have_text("3 selected")
    page.locator(".bulk summary", has_text="Tag").click()
    page.get_by_label("Add tags").fill("mine")
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 samples changed.")).to_be_visible()
    page.goto("/samples?tag=mine")
    expect(rows).to_have_count(3)
    page.get_by_label("select this page").check()
    page.locator(".bulk").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("3 samples deleted.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("3 samples restored.")).to_be_visible()
    expect(rows).to_have_count(count)


def test_rows_are_selected_by_key_or_all_at_once_and_an_offer_comes_first(page: Page) -> None:
    sign_in(page)
    page.goto("/samples")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    expect(page.get_by_role("status").filter(has_text="selected")).to_have_text("1 selected")
    page.get_by_label("select this page").check()
    expect(page.get_by_role("checkbox", name="Select Deep kick")).to_be_checked()
    page.get_by_role("checkbox", name="Select Deep kick").uncheck()
    page.get_by_label("More for the selected samples").click()
    page.get_by_role("button", name="Describe again").click()
    # There is no model, and the rules would write the same words again.
    expect(page.get_by_role("heading", level=1)).to_have_text("Already up to date")
    expect(page.locator("main")).not_to_contain_text("Deep kick")
    expect(page.locator("main")).to_contain_text("so the words would be the same")
    page.get_by_role("link", name="Back to the library").click()
    expect(page).to_have_url(re.compile("/samples$"))


def test_an_open_list_follows_uploads_and_deletes_and_moves_nothing(page: Page, library: Producer) -> None:
    sign_in(page)
    page.goto("/samples")
    rows, found, new = page.locator(".rows .row"), page.locator("#found"), page.locator("#new-count")
    count = rows.count()
    row = page.locator(".row", has_text="Deep kick").first
    row.locator(".col-kind").click()
    expect(page.locator("#selected")).to_have_text("1 selected")
    row.locator(".play").click()
    before = row.bounding_box()
    library.upload(("Late tone.wav", wav(0.5 * tone(330, 0.5, 6))))
    expect(new).to_have_text("1 new", timeout=30_000)
    assert row.bounding_box() == before
    expect(found).to_have_text(f"{count + 1} samples")
    new.click()
    expect(rows.first.locator(".col-name a")).to_have_text("Late tone")
    expect(rows.first).to_be_focused()
    expect(row.get_by_role("checkbox")).to_be_checked()
    rows.first.locator("summary").click()
    rows.first.get_by_role("button", name="Delete").click()
    expect(found).to_have_text(f"{count} samples")
    page.get_by_text("Columns", exact=True).click()
    with page.expect_response("**/columns"):
        page.get_by_label("Waveform").uncheck()
    expect(row.locator(".wave")).to_be_hidden()
    page.reload()
    expect(row.locator(".wave")).to_be_hidden()
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("Waveform").check()
    expect(row.locator(".wave")).to_be_visible()


def test_corrections_on_the_page_of_a_sample(page: Page) -> None:
    sign_in(page)
    page.goto("/samples?q=dusty")
    page.get_by_role("link", name="Dusty break", exact=True).click()
    headline, vibe = page.locator(".headline"), page.get_by_role("region", name="Vibe")
    page.get_by_role("button", name="Double tempo").click()
    expect(headline).to_contain_text("186")
    expect(headline).to_contain_text("yours measured: 93 BPM")
    expect(vibe).to_contain_text("at 186 BPM")  # the rules rewrite their description
    vibe.get_by_text("Correct the vibe").click()
    vibe.get_by_label("Mood 1").select_option("sunny")
    vibe.get_by_role("textbox", name="Energy").fill("loud")
    page.get_by_role("button", name="Save vibe").click()
    expect(vibe.get_by_text("Enter a whole number from 0 to 100.")).to_be_visible()
    expect(vibe.get_by_label("Mood 1")).to_have_value("sunny")
    vibe.get_by_role("textbox", name="Energy").fill("77")
    page.get_by_role("button", name="Save vibe").click()
    expect(vibe).to_contain_text("sunny")
    vibe.get_by_text("Correct the vibe").click()
    assert Axe().run(page).violations_count == 0
    page.get_by_role("button", name="Reset BPM").click()
    expect(headline).to_contain_text("93")
    page.get_by_role("button", name="Reset all my corrections").click()
    expect(page.locator(".correction")).to_have_count(0)


def test_everything_works_without_javascript(browser: Browser, product: Product) -> None:
    context = browser.new_context(base_url=product.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page)
    page.goto("/upload")
    page.get_by_label("Drop sounds, folders or ZIPs here, or choose files").set_input_files(
        {"name": "No script.wav", "mimeType": "audio/wav", "buffer": drum_loop(101)}
    )
    page.get_by_role("button", name="Upload").click()
    card = page.locator(".card.completed", has_text="No script.wav")
    expect(card).to_be_visible(
        timeout=30_000
    )  # without JavaScript the page reloads itself while a job is unfinished
    page.goto("/samples")
    page.get_by_role("searchbox").fill("script")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(NAMES)).to_have_text(["No script"])
    like = page.get_by_role("button", name="Like No script")
    like.click()
    expect(like).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="No script", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="SP-404MKII WAV").click()
    assert download.value.suggested_filename == "No script 101.wav"
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("No script")
    page.get_by_role("button", name="Delete").click()
    context.close()
