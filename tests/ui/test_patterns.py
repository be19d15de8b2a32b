"""Patterns of a kit in a browser: a beat is kept and shown again, and a MIDI file is dropped on the page."""

from __future__ import annotations

import base64

import pytest
from playwright.sync_api import Page, expect

from tests.kits.test_patterns import SWUNG
from tests.live import JOB_S
from tests.ui.test_kits import filled_kit

pytestmark = [pytest.mark.ui, pytest.mark.filled]

DROP = """(content) => {
  const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], "Dusty groove.MID"));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""


def test_a_beat_is_kept_and_shown_in_the_steps_again(page: Page) -> None:
    filled_kit(page)
    tools = page.locator("#kit-tools")
    tools.get_by_role("button", name="Play mode").click()
    expect(page.get_by_text("Play with 1234 QWER ASDF ZXCV")).to_be_visible(timeout=JOB_S * 1000)
    keeping = page.locator("#keep-beat")
    keep = keeping.get_by_role("button", name="Save beat as pattern")
    keep.click()
    expect(page.get_by_text("The beat has no step yet.")).to_be_visible()
    steps = [tools.get_by_role("button", name=f"Step {number}", exact=True) for number in range(1, 17)]
    for number in (0, 3, 8):
        steps[number].click()
    tools.get_by_label("Swing").fill("62")
    keeping.get_by_label("Bars").fill("2")
    keeping.get_by_label("Name").fill("Stagger")
    keep.click()
    patterns = page.locator("#patterns")
    expect(patterns.get_by_role("listitem")).to_contain_text("A1 Stagger 2 bars", use_inner_text=True)
    patterns.get_by_role("button", name="Load pattern A1 into the steps").click()
    pressed = tools.locator('[data-step][aria-pressed="true"]')
    expect(pressed).to_have_count(3)
    expect(steps[3]).to_have_attribute("aria-pressed", "true")
    expect(tools.get_by_label("Swing")).to_have_value("62")
    expect(keeping.get_by_label("Pattern")).to_have_value("A1")  # keeping it again replaces it
    expect(keeping.get_by_label("Name")).to_have_value("Stagger")
    patterns.get_by_role("button", name="Delete pattern A1").click()
    expect(patterns.get_by_text("No patterns yet.")).to_be_visible()
    page.get_by_role("button", name="Undo: Delete pattern A1").click()
    expect(patterns.get_by_role("listitem")).to_have_count(1)


def test_a_midi_file_is_dropped_on_the_page_of_a_kit(page: Page) -> None:
    filled_kit(page)
    page.evaluate(DROP, base64.b64encode(SWUNG).decode())
    expect(page.get_by_text("Saved as pattern A1, 1 bar.")).to_be_visible()
    expect(page.locator("#patterns").get_by_role("listitem")).to_contain_text("Dusty groove")
    expect(page.locator("#tray")).to_be_hidden()  # it was not uploaded as a sound
