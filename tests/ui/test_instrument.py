"""A sample's page: its waveform is played, zoomed and looped, and values change where they stand."""

from __future__ import annotations

import re
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.ui.conftest import sign_in

pytestmark = [pytest.mark.ui, pytest.mark.filled]


def open_sample(page: Page, name: str) -> None:
    sign_in(page)
    page.goto("/samples")
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.locator(".instrument[data-is-ready]")).to_be_visible()


def view(page: Page) -> tuple[float, float]:
    """Return the first place and the width of what the waveform shows, of 800."""
    first, _, width, _ = (page.locator(".wave-stage .wave").get_attribute("viewBox") or "").split()
    return float(first), float(width)


def drag(page: Page, start: float, end: float) -> None:
    box = page.locator(".wave-stage").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + start * box["width"], box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], box["y"] + 30, steps=4)
    page.mouse.up()


def position(page: Page) -> float:
    return float(page.locator("[data-wave=position]").inner_text())


def test_a_part_meets_the_beats_and_plays_in_a_loop(page: Page) -> None:
    open_sample(page, "Dusty break")
    expect(page.locator(".wave-legend")).to_contain_text("2 bars 8 beats")
    drag(page, 0.128, 0.248)  # the second beat, not quite
    loop = page.locator("[data-wave=loop-text]")
    expect(loop).to_have_text(re.compile(r"^0\.64\d – 1\.2[89]\d s, 1 beat$"))
    expect(page.locator(".wave-head")).to_be_visible()
    heard, until = [0.6], time.monotonic() + 30
    while heard[-1] >= max(heard):  # from the first time on until it begins again
        assert time.monotonic() < until
        page.wait_for_timeout(100)
        heard += [place] if (place := position(page)) else []  # nothing before it is heard
    assert 0.6 <= min(heard) <= max(heard) < 1.35
    end = page.get_by_role("slider", name="End of the looped part")
    before = float(end.get_attribute("aria-valuenow") or 0)
    end.press("Shift+ArrowRight")
    assert float(end.get_attribute("aria-valuenow") or 0) == pytest.approx(before + 0.01, abs=0.002)
    page.get_by_text("Shape: tempo, pitch, trim, level").click()
    expect(page.get_by_label("Start (s)")).to_have_value(re.compile(r"^0\.64"))
    page.get_by_role("button", name="Stop looping it").click()
    expect(page.locator(".wave-part")).to_be_hidden()
    expect(page.get_by_label("End (s)")).to_have_value("")


def test_zoom_and_position_by_key(page: Page) -> None:
    open_sample(page, "Dusty break")
    assert view(page) == (0, 800)
    for _ in range(4):
        page.keyboard.press("+")
    first, width = view(page)
    assert width == pytest.approx(800 / 1.5**4)
    assert first > 0
    page.get_by_label("Part that is shown").fill("0")
    assert view(page)[0] == 0
    assert Axe().run(page).violations_count == 0
    for _ in range(4):
        page.keyboard.press("-")
    assert view(page) == (0, 800)
    surface = page.get_by_role("slider", name="Playhead")
    surface.press("ArrowRight")  # to the second beat
    expect(page.locator("#player [data-player=name]")).to_have_text("Dusty break")
    expect(page.locator(".wave-head")).to_be_visible()
    page.keyboard.press("[")
    expect(page.locator("[data-wave=loop-text]")).to_contain_text("– 5.161 s")


def test_a_one_shot_has_onsets_and_no_bars(page: Page) -> None:
    open_sample(page, "Deep kick")
    expect(page.locator(".wave-legend")).to_contain_text("onset")
    expect(page.locator(".wave-legend")).not_to_contain_text("bar")
    assert page.locator(".wave-stage .bars, .wave-stage .beats").evaluate_all(
        "paths => paths.map(path => path.getAttribute('d'))"
    ) == ["", ""]


def test_a_value_is_changed_where_it_stands(page: Page) -> None:
    open_sample(page, "Warm pad")
    address = page.url
    value, field = page.locator("#value-tags"), page.locator("#sample-tags")
    value.click()
    expect(field).to_be_focused()
    field.fill("not this")
    field.press("Escape")
    expect(value).to_be_focused()
    expect(value).to_have_text("–")
    value.press("Enter")
    field.fill("slow, mine")
    field.press("Enter")
    expect(value).to_have_text("mine, slow")
    expect(value).to_be_focused()
    page.locator("#value-bpm").click()
    tempo = page.locator("#sample-bpm")
    tempo.fill("")
    tempo.press("Enter")
    expect(page.locator("#value-bpm")).to_have_text("–")
    page.locator("#value-name").click()
    name = page.locator("#sample-name")
    name.fill(" ")
    name.press("Enter")
    expect(page.get_by_text("A sample needs a name.")).to_be_visible()
    expect(name).to_be_focused()
    name.fill("Warm pad")
    name.press("Enter")
    expect(page.locator("#sample-title")).to_have_text("Warm pad")
    assert page.url == address
    page.locator("#vibe-of-energy + dd summary").click()
    expect(page.locator(".why[open] p")).to_contain_text("loudness")
    assert Axe().run(page).violations_count == 0


def test_a_wide_screen_shows_the_sample_beside_the_list(page: Page) -> None:
    sign_in(page)
    page.goto("/samples?ask=loops")
    beside, heading = page.locator("#beside"), page.locator("#beside .sample-title h2")
    page.locator(".rows .row").first.press("Enter")
    expect(heading).to_have_text("Dusty break")
    expect(page).to_have_url(re.compile(r"/samples/\w{26}$"))
    page.locator("#beside .play").click()
    expect(page.locator("#beside .instrument")).to_have_class(re.compile("sounding"))
    expect(page.locator(".rows .row").first).to_have_class(re.compile("sounding"))
    heading.focus()
    page.keyboard.press(" ")
    expect(page.locator(".sounding")).to_have_count(0)
    page.keyboard.press(" ")
    expect(page.locator(".sounding")).to_have_count(2)
    assert page.locator("h1").count() == 1
    page.get_by_role("button", name="Double tempo").click()
    expect(beside.locator("#value-bpm")).to_have_text("186")
    page.get_by_role("button", name="Reset BPM").click()
    expect(beside.locator("#value-bpm")).to_have_text("93")
    assert Axe().run(page).violations_count == 0
    page.go_back()
    expect(beside).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/samples\?ask=loops$"))
    expect(page.locator(".rows .row").first).to_be_focused()
    page.go_forward()
    expect(heading).to_be_visible()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page).to_have_url(re.compile(r"ask=loops$"))
    page.locator(".rows .row").first.evaluate("row => { row.dataset.href = '/samples/' + '0'.repeat(26); }")
    page.locator(".rows .row").first.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")
    page.go_back()
    page.set_viewport_size({"width": 1000, "height": 800})
    page.locator(".rows .row").first.press("Enter")
    expect(page.locator("main > #sample")).to_be_visible()
