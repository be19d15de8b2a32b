"""Distances and ranks of similarity vectors."""

from __future__ import annotations

import numpy as np
import pytest

from app.audio.similarity.distances import distances, rank_nearest
from app.audio.similarity.layout import BALANCED, BLOCKS, BODY, LENGTH, RHYTHM, TIMBRE


def with_block(**values: float) -> np.ndarray:
    vector = np.zeros(LENGTH)
    for name, value in values.items():
        vector[BLOCKS[name].start] = value
    return vector


def test_the_balanced_distance_is_euclidean() -> None:
    assert distances(np.zeros(LENGTH), [with_block(body=3.0, rhythm=4.0)]).tolist() == [5.0]


def test_a_preset_changes_which_sound_is_nearest() -> None:
    query, other_body, other_rhythm = (
        np.zeros(LENGTH), with_block(body=1.0), with_block(rhythm=1.2),
    )  # fmt: skip
    others, names = np.stack([other_body, other_rhythm]), ("another body", "another rhythm")
    nearest = {p: rank_nearest(query, others, names, p)[0][0] for p in (BALANCED, TIMBRE, RHYTHM)}
    assert nearest == {BALANCED: "another body", TIMBRE: "another rhythm", RHYTHM: "another body"}


def test_equal_distances_stand_in_the_order_of_the_names() -> None:
    others = np.stack([with_block(body=1.0), with_block(body=-1.0), with_block(shape=1.0 + 1e-9)])
    ranked = rank_nearest(np.zeros(LENGTH), others, ("b", "c", "a"))
    assert ranked == [("a", 1.0), ("b", 1.0), ("c", 1.0)]


def test_no_others_give_no_distances() -> None:
    assert distances(np.zeros(LENGTH), []).shape == (0,)
    assert rank_nearest(np.zeros(LENGTH), [], ()) == []


def test_vectors_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="reshape"):
        distances(np.zeros(LENGTH), [np.zeros(26)])


def test_body_is_a_block() -> None:
    assert BLOCKS[BODY].start == 0
