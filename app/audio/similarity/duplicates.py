"""Find near duplicates: the same recording with another gain, length, rate, encoding or number of channels.

Candidates have nearly the same fingerprint; the samples of both then confirm it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from app.audio.similarity.alignment import Spectrum, find_shift, shared_part, shifted_spectra
from app.audio.similarity.fingerprint import mix_channels
from app.audio.similarity.layout import FINGERPRINT_BANDS, FINGERPRINT_LENGTH, FINGERPRINT_SPANS

DUPLICATE_DISTANCE = 0.06
"""Least distance of the fingerprints of sounds that are no near duplicates."""

MIN_SHARED_PART = 0.55

_COMPARED_S, _PART_S = 3.0, 1.0
_QUIET_DB = -30.0  # beside the first part
_MAX_SHIFT_S = 0.12
_START_LEVEL, _SILENCE = 1e-3, 1e-6  # of the peak, of full scale
_EDGES_HZ = (0, 150, 400, 1000, 2500, 5000, 9000)  # encoders drop what is above, in parts
_PRE_EMPHASIS = 0.9
# Encoders spare weak bands, so less correlation is asked of them, down to the weakest that are compared.
_LEVELS_DB, _MIN_CORRELATIONS = (-42.0, -30.0, -15.0), (0.4, 0.6, 0.7)
_STRONG_DB = -20.0
# How far the gains of bands above a level may differ, in dB.
_MAX_GAIN_SPREADS_DB = ((-10.0, 1.2), (-25.0, 2.0))
_LEAST_GAIN = 1e-6
_ROWS_AT_ONCE = 1 << 12  # these fit into the cache

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]


def likely_duplicates(fingerprint: npt.ArrayLike, others: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Return the indexes of fingerprints that may belong to the same recording, nearest first.

    `is_same_recording` confirms them.

    Parameters
    ----------
    fingerprint : array_like, shape (`FINGERPRINT_LENGTH`,) or (0,)
        From `fingerprint.copy_fingerprint`. An empty one, that of silence, is like no other.
    others : array_like, shape (n, `FINGERPRINT_LENGTH`)
        Rows of zeros, for sounds without a fingerprint, are like no other.

    Returns
    -------
    ndarray of intp, shape (found,)

    Notes
    -----
    The distance is that of two unit vectors, taken over the spans before either sound ends. Spans behind
    the end are zero, so one product gives the distances to all rows.
    """
    one = np.asarray(fingerprint, dtype=np.float32)
    rows = np.asarray(others).reshape(-1, FINGERPRINT_LENGTH)
    if not one.any() or not len(rows):
        return np.zeros(0, np.intp)
    blocks = range(0, len(rows), _ROWS_AT_ONCE)
    apart = np.concatenate([_distances(one, rows[at : at + _ROWS_AT_ONCE]) for at in blocks])
    near = np.flatnonzero(apart < DUPLICATE_DISTANCE)
    return near[np.argsort(apart[near], kind="stable")]


def _distances(one: Floats, rows: npt.NDArray[np.generic]) -> Floats:
    """Return the distance of a fingerprint to each of some rows."""
    many = rows.astype(np.float32)
    energy, energies = _energy_by_span(one[None])[0], _energy_by_span(many)
    last, lasts = np.argmax(energy), np.argmax(energies, axis=1)
    shared = np.sqrt(energy[lasts] * energies[:, last])
    likeness = np.divide(many @ one, shared, out=np.full(len(many), -1, np.float32), where=shared > 0)
    return np.asarray(np.sqrt(np.maximum(2 - 2 * likeness, 0)))


def _energy_by_span(rows: Floats) -> Floats:
    """Return the energy from the start to the end of each span, shape (n, spans)."""
    spans = rows.reshape(-1, FINGERPRINT_SPANS, FINGERPRINT_BANDS)
    return np.asarray(np.cumsum(np.einsum("nsb,nsb->ns", spans, spans), axis=1))


