"""Forests are evaluated as they were fitted, missing values included."""

from __future__ import annotations

import numpy as np
import pytest

from app.audio.estimation.boosted_trees import Forest, load_weights, logistic_probability, softmax

STUMP = Forest(
    feature=np.array([0, -1, -1], dtype=np.int16),
    threshold=np.array([0.5, 0, 0], dtype=np.float32),
    left=np.array([1, 0, 0], dtype=np.int32),
    right=np.array([2, 0, 0], dtype=np.int32),
    missing_left=np.array([True, False, False]),
    value=np.array([0.0, -2.0, 3.0], dtype=np.float32),
    roots=np.array([0], dtype=np.int32),
    output=np.array([0], dtype=np.int16),
    base=np.array([0.25], dtype=np.float32),
)


def test_a_row_goes_left_at_the_threshold_and_when_its_value_is_missing() -> None:
    assert STUMP.scores([[0.5], [0.6], [np.nan]])[:, 0].tolist() == [-1.75, 3.25, -1.75]


def test_one_output_gives_the_probability_of_yes() -> None:
    assert STUMP.probabilities([[0.6]])[0, 0] == pytest.approx(1 / (1 + np.exp(-3.25)))


def test_softmax_does_not_overflow() -> None:
    assert softmax(np.array([1_000.0, 1_000.0])).tolist() == [0.5, 0.5]


def test_the_logistic_model_has_its_constant_last() -> None:
    assert logistic_probability(np.array([2.0, -1.0]), np.array([0.5])) == pytest.approx(0.5)


def test_missing_weights_are_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        load_weights("no-such-model")
