"""Kits in a browser: from the library to a pad by keyboard, in place, on a phone and without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.live import JOB_S, Producer, Product
from tests.ui.conftest import sign_in

pytestmark = [pytest.mark.ui, pytest.mark.filled]
WAIT_MS = JOB_S * 1000


def new_kit(page: Page, name: str) -> None:
    page.goto("/kits")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make kit").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def place(page: Page, name: str) -> None:
    page.get_by_role("button", name=f"Place {name}", exact=True).click()


def test_a_on_a_row_adds_the_sample_to_a_kit(page: Page) -> None:
    sign_in(page)
    new_kit(page, "By key")
    page.goto("/samples?kind=one-shot")
    page.keyboard.press("ArrowDown")
    name = page.locator(".row:focus .col-name a").inner_text()
    page.keyboard.press("a")
    page.wait_for_url(re.compile(r"/kits/add\?sample=\w{26}$"))
    page.get_by_label("Kit", exact=True).select_option("By key")
    page.get_by_label("Pad", exact=True).select_option("A3")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#pad-A3")).to_contain_text(name)


def test_a_pad_is_chosen_once_what_is_on_the_pads_is_known(page: Page) -> None:
    sign_in(page)
    new_kit(page, "Slow pads")
    page.goto("/samples?q=deep+kick")
    page.keyboard.press("ArrowDown")
    held: list[Route] = []
    page.route("**/kits/add/pads*", lambda route: held.append(route), times=1)
    page.keyboard.press("a")
    pad, add = page.get_by_label("Pad", exact=True), page.get_by_role("button", name="Add", exact=True)
    expect(pad).to_be_disabled()
    expect(add).to_be_disabled()  # a form leaves a disabled choice out
    page.get_by_label("Kit", exact=True).select_option("Slow pads")
    held[0].continue_()
    pad.select_option("A3")
    add.click()
    expect(page.locator("#pad-A3")).to_contain_text("Deep kick")


def test_a_sound_is_found_and_placed_and_the_pad_is_set_and_all_is_undone(page: Page) -> None:
    sign_in(page)
    new_kit(page, "In place")
    page.locator("#pad-A6").click()
    panel = page.locator("#pad-panel")
    expect(panel).to_contain_text("Pad A6")
    page.get_by_role("button", name="Library").click()
    page.get_by_role("searchbox").fill("dusty break")
    expect(page.locator("#kit-library .row")).to_have_count(1)
    place(page, "Dusty break")
    expect(page.locator("#pad-A6")).to_have_class("pad loop")
    page.get_by_role("button", name="Pad", exact=True).click()
    panel.locator("#pad-level").fill("90")
    panel.get_by_label("Mute group").select_option("B")
    panel.get_by_role("button", name="Save pad").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(panel.locator("#pad-level")).to_have_value("90")
    expect(page.locator("#pad-A6")).to_contain_text("mute group B")
    page.reload()
    for _ in range(2):
        page.get_by_role("button", name="Undo", exact=False).first.click()
        expect(page.get_by_text("Undone:")).to_be_visible()
    expect(page.locator("#pad-A6")).to_have_class("pad empty")
    page.get_by_role("button", name="Redo: Place Dusty break on A6").click()
    expect(page.locator("#pad-A6")).to_have_class("pad loop")


def test_samples_are_placed_from_beside_the_pads_by_key_and_by_dragging(page: Page) -> None:
    sign_in(page)
    new_kit(page, "Beside")
    page.get_by_role("searchbox").fill("break")
    row = page.locator("#kit-library .row")
    expect(row).to_have_count(1)
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("ArrowDown")
    expect(row).to_be_focused()
    page.keyboard.press("a")
    expect(page.locator("#kit-notices")).to_contain_text("Where does Dusty break go?")
    page.keyboard.press("w")
    first, second = page.locator("#pad-A6"), page.locator("#pad-A12")
    expect(first).to_have_class("pad loop")
    row.drag_to(second)
    expect(second).to_have_class("pad loop")
    first.focus()
    page.keyboard.press("x")
    second.click(modifiers=["Control"])
    page.get_by_role("button", name="Clear", exact=True).click()
    for pad in (first, second):
        expect(pad).to_have_class("pad empty")
    page.get_by_role("button", name="Undo: Clear A6, A12").click()
    for pad in (first, second):
        expect(pad).to_have_class("pad loop")


def test_of_two_windows_the_second_is_told(page: Page) -> None:
    sign_in(page)
    new_kit(page, "Two windows")
    page.locator("#pad-A1").click()
    page.wait_for_url("**/pads/A1*")
    other = page.context.new_page()
    other.goto(page.url)
    for each in (page, other):
        each.get_by_role("button", name="Library").click()
    place(page, "Dusty break")
    expect(page.locator("#pad-A1")).to_have_class("pad loop")
    place(other, "Warm pad")
    expect(other.get_by_role("alert")).to_contain_text("changed in another window")
    expect(other.locator("#pad-A1")).to_contain_text("Dusty break")


def test_on_a_phone_and_without_javascript_a_selection_becomes_a_kit(
    browser: Browser, product: Product, library: Producer
) -> None:
    context = browser.new_context(
        base_url=product.url, viewport={"width": 390, "height": 800}, java_script_enabled=False
    )
    page = context.new_page()
    sign_in(page)
    page.goto("/samples")
    for box in page.locator(".pick").all():
        box.check()
    page.locator("#selection").get_by_role("button", name="Add to kit").click()
    page.get_by_label("Kit", exact=True).select_option(index=0)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".pad.loop, .pad.kick, .pad.tone, .pad.texture, .pad.plain")).to_have_count(3)
    page.locator("#pad-A1").click()
    page.get_by_label("Pan").fill("300")
    page.get_by_role("button", name="Save pad").click()
    expect(page.get_by_text("Pan is a whole number from 0 to 127")).to_be_visible()
    context.close()


def filled_kit(page: Page) -> None:
    """Make a kit of everything on the first page of the library."""
    sign_in(page)
    page.goto("/samples")
    page.locator('[data-action="select-page"]').check()
    page.get_by_role("button", name="Add to kit").click()
    page.get_by_label("Kit", exact=True).select_option(index=0)
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url(re.compile(r"/kits/\w{26}$"))


def test_pads_are_played_by_key_pointer_and_beat(page: Page) -> None:
    filled_kit(page)
    mode = page.get_by_role("button", name="Play mode")
    mode.click()
    expect(page.get_by_text("Play with 1234 QWER ASDF ZXCV")).to_be_visible(timeout=WAIT_MS)
    first, second = page.locator("#pad-A1"), page.locator("#pad-A2")
    page.keyboard.down("1")
    expect(first).to_have_class(re.compile("held"))
    page.keyboard.up("1")
    expect(first).not_to_have_class(re.compile("held"))
    second.hover()
    page.mouse.down()
    expect(second).to_have_class(re.compile("held"))
    page.mouse.up()
    expect(second).not_to_have_class(re.compile("held"))
    expect(page.get_by_text("Steps of A2")).to_be_visible()
    # Keys of the library rest, and a press does not open the pad.
    page.keyboard.press("a")
    second.click()
    expect(page.locator("#pad-panel")).to_contain_text("Open a pad")
    step = page.get_by_role("button", name="Step 3", exact=True)
    step.click()
    expect(step).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Play beat").click()
    expect(page.locator("[data-step].now")).to_have_count(1)
    look_at_another_bank_and_come_back(page)
    # Each finger lets its own pad go, and a key that is released beside a modifier does not stick.
    point(first, "pointerdown", 7)
    point(second, "pointerdown", 8)
    point(first, "pointerup", 7)
    expect(first).not_to_have_class(re.compile("held"))
    expect(second).to_have_class(re.compile("held"))
    page.evaluate("dispatchEvent(new Event('blur'))")
    expect(second).not_to_have_class(re.compile("held"))
    page.keyboard.down("1")
    page.keyboard.down("Alt")
    page.keyboard.up("1")
    page.keyboard.up("Alt")
    expect(first).not_to_have_class(re.compile("held"))
    mode.click()
    expect(mode).to_have_attribute("aria-pressed", "false")
    # The controls of the beat are hidden now, and the beat is over.
    beat = page.locator('[data-kit-control="beat"]')
    expect(beat).to_have_attribute("aria-pressed", "false")
    expect(page.locator("[data-step].now")).to_have_count(0)
    second.click()
    expect(page.locator("#pad-panel")).to_contain_text("Pad A2")


def look_at_another_bank_and_come_back(page: Page) -> None:
    """The beat on A2 plays on, a key that was held is let go, and of bank A only A1 is fetched again."""
    fetched: list[str] = []
    page.on("request", lambda sent: fetched.append(sent.url) if "/audio" in sent.url else None)
    page.keyboard.down("1")
    page.locator("#banks").get_by_role("link", name="Bank B").click()
    expect(page.locator("#pad-B1")).to_be_visible()
    page.keyboard.up("1")
    expect(page.locator("[data-step].now")).to_have_count(1)
    expect(page.get_by_text("No sound to step")).to_be_visible()
    with page.expect_request("**/pads/A1/audio*"):
        page.locator("#banks").get_by_role("link", name="Bank A").click()
    expect(page.locator("#pad-A1")).not_to_have_class(re.compile("held"))
    page.keyboard.press("2")
    expect(page.get_by_role("button", name="Step 3", exact=True)).to_have_attribute("aria-pressed", "true")
    assert not [url for url in fetched if "/pads/A2/" in url]


def point(pad: Locator, event: str, finger: int) -> None:
    pad.dispatch_event(event, {"pointerId": finger, "bubbles": True})


def test_sounds_that_can_not_be_loaded_are_named(page: Page) -> None:
    filled_kit(page)

    def spoil(route: Route) -> None:
        answer = route.fetch()
        bank = answer.json()
        bank["pads"]["A1"]["length_s"] = 301
        route.fulfill(response=answer, json=bank)

    page.route("**/banks/A/sounds", spoil)
    page.route("**/pads/A2/audio", lambda route: route.abort())
    page.get_by_role("button", name="Play mode").click()
    expect(page.get_by_text("Pad A1 holds a sound of more than 5 minutes")).to_be_visible()
    expect(page.get_by_text("The sound of pad A2 can't be loaded.")).to_be_visible()
    expect(page.get_by_text("Play with 1234 QWER ASDF ZXCV")).to_be_visible(timeout=WAIT_MS)


def test_a_pad_dragged_on_a_stale_page_says_why_nothing_was_changed(page: Page) -> None:
    filled_kit(page)
    first, second = page.locator("#pad-A1"), page.locator("#pad-A2")
    page.evaluate("document.getElementById('pads').dataset.revision = '0'")
    first.drag_to(second)
    expect(page.get_by_text("changed in another window")).to_be_visible()
    expect(page.locator("#pads")).not_to_have_attribute("data-revision", "0")


def test_pads_are_exchanged_by_dragging_and_alt_copies(page: Page) -> None:
    filled_kit(page)
    first, second, last = (page.locator(f"#pad-A{number}") for number in (1, 2, 16))
    names = [pad.locator(".pad-name").inner_text() for pad in (first, second)]
    first.drag_to(second)
    expect(first.locator(".pad-name")).to_have_text(names[1])
    expect(second.locator(".pad-name")).to_have_text(names[0])
    page.get_by_role("button", name="Undo").click()
    expect(first.locator(".pad-name")).to_have_text(names[0])
    first.hover()
    page.mouse.down()
    last.hover()
    page.keyboard.down("Alt")
    last.hover()
    page.mouse.up()
    page.keyboard.up("Alt")
    expect(last.locator(".pad-name")).to_have_text(names[0])
    expect(first.locator(".pad-name")).to_have_text(names[0])
