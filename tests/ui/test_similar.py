"""Similar samples in a browser: by key, by link, from a selection, and without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.live import Product
from tests.ui.conftest import sign_in

pytestmark = [pytest.mark.ui, pytest.mark.filled]


def test_s_finds_similar_samples_of_the_row_and_leads_on(page: Page) -> None:
    sign_in(page)
    page.goto("/samples?kind=one-shot")
    page.keyboard.press("ArrowDown")
    name = page.locator(".row:focus .col-name a").inner_text()
    page.keyboard.press("s")
    page.wait_for_url(re.compile(r"/samples/\w{26}/similar\?kind=one-shot$"))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Similar to {name}")
    expect(page.locator(".pinned .row .col-name a")).to_have_text(name)
    first = page.url
    expect(page.locator(".pinned .row")).to_have_class(re.compile("playing"))  # as it did on the page before
    page.keyboard.press("ArrowDown")
    expect(page.locator(".rows .row").nth(1)).to_have_class(re.compile("playing"))
    page.keyboard.press("Escape")
    page.goto(first.partition("?")[0])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    other = page.locator(".row:focus .col-name a").inner_text()
    page.keyboard.press("s")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Similar to {other}")


def test_s_on_the_page_of_a_sample_and_in_a_text_field(page: Page) -> None:
    sign_in(page)
    page.goto("/samples")
    page.keyboard.press("/")
    page.keyboard.type("dusty s")
    expect(page.get_by_role("searchbox")).to_have_value("dusty s")
    page.goto("/samples?q=dusty")
    page.get_by_role("link", name="Dusty break", exact=True).click()
    page.wait_for_url(re.compile(r"/samples/\w{26}"))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("find similar samples")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    expect(page.get_by_role("heading", level=1)).to_have_text("Similar to Dusty break")


def test_the_sentence_filters_while_typing(page: Page) -> None:
    sign_in(page)
    page.goto("/samples?q=dusty")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("s")
    page.wait_for_url("**/similar?q=dusty")
    page.locator(".chip", has_text="dusty").click()
    expect(page.locator("tbody:not(.compared) .row")).to_have_count(2)
    page.get_by_role("searchbox").fill("pad")
    expect(page.locator("tbody:not(.compared) .row")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"ask=pad"))
    page.get_by_role("link", name="Timbre").click()
    expect(page).to_have_url(re.compile(r"preset=timbre&ask=pad"))


def test_finding_similar_ones_waits_for_a_selection(page: Page) -> None:
    sign_in(page)
    page.goto("/samples")
    button = page.get_by_role("button", name="Find similar")
    expect(button).to_be_hidden()
    page.get_by_label("select all").check()
    expect(button).to_be_disabled()
    page.get_by_label("select all").uncheck()
    page.get_by_role("checkbox", name="Select Deep kick").check()
    page.get_by_role("checkbox", name="Select Warm pad").check()
    button.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Similar to 2 samples")
    expect(page.locator(".compared .row")).to_have_count(2)
    expect(page.locator("tbody:not(.compared) .row .col-name a")).to_have_text(["Dusty break"])


def test_everything_works_without_javascript(browser: Browser, product: Product) -> None:
    context = browser.new_context(base_url=product.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page)
    page.goto("/samples")
    page.get_by_role("link", name="Dusty break", exact=True).click()
    page.get_by_role("link", name="Find similar").click()
    page.get_by_role("link", name="Rhythm").click()
    expect(page).to_have_url(re.compile(r"/similar\?preset=rhythm$"))
    expect(page.get_by_role("link", name="Rhythm")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="shorter").click()
    expect(page).to_have_url(re.compile(r"/similar\?preset=rhythm&but=shorter$"))
    page.get_by_role("searchbox").fill("kick")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile(r"preset=rhythm&but=shorter"))
    expect(page.locator("tbody:not(.compared) .row .col-name a")).to_have_text(["Deep kick"])
    expect(page.locator("tbody:not(.compared) .reason")).to_contain_text("shorter")
    context.close()
