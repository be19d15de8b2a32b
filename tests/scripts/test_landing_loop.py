"""The loop of the landing page is small, repeats without a gap, and is what the page says it is."""

from __future__ import annotations

import json

import numpy as np
import soundfile

from app.pages.routes import HEARD_IN_LOOP
from scripts import landing_loop

MAX_BYTES = 100_000
LOOP_START_S = 0.1  # as in static/js/landing.js


def test_the_page_tells_what_the_product_hears_in_the_loop() -> None:
    told = json.loads(HEARD_IN_LOOP.read_text())
    assert told == landing_loop.measure(landing_loop.make_loop())
    assert (told["bpm"], told["key"], told["kind"]) == (landing_loop.BPM, "A minor", "loop")


def test_the_file_is_small_and_goes_on_as_it_began() -> None:
    assert landing_loop.AUDIO.stat().st_size < MAX_BYTES
    samples, rate = soundfile.read(landing_loop.AUDIO)
    length_s = json.loads(HEARD_IN_LOOP.read_text())["length_s"]
    start, length, part = round(LOOP_START_S * rate), round(length_s * rate), round(0.1 * rate)
    first = samples[start : start + part]
    repeated = samples[start + length : start + length + part]
    assert np.sqrt(np.mean((first - repeated) ** 2)) < 0.05 * np.sqrt(np.mean(first**2))
