"""Alignment: a shifted copy fits to a fraction of a sample, whatever the sound."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import scipy.fft

from app.audio.similarity.alignment import find_shift, shared_part, shifted_spectra
from tests.audio.signals import RATE_HZ, seconds

REACH = RATE_HZ // 10
Array = npt.NDArray[np.float64]


def tone(hz: float) -> Array:
    times = seconds(0.5)
    return np.asarray(np.sin(2 * np.pi * hz * times) * np.exp(-6 * times) * np.minimum(1, times / 0.01))


def noise_burst() -> Array:
    times = seconds(0.5)
    return np.random.default_rng(8).standard_normal(times.size) * np.exp(-10 * times)


def difference_db(a: Array, b: Array, gain: float) -> float:
    """Return what is left of the aligned difference, beside the first sound."""
    shift = find_shift(a, b, REACH)
    first, second = shifted_spectra(*shared_part(a, b, shift), shift)
    left = np.linalg.norm(first - second / gain) / np.linalg.norm(first)
    return float(20 * np.log10(left + 1e-15))


@pytest.mark.parametrize("hz", [40, 65, 110, 1000])
def test_a_quieter_copy_of_a_tone_is_not_shifted(hz: float) -> None:
    assert difference_db(tone(hz), 0.35 * tone(hz), 0.35) < -200


@pytest.mark.parametrize("shift", [1, 17, -400, REACH - 1])
def test_a_shift_by_whole_samples_is_found(shift: int) -> None:
    padded = np.concatenate([np.zeros(5000), noise_burst(), np.zeros(5000)])
    assert difference_db(padded, -0.5 * np.roll(padded, shift), -0.5) < -100


def test_a_shift_by_a_quarter_of_a_sample_is_found() -> None:
    padded = np.concatenate([np.zeros(5000), noise_burst(), np.zeros(5000)])
    turn = np.exp(-2j * np.pi * np.arange(padded.size // 2 + 1) / padded.size * 0.25)
    shifted = scipy.fft.irfft(scipy.fft.rfft(padded) * turn, padded.size)
    assert difference_db(padded, shifted, 1) < -30


def test_a_cut_copy_of_a_swelling_tone_fits_its_own_place() -> None:
    swelling = np.linspace(0.05, 1, RATE_HZ) * np.sin(2 * np.pi * 110 * seconds(1.0))
    assert difference_db(swelling, swelling[: RATE_HZ // 2], 1) < -200
