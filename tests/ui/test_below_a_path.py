"""Below a path, behind nginx that takes it away: the library plays, and a kit opens and sounds."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.live import Product, free_port
from tests.services.conftest import program, wait_until
from tests.ui.stock import stock_library

pytestmark = [pytest.mark.ui, pytest.mark.services, pytest.mark.timeout(300)]
PATH = "/sampler"
PROXY = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
{user}
events {{ }}
http {{
    client_body_temp_path {folder}/client; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    access_log off;
    server {{
        listen 127.0.0.1:{port};
        proxy_set_header Host              $http_host;
        proxy_set_header X-Forwarded-For   $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host  $http_host;
        location {path}/ {{ proxy_pass {behind}/; }}
    }}
}}
"""


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Run the product behind nginx, with a library of 18 sounds."""
    port, folder = free_port(), tmp_path_factory.mktemp("below")
    address = f"http://127.0.0.1:{port}{PATH}"
    made = Product(folder / "data", BASE_URL=address, TRUSTED_PROXIES="1")
    texts = {"folder": folder, "port": port, "path": PATH, "behind": made.url}
    (folder / "nginx.conf").write_text(PROXY.format(**texts, user="user root;" if os.getuid() == 0 else ""))
    with made:
        nginx = subprocess.Popen([program("nginx"), "-c", str(folder / "nginx.conf")])
        try:
            wait_until(lambda: httpx.get(f"{address}/healthz").raise_for_status(), "nginx")
            made.url = address
            stock_library(made, folder, 1)
            yield made
        finally:
            nginx.terminate()
            nginx.wait(20)


def test_the_library_plays_and_a_kit_opens_and_sounds(page: Page, product: Product) -> None:
    """The page has no error in its console; that is checked where the browser is closed."""
    page.goto(product.env["BASE_URL"])
    page.get_by_role("link", name="Sign in").first.click()
    page.get_by_role("button", name="Open the demo account").click()
    page.wait_for_url(f"**{PATH}/dashboard")
    page.get_by_role("link", name="Library").first.click()
    page.locator(".rows .play").first.click()
    expect(page.locator(".row.sounding")).to_have_count(1)
    expect(page.locator("[data-player=time]")).not_to_have_text("0:00.0")
    page.get_by_role("searchbox").fill("kick")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"{PATH}/samples\\?.*ask=kick"))
    page.get_by_role("link", name="Kits").click()
    page.get_by_label("Name").fill("Evening")
    page.get_by_role("button", name="Make kit").click()
    page.get_by_role("button", name="Fill bank A").click()
    expect(page.locator("#kit-notices")).to_contain_text("Bank A: ")
    page.get_by_role("button", name="Play mode").click()
    expect(page.get_by_text("Play with 1234 QWER ASDF ZXCV")).to_be_visible()
    page.keyboard.down("1")
    expect(page.locator("#pad-A1")).to_have_class(re.compile("held"))
    page.keyboard.up("1")
    assert page.url.startswith(product.env["BASE_URL"])
