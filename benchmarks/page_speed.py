"""Measure the pages with Lighthouse, at a desk and on a phone: python -m benchmarks.page_speed.

Serves the product with a library of 72 sounds and a kit. Lighthouse is not installed with the product: name
its program by `--lighthouse`, for instance node_modules/.bin/lighthouse of a folder of its own. It slows a
phone down by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page, sync_playwright

from benchmarks.pad_latency import FLAGS
from benchmarks.tables import Table, add_document_option, show_tables
from tests.live import Product
from tests.ui.conftest import sign_in
from tests.ui.stock import stock_library

OF_EACH_CLASS = 4
LEAST = {"desktop": 95, "phone": 90}
MAX_SHIFT = 0.05
PRESETS = {"desktop": ["--preset=desktop"], "phone": []}
CHROME_FLAGS = "--headless=new --no-sandbox"


class Score(NamedTuple):
    """Lighthouse's figures for one page: the medians of all rounds."""

    page: str
    screen: str
    performance: float  # of 100
    largest_paint_ms: float
    blocked_ms: float
    shift: float
    kilobytes: float

    @property
    def is_good(self) -> bool:
        return self.performance >= LEAST[self.screen] and self.shift < MAX_SHIFT


def prepare(page: Page) -> dict[str, str]:
    """Sign in, make a kit, and return the address of each page."""
    sign_in(page)
    page.goto("/kits")
    page.get_by_label("Name").fill("Dusty")
    page.get_by_role("button", name="Make kit").click()
    page.get_by_role("button", name="Fill bank A").click()
    page.locator("#pad-A1:not(.empty)").wait_for()
    kit = page.url.split("?")[0]
    page.goto("/samples")
    sample = page.locator(".row .col-name a").first.get_attribute("href") or ""
    library = {"library": "/samples", "a sound": sample, "upload": "/upload", "home": "/dashboard"}
    return {"landing": "/", **library, "kit": kit}


def measure(program: str, url: str, cookie: str, screen: str) -> tuple[float, ...]:
    """Return the figures of one run of Lighthouse."""
    headers = json.dumps({"Cookie": cookie} if cookie else {})
    options = ["--output=json", "--quiet", "--only-categories=performance", f"--chrome-flags={CHROME_FLAGS}"]
    command = [program, url, *options, *PRESETS[screen], f"--extra-headers={headers}"]
    env = os.environ | {"CHROME_PATH": shutil.which("chromium") or ""}
    report = json.loads(subprocess.run(command, env=env, check=True, capture_output=True).stdout)
    audits = report["audits"]
    names = ("largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")
    paint, blocked, shift = (audits[name]["numericValue"] for name in names)
    weight = audits["total-byte-weight"]["numericValue"] / 1000
    return 100 * report["categories"]["performance"]["score"], paint, blocked, shift, weight


def measure_pages(program: str, rounds: int) -> Iterator[Score]:
    """Serve the product and yield the score of each page on each screen."""
    with tempfile.TemporaryDirectory() as folder, Product(Path(folder) / "data") as product:
        stock_library(product, Path(folder), OF_EACH_CLASS)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            context = browser.new_context(base_url=product.url)
            pages = prepare(context.new_page())
            cookie = "; ".join(f"{each.get('name')}={each.get('value')}" for each in context.cookies())
            browser.close()
        for name, address in pages.items():
            for screen in PRESETS:
                url = address if address.startswith("http") else product.url + address
                sent = "" if name == "landing" else cookie
                runs = [measure(program, url, sent, screen) for _ in range(rounds)]
                score = Score(name, screen, *map(statistics.median, zip(*runs, strict=True)))
                print(score, file=sys.stderr, flush=True)
                yield score


def main() -> int:
    """Print the table; return 1 if a page is slower than it may be, or moves while it loads."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lighthouse", default="lighthouse", help="the program")
    parser.add_argument("--rounds", type=int, default=5)
    add_document_option(parser)
    options = parser.parse_args()
    scores = list(measure_pages(options.lighthouse, options.rounds))
    header = ("page", "screen", "performance", "largest paint ms", "blocked ms", "layout shift", "kB")
    rows = [
        (each.page, each.screen, f"{each.performance:.0f}", f"{each.largest_paint_ms:.0f}",
         f"{each.blocked_ms:.0f}", f"{each.shift:.3f}", f"{each.kilobytes:.0f}")
        for each in scores
    ]  # fmt: skip
    show_tables([Table("pages", header, rows)], options.document)
    return 0 if all(each.is_good for each in scores) else 1


if __name__ == "__main__":
    sys.exit(main())
