"""Pads render offline in Chromium as their settings say: to the sample, and without a click at a cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.ui.pad_studio import RATE, Audio, open_studio, render_pads

pytestmark = pytest.mark.ui
CUT = round(0.004 * RATE)
QUIET = 0.001  # -60 dB

Render = Callable[..., Audio]


@pytest.fixture(scope="module")
def sound() -> Audio:
    """A sweep in which no two frames are alike."""
    time = np.arange(4_800) / RATE
    return (0.4 * np.sin(2 * np.pi * (200 + 4_000 * time) * time) + 0.2 * time).astype(np.float32)


@pytest.fixture(scope="module")
def studio(browser: Browser) -> Iterator[Page]:
    with open_studio(browser) as page:
        yield page


@pytest.fixture
def render(studio: Page) -> Render:
    return partial(render_pads, studio)


def silence_after(heard: Audio, frame: int) -> bool:
    return bool(np.abs(heard[frame:]).max() < QUIET)


def test_a_pad_plays_its_sound_to_the_sample_on_both_sides(render: Render, sound: Audio) -> None:
    heard = render({"A1": sound}, {"A1": {"one_shot": True}}, ("press", "A1", 0.01))
    for side in heard.T:
        np.testing.assert_array_equal(side[480:5_280], sound)
        assert not side[:480].any()
        assert not side[5_280:].any()


def test_level_and_velocity_turn_it_down_in_proportion(render: Render, sound: Audio) -> None:
    quiet = {"one_shot": True, "level": 64}
    heard = render({"A1": sound}, {"A1": quiet}, ("press", "A1", 0, {"velocity": 32}))
    np.testing.assert_allclose(heard[:4_800, 0], sound * (64 / 127) * (32 / 127), atol=1e-6)
    fixed = render(
        {"A1": sound}, {"A1": quiet | {"fixed_velocity": True}}, ("press", "A1", 0, {"velocity": 32})
    )
    np.testing.assert_allclose(fixed[:4_800, 0], sound * (64 / 127), atol=1e-6)


@pytest.mark.parametrize(("pan", "left", "right"), [(0, 1, 0), (64, 1, 1), (127, 0, 1), (96, 1 - 32 / 63, 1)])
def test_pan_turns_the_other_side_down(
    render: Render, sound: Audio, pan: int, left: float, right: float
) -> None:
    stereo = np.stack([sound, -0.5 * sound], axis=1)
    for samples in (sound, stereo):
        heard = render({"A1": samples}, {"A1": {"one_shot": True, "pan": pan}}, ("press", "A1"))
        both = samples if samples.ndim == 2 else np.stack([samples, samples], axis=1)
        np.testing.assert_allclose(heard[:4_800], both * [left, right], atol=1e-6)


def test_start_and_end(render: Render, sound: Audio) -> None:
    part = {"one_shot": True, "start": 1_000, "end": 3_500}
    heard = render({"A1": sound}, {"A1": part}, ("press", "A1"))
    np.testing.assert_array_equal(heard[:2_500, 0], sound[1_000:3_500])
    assert not heard[2_500:].any()


@pytest.mark.parametrize("mode", ["reverse", "ping-pong", "reverse ping-pong"])
def test_other_directions(render: Render, sound: Audio, mode: str) -> None:
    part = sound[1_000:3_000]
    expected = {
        "reverse": part[::-1],
        "ping-pong": np.concatenate([part, part[::-1]]),
        "reverse ping-pong": np.concatenate([part[::-1], part]),
    }[mode]
    settings = {"one_shot": True, "play_mode": mode, "start": 1_000, "end": 3_000}
    heard = render({"A1": sound}, {"A1": settings}, ("press", "A1"))
    np.testing.assert_array_equal(heard[: len(expected), 0], expected)
    assert not heard[len(expected) :].any()


def test_a_loop_repeats_from_its_top(render: Render, sound: Audio) -> None:
    settings = {"gate": False, "loop": True, "start": 500, "loop_top": 1_000, "end": 2_500}
    heard = render({"A1": sound}, {"A1": settings}, ("press", "A1"), length=6_000)
    expected = np.concatenate([sound[500:2_500], *[sound[1_000:2_500]] * 3])
    np.testing.assert_array_equal(heard[:6_000, 0], expected[:6_000])


def test_gate_ends_with_the_finger_and_without_a_click(render: Render, sound: Audio) -> None:
    heard = render({"A1": sound}, {}, ("press", "A1"), ("release", "A1", 0.05))
    np.testing.assert_array_equal(heard[:2_400, 0], sound[:2_400])
    assert silence_after(heard, 2_400 + CUT)
    steps = np.abs(np.diff(heard[:, 0]))
    assert steps.max() <= np.abs(np.diff(sound)).max() * 1.1
    # A release of the envelope is longer: 21 of 127 are half a second, so it still sounds.
    soft = render({"A1": sound}, {"A1": {"release": 21}}, ("press", "A1"), ("release", "A1", 0.05))
    assert np.abs(soft[2_400 + CUT : 4_000]).max() > 0.1


def test_without_gate_the_finger_does_not_matter_and_a_second_press_stops(
    render: Render, sound: Audio
) -> None:
    held = {"A1": {"gate": False}}
    heard = render({"A1": sound}, held, ("press", "A1"), ("release", "A1", 0.01))
    np.testing.assert_array_equal(heard[:4_800, 0], sound)
    stopped = render({"A1": sound}, held, ("press", "A1"), ("press", "A1", 0.05))
    assert silence_after(stopped, 2_400 + CUT)
    again = render({"A1": sound}, {"A1": {"one_shot": True}}, ("press", "A1"), ("press", "A1", 0.05))
    np.testing.assert_array_equal(again[2_400 + CUT + 1 : 7_200, 0], sound[CUT + 1 :])


def test_a_mute_group_cuts_within_6_ms(render: Render, sound: Audio) -> None:
    hats = {"one_shot": True, "mute_group": 3}
    open_hat = np.tile(sound, 2)
    quiet = np.zeros(4_800, dtype=np.float32)
    sounds = {"A4": open_hat, "A3": quiet, "A1": quiet}
    settings = {"A4": hats, "A3": hats, "A1": {"one_shot": True, "mute_group": 4}}
    choked = render(sounds, settings, ("press", "A4"), ("press", "A1", 0.02), ("press", "A3", 0.05))
    np.testing.assert_array_equal(choked[:2_400, 0], open_hat[:2_400])
    after = choked[2_400 + round(0.006 * RATE) :, 0]
    energy = float(np.square(after).mean()) / float(np.square(open_hat).mean())
    assert energy < 1e-6  # -60 dB


def test_poly_lets_sounds_overlap_and_mono_does_not(render: Render, sound: Audio) -> None:
    presses = (("press", "A1"), ("press", "A1", 0.05))
    both = render({"A1": sound}, {"A1": {"one_shot": True, "poly_mode": "poly"}}, *presses)
    np.testing.assert_allclose(both[2_400:4_800, 0], sound[2_400:] + sound[:2_400], atol=1e-6)
    one = render({"A1": sound}, {"A1": {"one_shot": True}}, *presses)
    np.testing.assert_array_equal(one[2_400 + CUT + 1 : 4_800, 0], sound[CUT + 1 : 2_400])


def test_chops_play_one_slice(render: Render, sound: Audio) -> None:
    settings = {"A1": {"one_shot": True, "chops": [0, 1_200, 3_000]}}
    for number, (first, last) in enumerate([(0, 1_200), (1_200, 3_000), (3_000, 4_800)]):
        heard = render({"A1": sound}, settings, ("press", "A1", 0, {"chop": number}))
        np.testing.assert_array_equal(heard[: last - first, 0], sound[first:last])
        assert not heard[last - first :].any()
    whole = render({"A1": sound}, settings, ("press", "A1"))
    np.testing.assert_array_equal(whole[:4_800, 0], sound)


def test_a_chop_is_let_go_alone(render: Render) -> None:
    flat = np.full(4_800, 0.25, dtype=np.float32)
    settings = {"A1": {"poly_mode": "poly", "chops": [0, 2_400]}}
    heard = render(
        {"A1": flat}, settings,
        *(("press", "A1", 0, {"chop": chop}) for chop in (0, 1)), ("release", "A1", 0.01, {"chop": 0}),
    )  # fmt: skip
    np.testing.assert_allclose(heard[:480, 0], 0.5, atol=1e-6)
    np.testing.assert_allclose(heard[480 + CUT + 1 : 2_400, 0], 0.25, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "rate"),
    [
        ({"speed": 50.0}, 0.5),
        ({"speed": 135.0}, 1.35),
        ({"vinyl": False, "pitch": 12}, 2.0),
        ({"vinyl": False, "pitch": -12}, 0.5),
        ({"speed": 135.0, "bpm_sync": True}, 1.0),
    ],
)
def test_speed_and_pitch_change_the_length_and_the_pitch(
    render: Render, settings: dict[str, Any], rate: float
) -> None:
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(9_600) / RATE)).astype(np.float32)
    heard = render({"A1": tone}, {"A1": {"one_shot": True} | settings}, ("press", "A1"), length=24_000)
    length = round(9_600 / rate)
    expected = 0.5 * np.sin(2 * np.pi * 440 * rate * np.arange(length - 2) / RATE)
    assert np.abs(heard[: length - 2, 0] - expected).max() < 0.002
    assert not heard[length + 2 :].any()


def test_linked_pads_sound_together(render: Render, sound: Audio) -> None:
    linked = {"one_shot": True, "pad_link": 2}
    sounds = {"A1": sound, "A2": 0.25 * sound, "A3": sound}
    heard = render(sounds, {"A1": linked, "A2": linked}, ("press", "A2"))
    np.testing.assert_allclose(heard[:4_800, 0], 1.25 * sound, atol=1e-6)


def test_the_33rd_voice_takes_the_place_of_the_oldest(render: Render, sound: Audio) -> None:
    long = np.tile(sound, 2)
    each = {"one_shot": True, "poly_mode": "poly", "level": 2}
    sounds = {f"{bank}{pad}": long for bank in "AB" for pad in range(1, 17)} | {"C1": long}
    presses = [("press", name, 0.001 * number) for number, name in enumerate(sounds)]
    heard = render(sounds, dict.fromkeys(sounds, each), *presses, length=9_600)
    level = 2 / 127
    starts = [48 * number for number in range(33)]
    at = 4_000
    expected = sum(level * long[at - start] for start in starts[1:])
    assert heard[at, 0] == pytest.approx(float(expected), abs=1e-5)
    # Stereo sounds take two voices each.
    stereo = np.stack([long, long], axis=1)
    pads = dict.fromkeys([f"A{pad}" for pad in range(1, 17)] + ["B1"], stereo)
    presses = [("press", name, 0.001 * number) for number, name in enumerate(pads)]
    heard = render(pads, dict.fromkeys(pads, each), *presses)
    expected = sum(level * long[at - start] for start in starts[1:17])
    assert heard[at, 0] == pytest.approx(float(expected), abs=1e-5)


def test_panic_ends_everything(render: Render, sound: Audio) -> None:
    loop = {"gate": False, "loop": True}
    heard = render(
        {"A1": sound, "A2": sound}, {"A1": loop, "A2": loop},
        ("press", "A1"), ("press", "A2", 0.01), ("panic", None, 0.05),
    )  # fmt: skip
    assert np.abs(heard[2_300:2_400]).max() > 0.01
    assert silence_after(heard, 2_400 + CUT)


def test_panic_also_ends_what_fades_and_what_starts_later(render: Render, sound: Audio) -> None:
    flat = np.full(9_600, 0.5, dtype=np.float32)
    heard = render(
        {"A1": flat, "A2": flat}, {"A1": {"release": 127}, "A2": {"one_shot": True}},
        ("press", "A1"), ("release", "A1", 0.02), ("press", "A2", 0.1), ("panic", None, 0.05),
    )  # fmt: skip
    assert np.abs(heard[2_300:2_400]).max() > 0.4
    assert silence_after(heard, 2_400 + CUT)


def test_a_choke_also_cuts_a_long_release(render: Render, sound: Audio) -> None:
    flat = np.full(9_600, 0.5, dtype=np.float32)
    quiet = np.zeros(4_800, dtype=np.float32)
    heard = render(
        {"A1": flat, "A2": quiet}, {"A1": {"release": 127, "mute_group": 1}, "A2": {"mute_group": 1}},
        ("press", "A1"), ("release", "A1", 0.02), ("press", "A2", 0.05),
    )  # fmt: skip
    assert np.abs(heard[2_300:2_400]).max() > 0.4
    assert silence_after(heard, 2_400 + CUT)


def test_a_scheduled_sound_ends_what_is_pressed_before_it(render: Render, sound: Audio) -> None:
    low, high = np.full(9_600, 0.25, dtype=np.float32), np.full(4_800, 0.5, dtype=np.float32)
    group = {"one_shot": True, "mute_group": 1}
    heard = render(
        {"A1": low, "A2": high}, {"A1": group, "A2": group}, ("press", "A2", 0.05), ("press", "A1", 0.02)
    )
    np.testing.assert_array_equal(heard[960:2_400, 0], low[:1_440])
    np.testing.assert_array_equal(heard[2_400 + CUT + 1 : 7_200, 0], high[: 4_800 - CUT - 1])


def test_steps_start_anew_are_let_go_and_end_with_the_beat(render: Render, sound: Audio) -> None:
    step = {"isStep": True}
    again = render(
        {"A1": sound}, {"A1": {"gate": False}}, ("press", "A1", 0, step), ("press", "A1", 0.05, step)
    )
    np.testing.assert_array_equal(again[2_400 + CUT + 1 : 7_200, 0], sound[CUT + 1 :])
    gated = render({"A1": sound}, {"A1": {"loop": True}}, ("press", "A1", 0, step | {"until": 0.05}))
    np.testing.assert_array_equal(gated[:2_400, 0], sound[:2_400])
    assert silence_after(gated, 2_400 + CUT)
    loop = {"gate": False, "loop": True}
    ended = render(
        {"A1": sound, "A2": 0.5 * sound}, {"A1": loop, "A2": loop},
        ("press", "A1", 0, step), ("press", "A1", 0.1, step), ("press", "A2"), ("endSteps", None, 0.05),
    )  # fmt: skip
    np.testing.assert_allclose(ended[2_400 + CUT + 1 : 4_800, 0], 0.5 * sound[2_400 + CUT + 1 :], atol=1e-6)
    np.testing.assert_allclose(ended[4_800:, 0], 0.5 * sound, atol=1e-6)


def test_attack_and_hold_of_the_envelope(render: Render, sound: Audio) -> None:
    flat = np.full(9_600, 0.5, dtype=np.float32)
    rising = render({"A1": flat}, {"A1": {"one_shot": True, "attack": 2}}, ("press", "A1"))
    ramp = round(2 / 127 * 3 * RATE)
    np.testing.assert_allclose(rising[:ramp, 0], 0.5 * np.arange(ramp) / ramp, atol=1e-3)
    held = render({"A1": flat}, {"A1": {"one_shot": True, "hold": 50}}, ("press", "A1"))
    np.testing.assert_array_equal(held[:4_800, 0], flat[:4_800])
    assert silence_after(held, 4_800 + CUT)
