"""The page that writes a memory card asks before it is left while it writes, and not afterwards."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.live import Producer
from tests.ui.conftest import sign_in
from tests.ui.test_cards import AS_CARD, FAIL_AT, make_card

pytestmark = pytest.mark.ui


def test_a_page_that_writes_a_card_asks_before_it_is_left(page: Page, library: Producer) -> None:
    address, _ = make_card(library)
    page.add_init_script(AS_CARD)
    sign_in(page)
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
