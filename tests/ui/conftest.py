"""Run a real browser on the product as `make run` serves it. Console errors and page errors fail the test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.live import Producer, Product
from tests.support import chord, drum_loop, kick

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
]
MAC_BROWSERS = ("Chromium", "Google Chrome")
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    on_mac = [f"/Applications/{name}.app/Contents/MacOS/{name}" for name in MAC_BROWSERS]
    found = shutil.which("chromium") or shutil.which("google-chrome")
    program = found or next((path for path in on_mac if Path(path).exists()), None)
    if program is None:
        message = "no Chromium is installed; `make test` installs it or says how"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return browser_type_launch_args | {"executable_path": program, "args": FLAGS}


@pytest.fixture(scope="session")
def filled_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder whose demo account has a few finished samples and one failed job."""
    data = tmp_path_factory.mktemp("filled") / "data"
    with Product(data) as product:
        producer = Producer(product)
        producer.post("/demo")
        header = bytearray(kick())
        header[22:24] = b"\0\0"
        files = (("Dusty break.wav", drum_loop(93)), ("Warm pad.wav", chord()), ("Deep kick.wav", kick()))
        producer.upload(*files, ("no channels.wav", bytes(header)))
        producer.wait_for_jobs(4)
        product.command("admin", "grant", "demo@localhost")
    return data


@pytest.fixture(scope="module")
def product(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Serve the product for a module: with an empty library, or marked `filled` with a few samples in it."""
    data = tmp_path_factory.mktemp("ui") / "data"
    if request.node.get_closest_marker("filled"):
        shutil.copytree(request.getfixturevalue("filled_data"), data)
    with Product(data) as served:
        yield served


@pytest.fixture(scope="module")
def library(product: Product) -> Producer:
    """Return the demo account of a module that is marked `filled`."""
    producer = Producer(product)
    producer.post("/demo")
    return producer


@pytest.fixture
def context(browser: Browser, product: Product) -> Iterator[BrowserContext]:
    made = browser.new_context(base_url=product.url, viewport={"width": 1280, "height": 800})
    browser_errors: list[str] = []
    made.on("page", lambda page: listen(page, browser_errors))
    yield made
    made.close()
    assert browser_errors == []


def listen(page: Page, browser_errors: list[str]) -> None:
    def console(message: ConsoleMessage) -> None:
        # The browser logs every 4xx response; other tests check how the page handles it.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            browser_errors.append(message.text)

    page.on("console", console)
    page.on("pageerror", lambda error: browser_errors.append(str(error)))


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def sign_in(page: Page) -> None:
    page.goto("/sign-in")
    page.get_by_role("button", name="Open the demo account").click()
    page.wait_for_url("**/dashboard")
