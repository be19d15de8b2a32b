"""A page that renders pads offline with the product's engine, and nothing else of the product."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Browser, Page

from app.sp404.pad_settings import PadSettings
from tests.live import ROOT

RATE = 48_000
Audio = npt.NDArray[np.float32]

SCRIPT = """
async ({ sounds, settings, events, length, rate }) => {
  const { PadEngine } = await import('/js/pad_engine.js');
  const context = new OfflineAudioContext({ numberOfChannels: 2, length, sampleRate: rate });
  const engine = new PadEngine(context);
  for (const [name, channels] of Object.entries(sounds)) {
    const buffer = new AudioBuffer({
      numberOfChannels: channels.length, length: channels[0].length, sampleRate: rate,
    });
    channels.forEach((channel, at) => buffer.copyToChannel(Float32Array.from(channel), at));
    engine.setPad(name, buffer, settings[name]);
  }
  for (const [method, pad, at, options] of events) {
    if (method === 'press') engine.press(pad, { at, ...options });
    else if (method === 'panic' || method === 'endSteps') engine[method](at);
    else engine[method](pad, { at, ...options });
  }
  const rendered = await context.startRendering();
  return [Array.from(rendered.getChannelData(0)), Array.from(rendered.getChannelData(1))];
}
"""


@contextmanager
def open_studio(browser: Browser) -> Iterator[Page]:
    """Yield a page that may load our scripts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(ROOT / "static")))
    Thread(target=server.serve_forever, daemon=True).start()
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{server.server_port}/js/")
    try:
        yield page
    finally:
        page.close()
        server.shutdown()


def render_pads(
    studio: Page,
    sounds: dict[str, Audio],
    settings: dict[str, dict[str, Any]],
    *events: tuple[Any, ...],
    length: int = 9_600,
) -> Audio:
    """Return what is heard: frames by channels. Each event is (method, pad, seconds, options)."""
    plain = {
        name: np.atleast_2d(samples.T if samples.ndim == 2 else samples).tolist()
        for name, samples in sounds.items()
    }
    complete = {
        name: PadSettings().changed(settings.get(name, {})).model_dump(mode="json") for name in sounds
    }
    padded = [[*event, *([None, 0, {}][len(event) - 1 :])] for event in events]
    told = {"sounds": plain, "settings": complete, "events": padded, "length": length, "rate": RATE}
    return np.array(studio.evaluate(SCRIPT, told), dtype=np.float32).T


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a line for each request."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
        """Say nothing."""
