"""Measure the pages with Lighthouse, at a desk and on a phone, beside an older version of the product.

python -m benchmarks.page_speed --lighthouse PROGRAM [--before REVISION] [--rounds 5]

Serves the product with a library of 72 sounds and a kit. Lighthouse is not installed with the product: name
its program by `--lighthouse`, for instance node_modules/.bin/lighthouse of a folder of its own. It slows a
phone down by itself. An older version gets the same files over HTTP, and the two are measured in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.pad_latency import FLAGS
from benchmarks.rolling_upgrade.versions import check_out
from benchmarks.tables import Table, add_document_option, show_tables
from tests.live import ROOT, Producer, Product
from tests.support import drum_loop, kick, noise, tone, wav
from tests.ui.conftest import sign_in

KINDS, OF_EACH_KIND = 4, 18
FILL_S = 600
LEAST = {"desktop": 95, "phone": 90}
MAX_SHIFT = 0.05
ATTEMPTS = 3  # a browser sometimes does not start
PRESETS = {"desktop": ["--preset=desktop"], "phone": []}
CHROME_FLAGS = "--headless=new --no-sandbox"
NOW, BEFORE = "now", "before"


class Figures(NamedTuple):
    """Lighthouse's figures for a page, of one run or as medians of several."""

    performance: float  # of 100
    largest_paint_ms: float
    blocked_ms: float
    shift: float
    kilobytes: float

    def are_good(self, screen: str) -> bool:
        """Return whether a page scores what it has to on this screen, and keeps still while it loads."""
        return self.performance >= LEAST[screen] and self.shift < MAX_SHIFT


def fill(product: Product) -> None:
    """Upload loops and one-shots to the demo account, and wait until they are in its library."""
    producer = Producer(product)
    producer.post("/demo")
    for number in range(OF_EACH_KIND):
        pitch = 60 * 1.05**number
        producer.upload(
            (f"Dusty break {number}.wav", drum_loop(80 + number)),
            (f"Kick {number}.wav", kick() + bytes(2 * number)),
            (f"Bass {number}.wav", wav(tone(pitch, 1, 3))),
            (f"Hat {number}.wav", wav(0.3 * noise(0.2, 20 + number))),
        )
    until = time.monotonic() + FILL_S
    while _count_samples(product) < KINDS * OF_EACH_KIND:
        assert time.monotonic() < until, product.log
        time.sleep(1)


def _count_samples(product: Product) -> int:
    with closing(sqlite3.connect(product.data_dir / "library.db", timeout=30)) as database:
        count: int = database.execute("SELECT count(*) FROM samples").fetchone()[0]
        return count


def addresses(page: Page) -> dict[str, str]:
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
    base = kit.split("/kits/")[0]
    library = {"library": "/samples", "a sound": sample, "upload": "/upload", "home": "/dashboard"}
    return {"landing": f"{base}/"} | {name: base + path for name, path in library.items()} | {"kit": kit}


def prepare(product: Product) -> tuple[dict[str, str], str]:
    """Fill a product; return its pages' addresses and the cookie of the demo account."""
    fill(product)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        context = browser.new_context(base_url=product.url)
        pages = addresses(context.new_page())
        cookie = "; ".join(f"{each.get('name')}={each.get('value')}" for each in context.cookies())
        browser.close()
    return pages, cookie


def measure(program: str, url: str, cookie: str, screen: str) -> Figures:
    """Return the figures of one run of Lighthouse."""
    headers = json.dumps({"Cookie": cookie} if cookie else {})
    options = ["--output=json", "--quiet", "--only-categories=performance", f"--chrome-flags={CHROME_FLAGS}"]
    command = [program, url, *options, *PRESETS[screen], f"--extra-headers={headers}"]
    env = os.environ | {"CHROME_PATH": shutil.which("chromium") or ""}
    for _ in range(ATTEMPTS):
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        if not done.returncode:
            break
        print(f"Lighthouse failed on {url}: {done.stderr[-2000:]}", file=sys.stderr, flush=True)
    report = json.loads(done.stdout)
    audits = report["audits"]
    names = ("largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")
    paint, blocked, shift = (audits[name]["numericValue"] for name in names)
    weight = audits["total-byte-weight"]["numericValue"] / 1000
    return Figures(100 * report["categories"]["performance"]["score"], paint, blocked, shift, weight)


def measure_pages(
    program: str, rounds: int, checkouts: dict[str, Path]
) -> Iterator[tuple[str, str, dict[str, Figures]]]:
    """Serve each version, and yield a page, a screen and the medians of each version."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as served:
        prepared = {}
        for name, checkout in checkouts.items():
            product = Product(Path(folder) / name)
            product.checkout = checkout
            prepared[name] = prepare(served.enter_context(product))
        for page in next(iter(prepared.values()))[0]:
            for screen in PRESETS:
                runs: dict[str, list[Figures]] = {name: [] for name in prepared}
                for _ in range(rounds):
                    for name, (pages, cookie) in prepared.items():
                        sent = "" if page == "landing" else cookie
                        runs[name].append(measure(program, pages[page], sent, screen))
                medians = {name: Figures(*np.median(found, axis=0)) for name, found in runs.items()}
                print(page, screen, medians, file=sys.stderr, flush=True)
                yield page, screen, medians


def main() -> int:
    """Print the table; return 1 if a page is slower than it may be, or moves while it loads."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lighthouse", default="lighthouse", help="the program")
    parser.add_argument("--before", metavar="REVISION", help="an older version to measure beside this one")
    parser.add_argument("--rounds", type=int, default=5)
    add_document_option(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as older:
        checkouts = {NOW: ROOT}
        if options.before:
            checkouts[BEFORE] = check_out(options.before, Path(older))
        found = list(measure_pages(options.lighthouse, options.rounds, checkouts))
    header = (
        "page", "screen", "version", "performance", "largest paint ms", "blocked ms", "layout shift", "kB",
    )  # fmt: skip
    rows = [
        (page, screen, version, f"{each.performance:.0f}", f"{each.largest_paint_ms:.0f}",
         f"{each.blocked_ms:.0f}", f"{each.shift:.3f}", f"{each.kilobytes:.0f}")
        for page, screen, versions in found for version, each in versions.items()
    ]  # fmt: skip
    show_tables([Table("pages", header, rows)], options.document)
    return 0 if all(versions[NOW].are_good(screen) for _, screen, versions in found) else 1


if __name__ == "__main__":
    sys.exit(main())
