"""Measure key to sound in the library beside a bare page with one <audio> and the same file, in one run.

    python -m benchmarks.key_to_sound [--kind one-shot] [--rounds 3]

Serves the product with a library. In turn, a key plays a row that was not fetched before, the row below it,
which was, and the same file on a page that has nothing but an <audio>. Key to sound is the time from the
event of the key to the first sample that is not silent, on the audio clock of the page.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.pad_latency import FLAGS, LISTENER
from tests.live import Product
from tests.ui.conftest import sign_in
from tests.ui.stock import stock_library

OF_EACH_CLASS = 10  # 50 loops, and more one-shots, fill one page of the library
ROWS = 50
STEP = 4  # a row in four is played without having been fetched, and the one below it after that
FETCHING_MS = 1000
SILENCE_MS = 200
MAX_RATIOS = {"a row fetched before": 1.3, "any other row": 2.0}
BARE = "bare page"

# One audio context for all that a page plays, and a listener in front of its output.
PREPARE = """
(() => {
  const context = new AudioContext({ latencyHint: 'interactive', sampleRate: 48000 });
  window.AudioContext = function () { return context; };
  let pressedAt = null;
  window.waits = [];
  const module = URL.createObjectURL(new Blob([`LISTENER`], { type: 'text/javascript' }));
  window.listening = context.audioWorklet.addModule(module).then(() => {
    const listener = new AudioWorkletNode(context, 'first-sample');
    listener.connect(context.destination);
    listener.port.onmessage = ({ data }) => {
      if (pressedAt !== null) window.waits.push((data - pressedAt) * 1000);
      pressedAt = null;
    };
    const { connect } = AudioNode.prototype;
    AudioNode.prototype.connect = function (target, ...others) {
      return connect.call(this, target === context.destination ? listener : target, ...others);
    };
    const { play } = HTMLMediaElement.prototype;
    const sources = new WeakMap();
    HTMLMediaElement.prototype.play = function () {
      if (!sources.has(this)) {
        sources.set(this, context.createMediaElementSource(this));
        sources.get(this).connect(listener);
      }
      return play.call(this);
    };
  });
  addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowDown') return;
    pressedAt = context.currentTime - (performance.now() - event.timeStamp) / 1000;
  }, { capture: true });
})();
"""
PLAY_BARE = """
() => {
  document.body.innerHTML = '<audio></audio>';
  const audio = document.querySelector('audio');
  addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') audio.pause();
    if (key !== 'ArrowDown') return;
    audio.src = window.source;
    audio.play();
  });
}
"""


def measure(kind: str, rounds: int) -> dict[str, list[float]]:
    """Return the times from key to sound in milliseconds."""
    with tempfile.TemporaryDirectory() as folder, Product(Path(folder) / "data") as product:
        stock_library(product, Path(folder), OF_EACH_CLASS)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            bare, library = (open_page(browser, product.url) for _ in range(2))
            times: dict[str, list[float]] = {name: [] for name in (BARE, *MAX_RATIOS)}
            bare.goto("/healthz")
            bare.evaluate("window.listening")
            bare.evaluate(PLAY_BARE)
            for _ in range(rounds):
                library.goto(f"/samples?kind={kind}")
                library.evaluate("window.listening")
                for place in range(0, ROWS - 2, STEP):
                    measure_rows(bare, library, place, times)
            browser.close()
    return times


def open_page(browser: Browser, url: str) -> Page:
    """Return a page of its own visitor, without the policy that would keep the listener out."""
    page = browser.new_context(base_url=url, bypass_csp=True).new_page()
    page.add_init_script(PREPARE.replace("LISTENER", LISTENER))
    sign_in(page)
    return page


def measure_rows(bare: Page, library: Page, place: int, times: dict[str, list[float]]) -> None:
    """Play two rows of the library, and the file of the first on the bare page."""
    rows = library.locator(".rows .row")
    rows.nth(place).focus()
    times["any other row"].append(press(library))
    library.wait_for_timeout(FETCHING_MS)
    times["a row fetched before"].append(press(library))
    source = rows.nth(place + 1).get_attribute("data-src")
    bare.evaluate("(source) => { window.source = source; }", source)
    times[BARE].append(press(bare))


def press(page: Page) -> float:
    """Press the key in silence, and return how many milliseconds later the sound began."""
    page.keyboard.press("Escape")
    page.wait_for_timeout(SILENCE_MS)
    count = page.evaluate("window.waits.length")
    page.keyboard.press("ArrowDown")
    for _ in range(100):
        page.wait_for_timeout(50)
        waits: list[float] = page.evaluate("window.waits")
        if len(waits) > count:
            return waits[-1]
    raise SystemExit("A key was pressed, and nothing was heard for five seconds.")


def main() -> None:
    """Print the times of the three, and the quotients of their medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=("loop", "one-shot"), default="loop")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    times = measure(arguments.kind, arguments.rounds)
    print("| played | presses | median ms | 95 % below ms | of the bare page |\n|---|---|---|---|---|")
    bare = statistics.median(times[BARE])
    for name, each in times.items():
        median, late = statistics.median(each), statistics.quantiles(each, n=20)[-1]
        print(f"| {name} | {len(each)} | {median:.1f} | {late:.1f} | {median / bare:.2f} |")
    if any(statistics.median(times[name]) > most * bare for name, most in MAX_RATIOS.items()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
