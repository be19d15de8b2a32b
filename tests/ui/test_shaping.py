"""Shaping and slicing in a browser: on the sample's page, by mouse and key, and without JavaScript."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.live import JOB_S, Product
from tests.ui.conftest import sign_in

pytestmark = [pytest.mark.ui, pytest.mark.filled]
WAIT_MS = JOB_S * 1000


def open_break(page: Page) -> str:
    sign_in(page)
    page.goto("/samples?q=dusty")
    page.get_by_role("link", name="Dusty break", exact=True).click()
    page.wait_for_url(re.compile(r"/samples/\w{26}"))
    return page.url.partition("?")[0]


def test_the_panel_shapes_on_the_page_of_the_sample(page: Page) -> None:
    open_break(page)
    page.get_by_text("Shape: tempo, pitch, trim, level").click()
    page.get_by_label("New tempo (BPM)").fill("100")
    page.get_by_role("button", name="Shape and listen").click()
    after = page.get_by_role("button", name=re.compile("shaped$"))
    expect(after).to_be_visible(timeout=WAIT_MS)
    expect(page.locator("#shaped")).to_contain_text("→ 100 BPM")
    assert Axe().run(page).violations_count == 0
    after.click()
    expect(page.locator("#player [data-player=name]")).to_have_text(re.compile("shaped"))
    expect(page.locator("#shaped .shaped-row").nth(1)).to_have_class(re.compile("sounding"))
    page.locator("#shaped .shaped-row .play").first.click()
    expect(page.locator("#player [data-player=link]")).to_have_attribute(
        "href", re.compile(r"/samples/\w{26}$")
    )
    # The quieter of both plays as it is, the other one turned down to it.
    gains = page.locator("#shaped .shaped-row").evaluate_all("rows => rows.map(row => row.dataset.gain)")
    assert max(float(gain) for gain in gains) == 1.0
    page.get_by_label("New length (s)").fill("2")
    page.get_by_role("button", name="Shape and listen").click()
    expect(page.get_by_role("alert")).to_have_text("Choose a tempo or a length to stretch to, not both.")


def test_a_sound_that_waits_comes_into_the_panel_when_it_is_ready(page: Page, product: Product) -> None:
    open_break(page)
    page.get_by_text("Shape: tempo, pitch, trim, level").click()
    page.get_by_label("Fade out (ms)").fill("9")
    with product.stopped_worker():
        page.get_by_role("button", name="Shape and listen").click()
        expect(page.get_by_role("list", name="Steps")).to_be_visible(timeout=2 * WAIT_MS)
    expect(page.get_by_role("button", name=re.compile("shaped$"))).to_be_visible(timeout=WAIT_MS)


def test_a_sound_that_waits_shows_its_steps_and_can_be_cancelled(page: Page, product: Product) -> None:
    url = open_break(page)
    page.goto(f"{url}/shape")
    page.get_by_label("Fade out (ms)").fill("7")
    with product.stopped_worker():
        page.get_by_role("button", name="Shape and listen").click()
        steps = page.get_by_role("list", name="Steps")
        expect(steps).to_be_visible(timeout=2 * WAIT_MS)
        page.goto(page.url.partition("/shape")[0] + waiting_path(page))
        expect(steps.get_by_text("Stored")).to_have_class("done")
        assert Axe().run(page).violations_count == 0
        page.get_by_role("button", name="Cancel", exact=True).click()
        expect(page.locator("#shaping [role=status]")).to_have_text(
            "Cancelled. The sample itself has not changed."
        )
        assert Axe().run(page).violations_count == 0
    page.get_by_role("link", name="Back to shaping").click()
    expect(page.get_by_label("Fade out (ms)")).to_have_value("7")


def waiting_path(page: Page) -> str:
    """Return the address of the waiting page below that of its sample."""
    address = page.locator("#shaping").get_attribute("hx-get")
    assert address is not None
    return address[address.index("/shape") :]


def test_cuts_are_moved_added_and_removed_by_mouse_and_key(page: Page) -> None:
    url = open_break(page)
    page.goto(f"{url}/chops?by=equal&count=4")
    markers = page.locator(".chop-marker")
    expect(markers).to_have_count(3)
    cuts = page.get_by_label("Cuts, in seconds")
    before = cuts.input_value().split()
    markers.first.focus()
    page.keyboard.press("ArrowRight")
    moved = cuts.input_value().split()
    assert float(moved[1]) == pytest.approx(float(before[1]) + 0.001, abs=2e-4)
    page.keyboard.press("Delete")
    expect(markers).to_have_count(2)
    expect(markers.first).to_be_focused()
    area = page.locator("[data-chops]")
    box = area.bounding_box()
    assert box is not None
    area.dblclick(position={"x": box["width"] * 0.9, "y": 20})
    expect(markers).to_have_count(3)
    expect(page.get_by_role("button", name="Add 4 slices")).to_be_hidden()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 20)
    page.mouse.up()
    length = 4 * float(before[1])
    assert float(cuts.input_value().split()[-1]) == pytest.approx(0.8 * length, abs=0.01 * length)
    page.get_by_role("button", name="Use these cuts").click()
    expect(page.get_by_role("heading", name="4 slices")).to_be_visible()


def test_slices_are_heard_downloaded_and_join_the_library(page: Page) -> None:
    url = open_break(page)
    page.goto(f"{url}/chops?by=equal&count=2")
    with page.expect_download(timeout=WAIT_MS) as download:
        page.get_by_role("button", name="Download ZIP").click()
    assert download.value.suggested_filename.endswith("slices.zip")
    page.get_by_role("button", name="Play slice 2").click()
    page.get_by_role("button", name="Add 2 slices").click()
    page.wait_for_url(re.compile(r"/jobs$"))
    card = page.locator("article.completed", has_text="02 Dusty break")
    expect(card).to_be_visible(timeout=WAIT_MS)
    card.get_by_role("link").first.click()
    expect(page.get_by_text("Cut from Dusty break.")).to_be_visible()


def test_shaping_works_without_javascript(browser: Browser, product: Product) -> None:
    context = browser.new_context(base_url=product.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page)
    page.goto("/samples?q=dusty")
    page.get_by_role("link", name="Dusty break", exact=True).click()
    page.get_by_text("Shape: tempo, pitch, trim, level").click()
    page.get_by_role("link", name="Shape this sound on a page of its own").click()
    page.get_by_label("Reverse").check()
    page.get_by_role("button", name="Shape and listen").click()
    expect(page.locator("#shaped")).to_contain_text("reversed", timeout=WAIT_MS)
    page.get_by_role("link", name="Cut into slices").click()
    page.get_by_label("Maximum slices").fill("3")
    page.get_by_label("Cut at").select_option("equal")
    page.get_by_role("button", name="Find cuts").click()
    expect(page.get_by_role("heading", name="3 slices")).to_be_visible()
    context.close()
