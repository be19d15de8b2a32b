"""Loops render offline in Chromium as the player repeats them: to the sample, without a gap."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.ui.pad_studio import RATE, Audio, open_studio

pytestmark = pytest.mark.ui
FADE = round(0.004 * RATE)

SCRIPT = """
async ({ samples, offset_s, part, length, rate }) => {
  const { LoopVoice } = await import('/js/loop_voice.js');
  const context = new OfflineAudioContext({ numberOfChannels: 1, length, sampleRate: rate });
  const buffer = new AudioBuffer({ length: samples.length, sampleRate: rate });
  buffer.copyToChannel(Float32Array.from(samples), 0);
  new LoopVoice(context).start(buffer, offset_s, part ?? undefined);
  return Array.from((await context.startRendering()).getChannelData(0));
}
"""


@pytest.fixture(scope="module")
def studio(browser: Browser) -> Iterator[Page]:
    with open_studio(browser) as page:
        yield page


def render(
    studio: Page, samples: Audio, length: int, *, first: int = 0, part: tuple[int, int] | None = None
) -> Audio:
    told = {
        "samples": samples.tolist(),
        "offset_s": first / RATE,
        "part": part and [edge / RATE for edge in part],
        "length": length,
        "rate": RATE,
    }
    return np.array(studio.evaluate(SCRIPT, told), dtype=np.float32)


def test_a_loop_repeats_with_a_gap_of_0_samples(studio: Page) -> None:
    loop = np.linspace(0.1, 0.9, 4_801, dtype=np.float32)  # no two samples alike, and none is silent
    heard = render(studio, loop, 4 * len(loop))
    np.testing.assert_array_equal(heard, np.tile(loop, 4))
    amid = render(studio, loop, 3 * len(loop), first=1_000)
    np.testing.assert_allclose(amid[FADE:], np.tile(loop, 4)[1_000 + FADE :][: len(amid) - FADE], atol=1e-6)


def test_a_part_of_a_sound_repeats_with_a_gap_of_0_samples(studio: Page) -> None:
    loop = np.linspace(0.1, 0.9, 4_801, dtype=np.float32)
    heard = render(studio, loop, 6_000, part=(480, 1_440))
    expected = np.concatenate([loop[:1_440], *[loop[480:1_440]] * 5])[:6_000]
    np.testing.assert_array_equal(heard, expected)
