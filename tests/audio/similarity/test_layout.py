"""Blocks, presets and bytes of a similarity vector."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from app.audio.similarity.layout import (
    BALANCED,
    BLOCKS,
    LENGTH,
    PRESETS,
    from_bytes,
    preset_weights,
    to_bytes,
)
from tests.live import ROOT


def test_the_blocks_fill_the_vector_without_a_gap() -> None:
    places = list(BLOCKS.values())
    assert [p.start for p in places] == [0, *(p.stop for p in places[:-1])]
    assert places[-1].stop == LENGTH


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_weighs_every_number_of_its_blocks_alike(preset: str) -> None:
    weights = preset_weights(preset)
    assert len(weights) == LENGTH
    for name, place in BLOCKS.items():
        assert set(weights[place]) == {PRESETS[preset][name]}


def test_the_balanced_preset_is_the_plain_distance() -> None:
    assert set(preset_weights(BALANCED)) == {1.0}


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ValueError, match="no preset 'loud'"):
        preset_weights("loud")


def test_bytes_are_little_endian_float32_and_restore_the_vector() -> None:
    vector = (0.5, -1.25, 3.0e-3)
    stored = to_bytes(vector)
    assert stored == np.array(vector, dtype="<f4").tobytes()
    assert from_bytes(stored) == pytest.approx(vector, abs=1e-9)
    assert to_bytes(from_bytes(stored)) == stored


def test_bytes_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="5 bytes"):
        from_bytes(b"12345")


def test_layout_and_reasons_load_no_numerical_library() -> None:
    code = (
        "import sys, app.audio.similarity.layout, app.audio.similarity.reasons;"
        "print([m for m in ('numpy', 'scipy', 'librosa') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
