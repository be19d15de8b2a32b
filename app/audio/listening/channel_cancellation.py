"""Find where left and right cancel each other out, so that the mean of the channels loses a sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft

from app.audio.decoding.scratch_file import Samples

Array = npt.NDArray[np.float64]

WINDOW_S, MAX_WINDOWS = 0.0464, 2_000
NODE_S = 0.5
HIGHEST_HZ = 11_025.0
# Power of the mean over that of half the difference. Uncorrelated channels have 1, a single channel too.
LOST_RATIO, KEPT_RATIO = 0.25, 0.4
# Bands below this level of the loudest one are not restored. The whole sound is left alone when less than
# this share of its energy is in bands that are weak in the mean.
AUDIBLE, WEAK_RATIO, MIN_WEAK_SHARE = 1e-7, 0.2, 0.01
# A band counts as gone in mono where the mean is 10 dB weaker than half the difference.
GONE_RATIO = 0.1
# Right is taken in a band only where it has more than twice the power of left.
RIGHT_BALANCE = -1 / 6
# On 302 stereo recordings (sonic-pi, hydrogen) the mean is at most 4.5 dB weaker than the louder channel, and
# at most 4 % of a sound is gone.
VANISHED_DB, WEAKENED_DB, MAX_GONE_SHARE = -20.0, -8.0, 0.15
VANISHES_IN_MONO = "Left and right cancel out: in mono this sound vanishes."
WEAKENED_IN_MONO = "Parts of this sound cancel out in mono."
TINY = 1e-20


@dataclass(frozen=True)
class Cancellation:
    """How much of a sound the mean of its channels loses.

    Attributes
    ----------
    gains : factor of the difference (left − right) / 2 that restores the louder channel, by node and band:
        1 for left, −1 for right, 0 where the mean is enough. Nodes are `NODE_S` apart and start at 0.
        Shape (nodes, bands).
    centres_hz : centres of the bands, shape (bands,).
    mono_level_db : power of the mean relative to the loudest channel, at most 0 and at least −200.
    gone_share : share of the sound in bands and half seconds that are gone in mono, 0 to 1.
    loudest : number of the channel with the most power.
    """

    gains: Array
    centres_hz: Array
    mono_level_db: float
    gone_share: float
    loudest: int

    @property
    def needs_sides(self) -> bool:
        """Return whether the mean of two channels has to be completed by their difference."""
        return bool(self.gains.any())


def warn_of_cancellation(lost: Cancellation) -> tuple[str, ...]:
    """Return a sentence for the owner of a sound that is missing, or partly missing, in mono.

    Parameters
    ----------
    lost : Cancellation
    """
    if lost.mono_level_db < VANISHED_DB:
        return (VANISHES_IN_MONO,)
    if lost.mono_level_db < WEAKENED_DB or lost.gone_share > MAX_GONE_SHARE:
        return (WEAKENED_IN_MONO,)
    return ()


class ChannelComparison:
    """Compares the channels of a sound block by block.

    Of two channels, at most `MAX_WINDOWS` short spectra spread over the sound give the power of the mean and
    of half the difference in bands. Magnitudes rather than powers are added up over a second, so that a loud
    hit does not hide a quieter sound around it. Of other numbers of channels only the powers are compared.

    Parameters
    ----------
    channels : int
    frames : int
        Length of the sound.
    sample_rate : int
        In Hz.
    """

    def __init__(self, channels: int, frames: int, sample_rate: int) -> None:
        self.channels, self.rate = channels, sample_rate
        self.size = scipy.fft.next_fast_len(max(round(WINDOW_S * sample_rate), 16), real=True)
        self.hop = max(self.size // 2, frames // MAX_WINDOWS)
        self.window = np.hanning(self.size + 1)[:-1].astype(np.float32)
        self.edges = _band_edges(self.size, sample_rate)
        self.powers = np.zeros(channels + 1)
        self.node_levels = np.zeros((2, int(frames / sample_rate / NODE_S) + 2, self.edges.size - 1))
        # By band: power of both channels, and how much more of it is in left than in right (both halved).
        self.band_power, self.balance = np.zeros((2, self.edges.size - 1))
        self.seen = 0

    def add_block(self, block: Samples) -> None:
        """Take in the next samples, shape (n, channels)."""
        if self.channels == 2:
            self._add_spectra(block)
        elif self.channels > 2:
            centred = block - block.mean(axis=0)
            self.powers[1:] += np.square(centred).sum(axis=0, dtype=np.float64)
            self.powers[0] += np.square(centred.mean(axis=1)).sum(dtype=np.float64)
        self.seen += len(block)

    def _add_spectra(self, block: Samples) -> None:
        """Add the spectra of the mean and of half the difference to the nodes of their time."""
        last = max(len(block) - self.size, 0)
        starts = np.arange(-self.seen % self.hop, last + 1, self.hop)
        if not starts.size:
            return
        left, right = (self._cut_windows(np.ascontiguousarray(channel), starts) for channel in block.T)
        mid, side = ((part * self.window) for part in ((left + right) / 2, (left - right) / 2))
        first, end = self.edges[0], self.edges[-1]
        spectra = [scipy.fft.rfft(part, axis=1)[:, first:end] for part in (mid, side)]
        bands = [self._sum_bands(np.square(s.real) + np.square(s.imag)) for s in spectra]
        shared = self._sum_bands(spectra[0].real * spectra[1].real + spectra[0].imag * spectra[1].imag)
        node = ((self.seen + starts + self.size / 2) / self.rate / NODE_S + 0.5).astype(int)
        node = np.minimum(node, self.node_levels.shape[1] - 1)
        for level, band in zip(self.node_levels, bands, strict=True):
            np.add.at(level, node, np.sqrt(band))
        self.balance += shared.sum(axis=0)
        self.band_power += (bands[0] + bands[1]).sum(axis=0)
        whole = bands[0].sum() + bands[1].sum()
        self.powers += bands[0].sum(), whole + 2 * shared.sum(), whole - 2 * shared.sum()

    def _cut_windows(self, channel: Samples, starts: npt.NDArray[np.intp]) -> Samples:
        padded = np.pad(channel, (0, max(self.size - channel.size, 0)))
        return np.lib.stride_tricks.sliding_window_view(padded, self.size)[starts]

    def _sum_bands(self, bins: Samples) -> Array:
        return np.add.reduceat(bins, self.edges[:-1] - self.edges[0], axis=1).astype(np.float64)

    def result(self) -> Cancellation:
        """Return what the mean of the channels loses."""
        loudest = int(np.argmax(self.powers[1:]))
        lost = self.powers[0] / max(self.powers[1 + loudest], TINY) if self.powers.any() else 1.0
        level_db = float(10 * np.log10(np.clip(lost, TINY, 1.0)))
        centres = np.sqrt(self.edges[:-1] * (self.edges[1:] - 1.0)) * self.rate / self.size
        if self.channels != 2:
            return Cancellation(np.zeros((1, centres.size)), centres, level_db, 0.0, loudest)
        gains, gone = self._compare_bands()
        return Cancellation(gains, centres, level_db, gone, loudest)

    def _compare_bands(self) -> tuple[Array, float]:
        """Return the factor of the difference by node and band, and the share of the sound that is gone."""
        # A node shares the spectra of the half second around it with its neighbours, for a second in all.
        mid, side = (_add_neighbours(level) ** 2 for level in self.node_levels)
        ratio = mid / np.maximum(side, TINY)
        heard = side > AUDIBLE * max(float((mid + side).max()), TINY)
        gains = np.where(heard, np.clip((KEPT_RATIO - ratio) / (KEPT_RATIO - LOST_RATIO), 0, 1), 0)
        gains *= np.where(self.balance < RIGHT_BALANCE * self.band_power, -1, 1)
        whole = max(float((mid + side).sum()), TINY)
        weak, gone = (float(side[ratio < limit].sum()) / whole for limit in (WEAK_RATIO, GONE_RATIO))
        return gains * (weak >= MIN_WEAK_SHARE), gone


def restore_sides(mono: Samples, side: Samples, rate_hz: int, lost: Cancellation) -> Samples:
    """Return the mean of two channels completed by their difference where the mean has lost something.

    Parameters
    ----------
    mono, side : ndarray of float32, shape (n,)
        (left + right) / 2 and (left - right) / 2 at one rate.
    rate_hz : int
        Their rate.
    lost : Cancellation
        From `ChannelComparison.result` for the same sound.

    Notes
    -----
    Each node has a zero-phase filter whose gain is interpolated between the bands; nodes are faded into each
    other by Hann windows, which add up to one.
    """
    hop, reach = round(NODE_S * rate_hz), rate_hz // 10
    size = scipy.fft.next_fast_len(2 * (hop + reach), real=True)
    hz = np.fft.rfftfreq(size, 1 / rate_hz)
    fade = (0.5 - 0.5 * np.cos(np.pi * np.arange(2 * hop) / hop)).astype(np.float32)
    padded = np.pad(side, (hop + reach, 2 * hop + 2 * reach))
    out = np.pad(mono, (hop, 2 * hop))
    for node in np.flatnonzero(np.abs(lost.gains).max(axis=1)[: mono.size // hop + 2]):
        gain = np.interp(hz, lost.centres_hz, lost.gains[node]).astype(np.float32)
        start = int(node) * hop
        part = scipy.fft.irfft(scipy.fft.rfft(padded[start : start + 2 * (hop + reach)], size) * gain, size)
        out[start : start + 2 * hop] += fade * part[reach : reach + 2 * hop]
    return out[hop : hop + mono.size]


def _add_neighbours(level: Array) -> Array:
    around = np.pad(level, ((1, 1), (0, 0)))
    return np.asarray(around[:-2] / 2 + level + around[2:] / 2)


def _band_edges(size: int, sample_rate: int) -> npt.NDArray[np.intp]:
    """Return the first bin of each band and the bin after the last: a quarter of an octave, two bins or more.

    A constant offset is only in the first two bins, which are left out.
    """
    top = min(int(HIGHEST_HZ * size / sample_rate), size // 2 + 1)
    edges = [2]
    while edges[-1] < top:
        edges.append(max(edges[-1] + 2, round(edges[-1] * 2**0.25)))
    edges[-1] = max(min(edges[-1], top), edges[-2] + 1) if len(edges) > 1 else 3
    return np.array(edges, dtype=np.intp)
