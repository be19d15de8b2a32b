"""The key network: transposing its input transposes its answer, whatever its weights."""

from __future__ import annotations

import numpy as np
import pytest

from app.audio.estimation import key_network
from app.audio.estimation.key_network import Weights
from app.audio.listening.chroma import PROFILE_NAMES, SPAN_BANDS, SPAN_COUNT, chroma_spans

HIDDEN, WIDE, BANDS = 5, 7, len(SPAN_BANDS)


@pytest.fixture
def random_weights() -> Weights:
    dice = np.random.default_rng(7)
    shapes = [(HIDDEN, BANDS, 12, 1), (HIDDEN, HIDDEN, 12, 3), (WIDE, 4 * HIDDEN + len(PROFILE_NAMES), 12, 1)]
    shapes += [(2, WIDE + len(PROFILE_NAMES), 12, 1)]
    found = {f"w{i}": dice.normal(size=(3, *shape)) * 0.2 for i, shape in enumerate(shapes, start=1)}
    return found | {f"b{i}": dice.normal(size=(3, shape[0])) for i, shape in enumerate(shapes, start=1)}


@pytest.fixture
def random_pitch_classes() -> tuple[np.ndarray, np.ndarray]:
    dice = np.random.default_rng(8)
    return dice.random((BANDS, 12, SPAN_COUNT)), dice.random((len(PROFILE_NAMES), 12))


@pytest.mark.parametrize("semitones", range(1, 12))
def test_a_transposed_sound_has_the_transposed_key(
    random_weights: Weights, random_pitch_classes: tuple[np.ndarray, np.ndarray], semitones: int
) -> None:
    course, profiles = random_pitch_classes
    plain = key_network.probabilities(course, profiles, random_weights).reshape(2, 12)
    moved = key_network.probabilities(
        np.roll(course, semitones, axis=1), np.roll(profiles, semitones, axis=1), random_weights
    )
    assert moved.reshape(2, 12) == pytest.approx(np.roll(plain, semitones, axis=1), abs=1e-9)


def test_probabilities_sum_to_one_and_depend_on_the_order_of_time(
    random_weights: Weights, random_pitch_classes: tuple[np.ndarray, np.ndarray]
) -> None:
    course, profiles = random_pitch_classes
    forwards = key_network.probabilities(course, profiles, random_weights)
    backwards = key_network.probabilities(course[:, :, ::-1], profiles, random_weights)
    assert forwards.sum() == pytest.approx(1)
    assert not np.allclose(forwards, backwards)


@pytest.mark.parametrize("windows", [1, 5, 24, 400])
def test_spans_keep_the_mean_and_the_order_of_the_windows(windows: int) -> None:
    rows = np.random.default_rng(9).random((windows, 12))
    course = chroma_spans(dict.fromkeys(SPAN_BANDS, rows))
    assert course.shape == (len(SPAN_BANDS), 12, SPAN_COUNT)
    assert course.mean(axis=2) == pytest.approx(np.tile(rows.mean(axis=0), (len(SPAN_BANDS), 1)))
    rising = chroma_spans(dict.fromkeys(SPAN_BANDS, np.tile(np.arange(windows)[:, None], 12)))
    assert (np.diff(rising, axis=2) > -1e-9).all()
