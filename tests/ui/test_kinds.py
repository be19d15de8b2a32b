"""Kinds and warnings in a browser: the form works without JavaScript, and a warning has a text."""

from __future__ import annotations

import json
import os
import sqlite3

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.live import Producer, Product
from tests.ui.conftest import sign_in

pytestmark = [pytest.mark.ui, pytest.mark.filled]
MONO = "Left and right cancel out: in mono this sound vanishes."


@pytest.fixture(autouse=True)
def warned(library: Producer, product: Product) -> None:
    """Give one sample of the filled library a warning."""
    with sqlite3.connect(product.data_dir / "library.db", timeout=10) as connection:
        sample_id, measured = connection.execute(
            "SELECT f.sample_id, f.measured FROM audio_features f JOIN samples s ON s.id = f.sample_id "
            "WHERE s.name = 'Warm pad'"
        ).fetchone()
        plain = json.dumps(json.loads(measured) | {"warnings": [MONO]})
        connection.execute("UPDATE audio_features SET measured = ? WHERE sample_id = ?", (plain, sample_id))


def shoot(page: Page, name: str) -> None:
    folder = os.environ.get("SHOTS")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def set_value(page: Page, label: str, choice: str) -> None:
    page.get_by_role("link", name=f"{label}: ").click()
    page.get_by_label(label, exact=True).select_option(choice)
    page.get_by_role("button", name="Save", exact=True).click()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_kind_is_corrected_without_javascript(browser: Browser, product: Product, width: int) -> None:
    context = browser.new_context(
        base_url=product.url, viewport={"width": width, "height": 800}, java_script_enabled=False
    )
    page = context.new_page()
    sign_in(page)
    page.goto("/samples")
    shoot(page, f"list-{width}")
    page.get_by_role("link", name="Dusty break", exact=True).click()
    set_value(page, "Kind", "texture")
    expect(page.get_by_text("BPM was removed, because a texture has none.")).to_be_visible()
    page.get_by_role("link", name="Sound type: –. Change").click()
    expect(page.get_by_label("Sound type", exact=True).locator("option")).to_have_count(1)
    page.get_by_role("link", name="Cancel").click()
    shoot(page, f"texture-{width}")
    set_value(page, "Kind", "loop")
    set_value(page, "Sound type", "full mix")
    expect(page.locator(".headline dd", has_text="full mix").first).to_be_visible()
    shoot(page, f"loop-{width}")
    page.goto("/samples?ask=Warm+pad")
    page.get_by_role("link", name="Warm pad", exact=True).click()
    expect(page.get_by_text(MONO)).to_be_visible()
    shoot(page, f"warned-{width}")
    context.close()


def test_a_warning_has_a_text_and_no_axe_violation(page: Page) -> None:
    sign_in(page)
    page.goto("/samples")
    row = page.locator(".rows .row", has_text="Warm pad")
    expect(row.get_by_title(MONO)).to_be_visible()
    expect(row.get_by_role("img", name=f"Warning: {MONO}")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
