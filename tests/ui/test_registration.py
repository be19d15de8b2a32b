"""Register by email on a small phone, with and without JavaScript."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from email.message import Message

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.live import Product
from tests.services.conftest import Inbox, mail_server
from tests.services.test_deployment import text_of
from tests.support import PASSWORD
from tests.ui.conftest import listen

__all__ = ["mail_server"]
pytestmark = [pytest.mark.ui, pytest.mark.services]
SECRET = "a secret for tests, long enough to be taken"


@pytest.fixture
def product(tmp_path_factory: pytest.TempPathFactory, mail_server: tuple[str, Inbox]) -> Iterator[Product]:
    outside = {"SMTP_URL": mail_server[0], "SECRET_KEY": SECRET}
    with Product(tmp_path_factory.mktemp("mail") / "data", **outside) as served:
        yield served


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_registering_confirms_the_mailbox_before_the_password(
    browser: Browser, product: Product, mail_server: tuple[str, Inbox], script: bool
) -> None:
    context = browser.new_context(
        base_url=product.url, viewport={"width": 360, "height": 740}, java_script_enabled=script
    )
    browser_errors: list[str] = []
    context.on("page", lambda page: listen(page, browser_errors))
    page, inbox = context.new_page(), mail_server[1]
    _walk(page, product, inbox, check=script)
    page.context.clear_cookies()
    page.goto("/register")
    page.get_by_label("Email").fill("p@example.com")
    page.get_by_role("button", name="Email me a link").click()
    expect(page.get_by_text("We've emailed you a link.")).to_be_visible()
    assert "You already have an account" in text_of(_mail(inbox, 2))
    context.close()
    assert browser_errors == []


def _walk(page: Page, product: Product, inbox: Inbox, check: bool) -> None:
    page.goto("/register")
    _is_fine(page, check)
    page.get_by_label("Email").fill("p@example.com")
    page.get_by_role("button", name="Email me a link").click()
    expect(page.get_by_text("We've emailed you a link.")).to_be_visible()
    link = re.search(rf"{product.url}/register/\S+", text_of(_mail(inbox, 1)))
    assert link is not None
    page.goto(link.group())
    expect(page.get_by_text("p@example.com")).to_be_visible()
    _is_fine(page, check)
    page.get_by_label("Password").fill("passwordpassword")
    page.get_by_role("button", name="Create account").click()
    expect(page.locator(".error")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/upload")


def _is_fine(page: Page, check: bool) -> None:
    assert page.locator("h1").count() == 1
    if check:
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def _mail(inbox: Inbox, count: int) -> Message:
    until = time.monotonic() + 60
    while len(inbox.messages) < count and time.monotonic() < until:
        time.sleep(0.1)
    return inbox.messages[count - 1]
