"""Duplicates in a browser: from the job's card to the page, by keys, in place, and without JavaScript."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.deduplication.copies import encoded, melody, snare
from tests.live import Producer, Product
from tests.ui.conftest import sign_in

pytestmark = pytest.mark.ui

WAITS_S = 60


@pytest.fixture(autouse=True, scope="module")
def copies(product: Product) -> Producer:
    """Upload two recordings, one of them three times and one twice, and wait until they are compared."""
    producer = Producer(product)
    producer.post("/demo")
    sound = np.rint(snare() * 32_767).astype(np.int16)
    producer.upload(
        ("Tune.wav", encoded(melody(), "a.wav", "PCM_24")),
        ("Tune from a phone.mp3", encoded(melody(), "a.mp3")),
        ("Tune quiet.wav", encoded(0.4 * melody(), "a.wav")),
        ("Snare.wav", encoded(sound, "a.wav")),
        ("Snare again.flac", encoded(sound, "a.flac")),
    )
    producer.wait_for_jobs(5)
    until = time.monotonic() + WAITS_S
    while producer.http.get("/duplicates").text.count('class="panel copies"') < 2:
        assert time.monotonic() < until
        time.sleep(0.5)
    return producer


def open_page(page: Page) -> None:
    sign_in(page)
    page.goto("/duplicates")


def undo_everything(page: Page) -> None:
    """Leave the library as the other tests expect it."""
    page.goto("/duplicates")
    while page.locator(".notice").get_by_role("button", name="Undo").count():
        page.locator(".notice").get_by_role("button", name="Undo").first.click()
        page.wait_for_url("**/duplicates")


def test_a_card_leads_to_the_group(page: Page) -> None:
    sign_in(page)
    page.goto("/jobs")
    expect(page.locator("#jobs")).to_contain_text("3 of these are already in your library")
    page.locator(".card").get_by_role("link", name=re.compile("review Snare")).click()
    expect(page.locator(".differs")).to_have_text(["stays · uploaded first", re.compile("same audio, as ")])


def test_the_list_marks_duplicates(page: Page) -> None:
    sign_in(page)
    page.goto("/samples?q=tune")
    expect(page.locator(".again")).to_have_count(3)
    page.locator(".again").first.click()
    expect(page.locator(".copies .row")).to_have_count(3)


def test_rows_are_reached_by_keys_and_play(page: Page) -> None:
    open_page(page)
    page.keyboard.press("ArrowDown")
    expect(page.locator(".row:focus .col-name a")).to_have_text("Tune")
    expect(page.locator(".row").first).to_have_class(re.compile("sounding"))
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(page.locator(".row:focus .col-name a")).to_have_text(re.compile("Snare"))
    page.keyboard.press("l")
    expect(page.locator(".row:focus .like button")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".htmx-settling, .htmx-added, .htmx-request")).to_have_count(0)
    page.keyboard.press("l")
    expect(page.locator(".row:focus .like button")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Escape")


def test_a_group_is_freed_and_brought_back(page: Page) -> None:
    open_page(page)
    tune = page.locator(".copies", has_text="Tune from a phone")
    tune.get_by_role("button", name=re.compile("^Free up .* keep only Tune$")).click()
    expect(page.locator(".done")).to_contain_text("2 samples are in the trash for an hour")
    expect(page.locator("#totals")).to_contain_text("1 recording is in your library more than once")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".notice")).to_contain_text("The samples are back in your library.")
    expect(page.locator(".copies")).to_have_count(2)


def test_another_one_can_be_kept_and_one_told_apart_in_place(page: Page) -> None:
    open_page(page)
    page.get_by_label("More for Tune quiet").click()
    page.get_by_role("button", name="Keep this one instead").locator("visible=true").click()
    first = page.locator(".copies").first
    expect(first.locator(".differs").first).to_have_text("stays · chosen by you")
    expect(first.locator(".col-name a").first).to_have_text("Tune quiet")
    page.get_by_label("More for Tune from a phone").click()
    page.get_by_role("button", name="Not a duplicate").locator("visible=true").click()
    expect(first.locator(".row")).to_have_count(2)
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(first.locator(".row")).to_have_count(3)
    page.get_by_label("More for Tune", exact=True).click()
    page.get_by_role("button", name="Keep this one instead").locator("visible=true").click()
    expect(first.locator(".col-name a").first).to_have_text("Tune")


def test_a_phone_shows_names_differences_and_sizes(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    open_page(page)
    row = page.locator(".copies .row", has_text="Tune from a phone")
    expect(row.locator(".differs")).to_be_visible()
    expect(row.locator(".col-size")).to_be_visible()
    expect(row.locator(".col-wave")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    row.get_by_label("More for").click()
    expect(row.get_by_role("button", name="Keep this one instead")).to_be_in_viewport()


def test_everything_works_without_javascript(browser: Browser, product: Product) -> None:
    context = browser.new_context(base_url=product.url, java_script_enabled=False)
    page = context.new_page()
    open_page(page)
    page.get_by_role("button", name=re.compile("^Free up all")).click()
    expect(page.locator(".notice")).to_contain_text("3 duplicates moved to the trash")
    expect(page.locator(".copies")).to_have_count(0)
    undo_everything(page)
    expect(page.locator(".copies")).to_have_count(2)
    page.locator(".copies").last.get_by_role("button", name="Not duplicates").click()
    expect(page.locator(".copies")).to_have_count(1)
    context.close()