def is_same_recording(a: npt.ArrayLike, b: npt.ArrayLike, rate: int) -> bool:
    """Return whether two sounds are the same recording.

    Gain, channels, encoding, a lead of silence and a cut end don't matter. Another hit of the same instrument
    is another recording, and so is a filtered copy.

    Parameters
    ----------
    a, b : array_like, shape (frames,) or (frames, channels)
        At the same rate.
    rate : int
        In Hz, 22,050 or more.

    Notes
    -----
    The first 3 s of both, from where they begin to sound, are shifted to their best correlation and compared.
    So is each second after them that is not quiet. Each octave or so must correlate, and by one gain. Layers
    of an instrument agree in the bass at best: what tells them from copies is that their weak bands don't
    correlate at all.
    """
    first, second = _sounding_part(a, rate), _sounding_part(b, rate)
    shorter, longer = sorted((first.size, second.size))
    if shorter < 2 or shorter < MIN_SHARED_PART * longer:
        return False
    compared, reach = int(_COMPARED_S * rate), int(_MAX_SHIFT_S * rate)
    first, second = _emphasise(first), _emphasise(second)
    shift = find_shift(first[:compared], second[:compared], reach)
    first, second = shared_part(first, second, shift)
    parts = [slice(0, compared), *_later_parts(first, second, compared, int(_PART_S * rate))]
    return all(
        _is_one_signal(*_compare_bands(*shifted_spectra(first[part], second[part], shift), rate))
        for part in parts
    )


def _later_parts(a: Array, b: Array, after: int, length: int) -> Iterator[slice]:
    """Yield the spans of a second or so after the first ones, all but those that are quiet in both sounds."""
    loudest = [np.mean(x[:after] ** 2) for x in (a, b)]
    for start in range(after, a.size - length + 1, length):
        part = slice(start, start + length)
        powers = [np.mean(x[part] ** 2) for x in (a, b)]
        if any(power > most * 10 ** (_QUIET_DB / 10) for power, most in zip(powers, loudest, strict=True)):
            yield part


def _sounding_part(sound: npt.ArrayLike, rate: int) -> Array:
    """Return the mixed channels from where they begin to where they end to sound; empty for silence."""
    y = np.asarray(sound, dtype=np.float64)
    y = mix_channels(y) if y.ndim == 2 else y
    level = np.abs(y)
    audible = np.flatnonzero(level > max(_START_LEVEL * level.max(initial=0), _SILENCE))
    return y[audible[0] : audible[-1] + 1] if audible.size else y[:0]


def _emphasise(y: Array) -> Array:
    """Return the sound with its high frequencies raised, where two takes differ."""
    return np.concatenate([y[:1], y[1:] - _PRE_EMPHASIS * y[:-1]])


def _compare_bands(a: Spectrum, b: Spectrum, rate: int) -> tuple[Array, Array, Array]:
    """Return of each band its correlation, its level and its gain.

    The level is that beside the strongest band. The gain is that of what both share, from either side, shape
    (2, bands): so the noise that an encoder adds to one of them does not count. Both are in dB.
    """
    hz = np.linspace(0, rate / 2, a.size)
    bands = [slice(*np.searchsorted(hz, edges)) for edges in pairwise(_EDGES_HZ)]
    power = np.array([[np.sum(np.abs(x[band]) ** 2) for band in bands] for x in (a, b)])
    power = np.maximum(power, np.finfo(float).tiny)
    shared = np.abs([np.sum((a[band] * np.conj(b[band])).real) for band in bands])
    levels_db = 10 * np.log10(power / power.max(axis=1, keepdims=True)).min(axis=0)
    gains_db = 20 * np.log10(np.maximum(shared / power, _LEAST_GAIN))
    return shared / np.sqrt(power[0] * power[1]), levels_db, gains_db


def _is_one_signal(correlations: Array, levels_db: Array, gains_db: Array) -> bool:
    """Return whether all bands that both have energy in correlate, and by one gain."""
    needed = np.interp(levels_db, _LEVELS_DB, _MIN_CORRELATIONS)
    return bool(
        np.any(levels_db > _STRONG_DB)
        and np.all((correlations >= needed) | (levels_db <= _LEVELS_DB[0]))
        and any(_is_one_gain(levels_db, gains) for gains in gains_db)
    )


def _is_one_gain(levels_db: Array, gains_db: Array) -> bool:
    groups = [(gains_db[levels_db > level], most) for level, most in _MAX_GAIN_SPREADS_DB]
    return all(np.ptp(gains) <= most for gains, most in groups if gains.size)
