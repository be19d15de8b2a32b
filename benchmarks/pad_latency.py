"""Measure press-to-start of our pad engine beside a bare WebAudio page, in one browser and one run.

    python -m benchmarks.pad_latency [--presses 200]

Each page has 16 sounds and plays one for each key that is pressed. Press-to-start is the time from the key's
event to the first sample that is not silent, on the audio clock. The pages take turns, so that both meet the
same machine.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from playwright.sync_api import Page, sync_playwright

from app.sp404.pad_settings import PadSettings

STATIC = Path(__file__).resolve().parent.parent / "static"
FLAGS = ["--no-sandbox", "--mute-audio", "--autoplay-policy=no-user-gesture-required"]
MAX_RATIO = 1.2
KEYS = "1234qwerasdfzxcv"

# Tells in which frame of the audio clock a sound first comes after a silence.
LISTENER = """
registerProcessor('first-sample', class extends AudioWorkletProcessor {
  quiet = 1000;
  process([[samples]]) {
    if (!samples) this.quiet += 128; // nothing is connected
    else for (let at = 0; at < samples.length; at += 1) {
      if (samples[at] !== 0) {
        if (this.quiet > 400) this.port.postMessage((currentFrame + at) / sampleRate);
        this.quiet = 0;
      } else this.quiet += 1;
    }
    return true;
  }
});
"""
PREPARE = """
async ({ isEngine, settings, keys }) => {
  const context = new AudioContext({ latencyHint: 'interactive', sampleRate: 48000 });
  await context.audioWorklet.addModule('/listener.js');
  const listener = new AudioWorkletNode(context, 'first-sample');
  listener.connect(context.destination);
  const buffers = [...keys].map(() => {
    const buffer = new AudioBuffer({ length: 2400, sampleRate: 48000 });
    buffer.getChannelData(0).fill(0.5);
    return buffer;
  });
  let play = (place) => {
    const source = new AudioBufferSourceNode(context, { buffer: buffers[place] });
    source.connect(listener);
    source.start();
  };
  if (isEngine) {
    const { PadEngine } = await import('/js/pad_engine.js');
    const engine = new PadEngine(context, listener);
    buffers.forEach((buffer, place) => engine.setPad(`A${place + 1}`, buffer, settings));
    play = (place) => engine.press(`A${place + 1}`);
  }
  window.waits = [];
  let pressedAt = null;
  listener.port.onmessage = ({ data }) => {
    if (pressedAt !== null) window.waits.push((data - pressedAt) * 1000);
    pressedAt = null;
  };
  addEventListener('keydown', (event) => {
    pressedAt = context.currentTime - (performance.now() - event.timeStamp) / 1000;
    play(keys.indexOf(event.key));
  });
}
"""


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a line for each request."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
        """Say nothing."""


def measure(presses: int) -> dict[str, list[float]]:
    """Return the press-to-start times of both pages in milliseconds."""
    settings = PadSettings(gate=False, one_shot=True).model_dump(mode="json")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        shutil.copytree(STATIC / "js", Path(folder) / "js")
        (Path(folder) / "listener.js").write_text(LISTENER)
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=folder))
        Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        pages = {name: browser.new_page() for name in ("bare page", "pad engine")}
        for name, page in pages.items():
            page.goto(f"http://127.0.0.1:{server.server_port}/js/")
            page.evaluate(PREPARE, {"isEngine": name == "pad engine", "settings": settings, "keys": KEYS})
        for number in range(presses):
            for page in pages.values():
                press(page, KEYS[number % len(KEYS)])
        times = {name: page.evaluate("window.waits") for name, page in pages.items()}
        browser.close()
        server.shutdown()
    return times


def press(page: Page, key: str) -> None:
    """Press a key and wait until its sound is over."""
    page.keyboard.press(key)
    page.wait_for_timeout(80)


def main() -> None:
    """Print both pages' times, and the quotient of their medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--presses", type=int, default=200)
    times = measure(parser.parse_args().presses)
    print("| page | presses | median ms | 95 % below ms |\n|---|---|---|---|")
    for name, each in times.items():
        figures = f"{statistics.median(each):.2f} | {statistics.quantiles(each, n=20)[-1]:.2f}"
        print(f"| {name} | {len(each)} | {figures} |")
    bare, engine = (statistics.median(each) for each in times.values())
    print(f"\nThe engine takes {engine / bare:.2f} times as long as the bare page.")
    if engine / bare > MAX_RATIO:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
