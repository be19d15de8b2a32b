"""With an object store, a dropped file goes straight there and not through the web process."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Request, expect

from tests.live import Product
from tests.services.conftest import gate, s3_settings
from tests.services.store_proxy import StoreProxy
from tests.support import PASSWORD, chord, drum_loop, kick
from tests.ui.test_main_job import drop

__all__ = ["gate", "s3_settings"]
pytestmark = [pytest.mark.ui, pytest.mark.services]
SECRET = "a secret for tests, long enough to be taken"


@pytest.fixture
def product(
    tmp_path_factory: pytest.TempPathFactory, s3_settings: dict[str, str], gate: StoreProxy
) -> Iterator[Product]:
    outside = s3_settings | {"S3_ENDPOINT_URL": gate.url, "SECRET_KEY": SECRET, "FREE_TIER_DELAY_S": "0"}
    with Product(tmp_path_factory.mktemp("direct") / "data", **outside) as served:
        served.command("storage", "cors")
        yield served


@pytest.fixture
def sent(page: Page, product: Product) -> list[str]:
    """Collect the path of each request but GETs that the browser sends to the web process."""
    found: list[str] = []

    def collect(request: Request) -> None:
        if request.method != "GET" and request.url.startswith(product.url):
            found.append(request.url.removeprefix(product.url))

    page.on("request", collect)
    return found


def register(page: Page) -> None:
    page.goto("/register")
    page.get_by_label("Email").fill("p@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/upload")


def test_dropped_files_go_straight_to_the_store(
    page: Page, product: Product, gate: StoreProxy, sent: list[str]
) -> None:
    register(page)
    sent.clear()
    sounds = [("Break 93.wav", drum_loop(93)), ("Chord.wav", chord()), ("list.wav", b"%PDF-1.7 nothing")]
    drop(page, sounds)
    expect(page.locator(".card.completed")).to_have_count(2, timeout=60_000)
    expect(page.get_by_text("list.wav is not audio we can read (looks like PDF).")).to_be_visible()
    assert sorted(gate.taken) == sorted((product.url, len(content)) for _, content in sounds)
    ways = {re.sub(r"\w{26}", "ID", path) for path in sent}
    assert ways == {"/upload/links", "/upload/links/ID/job"}
    page.reload()
    drop(page, [("Break again.wav", drum_loop(93))])
    expect(page.locator(".queue-note")).to_have_text("Already in your library: Break 93")


def test_a_retry_goes_through_the_app_when_the_store_refuses_the_file(
    page: Page, gate: StoreProxy, sent: list[str]
) -> None:
    register(page)
    gate.is_shut = True
    drop(page, [("Kick.wav", kick())])
    expect(page.get_by_text("The file didn't reach our storage.")).to_be_visible()
    gate.is_shut = False
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".card.completed", has_text="Kick.wav")).to_be_visible(timeout=60_000)
    assert sent == ["/register", "/upload/links", "/upload"]


def test_a_cancelled_file_does_not_become_a_job(page: Page, product: Product, gate: StoreProxy) -> None:
    register(page)
    page.route(f"{gate.url}/**", lambda _: None)  # the upload never finishes
    drop(page, [("Kick.wav", kick())])
    expect(page.locator(".queue-item")).to_be_visible()
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#tray")).to_be_hidden()
    page.reload()
    expect(page.locator(".card")).to_have_count(0)
    assert gate.taken == []
