"""Buy, change, cancel and pay for a plan in a browser, with the fake Stripe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.fake_stripe import subscriptions
from tests.fake_stripe.server import FakeStripe
from tests.live import Product
from tests.support import PASSWORD
from tests.ui.test_pages import check

pytestmark = pytest.mark.ui
PHONE: ViewportSize = {"width": 360, "height": 800}


@pytest.fixture
def fake() -> Iterator[FakeStripe]:
    with FakeStripe() as served:
        yield served


@pytest.fixture
def product(tmp_path_factory: pytest.TempPathFactory, fake: FakeStripe) -> Iterator[Product]:
    secret = "a secret for tests, long enough to be taken"
    with Product(tmp_path_factory.mktemp("billing") / "data", SECRET_KEY=secret, **fake.settings) as served:
        fake.webhook_url = f"{served.url}/billing/events"
        yield served


def register(page: Page) -> None:
    page.goto("/register")
    page.get_by_label("Email").fill("p@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/upload")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_plan_is_bought_changed_cancelled_and_resumed(
    page: Page, context: BrowserContext, product: Product, fake: FakeStripe
) -> None:
    register(page)
    check(page, "/billing")
    press(page, "Subscribe to Pro")
    expect(page.get_by_role("heading", name="Fake checkout")).to_be_visible()
    press(page, "declined")
    expect(page.get_by_role("heading", name="Fake checkout")).to_be_visible()
    press(page, "3-D Secure")
    page.wait_for_url("**/billing/welcome")
    expect(page.get_by_text("You are on Pro.")).to_be_visible(timeout=20_000)
    check(page, "/billing")
    expect(page.get_by_text("Next invoice: $15.00")).to_be_visible()
    page.get_by_role("link", name="Change to Enterprise").click()
    expect(page.get_by_text("Charged now: $84.00")).to_be_visible()
    check(page, page.url)
    press(page, "Change to Enterprise")
    expect(page.get_by_text("You are on Enterprise now.")).to_be_visible()
    press(page, "Cancel Enterprise at the end of the billing period")
    expect(page.get_by_text("you keep Enterprise until")).to_be_visible()
    press(page, "Resume Enterprise")
    expect(page.get_by_text("Resumed. Your plan renews as before.")).to_be_visible()


def test_a_failed_renewal_leads_to_the_payment_page(page: Page, product: Product, fake: FakeStripe) -> None:
    register(page)
    page.goto("/billing")
    press(page, "Subscribe to Pro")
    press(page, "paid")
    expect(page.get_by_text("You are on Pro.")).to_be_visible(timeout=20_000)
    with fake.world.lock:
        fake.world.cards[fake.world.all("customer")[0]["id"]] = "declined"
        subscriptions.advance(fake.world, subscriptions.MONTH + 60)
    fake.deliver()
    pay = page.get_by_role("link", name="Pay or confirm it now")
    for _ in range(40):
        page.goto("/billing")
        if pay.is_visible():
            break
        page.wait_for_timeout(250)
    expect(page.get_by_text("You keep your plan while Stripe tries again.")).to_be_visible()
    check(page, "/billing")
    pay.click()
    press(page, "paid")
    for _ in range(40):
        page.goto("/billing")
        if not pay.is_visible():
            break
        page.wait_for_timeout(250)
    expect(pay).to_be_hidden()


def test_a_plan_is_bought_without_javascript_on_a_phone(
    browser: Browser, product: Product, fake: FakeStripe
) -> None:
    context = browser.new_context(base_url=product.url, viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    register(page)
    page.goto("/billing")
    press(page, "Subscribe to Enterprise")
    press(page, "paid")
    expect(page.get_by_text("You are on Enterprise.")).to_be_visible()
    page.goto("/billing")
    page.get_by_role("link", name="Show the next invoice").click()
    expect(page.get_by_text("Next invoice: $99.00")).to_be_visible()
    context.close()
