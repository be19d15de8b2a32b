"""The WAV for the unit: exact header, no clipping, and bit-exact when nothing has to change."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from app.audio import wav_writer

Array = np.ndarray[Any, Any]


def sine(frequency_hz: float, seconds: float, rate: int, level: float = 0.5) -> Array:
    t = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * frequency_hz * t)).astype(np.float32)[:, None]


def test_the_header_is_canonical(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    wav_writer.write_wav(np.repeat(sine(440, 0.5, 44100), 2, axis=1), 44100, path)
    raw = path.read_bytes()
    assert raw[:4] + raw[8:16] + raw[36:40] == b"RIFFWAVEfmt data"
    assert struct.unpack("<IHHIIHH", raw[16:36]) == (16, 1, 2, 48000, 192000, 4, 16)
    assert struct.unpack("<I", raw[40:44])[0] == len(raw) - 44 == 24000 * 4
    assert struct.unpack("<I", raw[4:8])[0] == len(raw) - 8


def test_another_rate_is_written_for_the_sp_404sx(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    tone = sine(1000, 1.0, 96000)
    written = wav_writer.write_wav(tone, 96000, path, rate_hz=44100)
    read_back, rate = soundfile.read(path)
    assert (rate, len(read_back), written.frames, written.resampled) == (44100, 44100, 44100, True)
    truth = sine(1000, 1.0, 44100)[:, 0]
    assert float(np.abs(read_back[4410:-4410] - truth[4410:-4410]).max()) < 2e-4
    steps = (np.round(sine(440, 0.5, 44100) * 32768) / 32768).astype(np.float32)
    kept = wav_writer.write_wav(steps, 44100, path, rate_hz=44100)
    assert (kept.resampled, kept.dithered) == (False, False)
    assert np.array_equal(soundfile.read(path)[0], steps[:, 0])


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 96000, 192000])
def test_pitch_level_and_length_survive(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "x.wav"
    wav_writer.write_wav(sine(1000, 1.0, rate), rate, path)
    read_back, rate_read_back = soundfile.read(path)
    assert (rate_read_back, len(read_back)) == (48000, 48000)
    middle = read_back[4800:-4800]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * 48000 / len(middle) == pytest.approx(1000, abs=1.5)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize("level", [0.999, 1.0, 1.4, 8.0])
def test_nothing_ever_clips(tmp_path: Path, level: float) -> None:
    path = tmp_path / "x.wav"
    square = np.sign(sine(997, 0.5, 44100)) * np.float32(level)
    written = wav_writer.write_wav(square, 44100, path)
    steps, _ = soundfile.read(path, dtype="int16")
    assert np.max(np.abs(steps.astype(int))) < 32768
    assert np.count_nonzero(np.abs(steps.astype(int)) >= 32767) <= 2
    assert written.gain_db < 0


def test_quiet_material_keeps_its_level(tmp_path: Path) -> None:
    assert wav_writer.write_wav(sine(440, 0.5, 44100, 0.1), 44100, tmp_path / "x.wav").gain_db == 0


@pytest.mark.parametrize("channels", [1, 2])
def test_a_16_bit_sound_at_48_khz_is_kept_bit_for_bit(tmp_path: Path, channels: int) -> None:
    steps = np.random.default_rng(3).integers(-32768, 32768, (9600, channels), dtype=np.int16)
    written = wav_writer.write_wav((steps / 32768).astype(np.float32), 48000, tmp_path / "x.wav")
    read_back, _ = soundfile.read(tmp_path / "x.wav", dtype="int16", always_2d=True)
    assert np.array_equal(read_back, steps)
    assert not written.dithered


def test_dither_keeps_a_tone_that_is_smaller_than_a_step(tmp_path: Path) -> None:
    """Rounding alone would remove a tone of a third of a step; with dither it stays."""
    faint = sine(1000, 2.0, 48000, 0.33 / 32768)
    wav_writer.write_wav(faint, 48000, tmp_path / "x.wav")
    read_back, _ = soundfile.read(tmp_path / "x.wav")
    spectrum = np.abs(np.fft.rfft(read_back * np.hanning(len(read_back))))
    assert np.argmax(spectrum[100:]) + 100 == 2000


def test_short_sounds_are_padded_with_silence(tmp_path: Path) -> None:
    written = wav_writer.write_wav(sine(440, 0.02, 48000), 48000, tmp_path / "x.wav")
    read_back, _ = soundfile.read(tmp_path / "x.wav")
    assert (len(read_back), written.padded_frames) == (4900, 3940)
    assert not read_back[960:].any()


def test_one_file_always_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        wav_writer.write_wav(sine(440, 0.5, 44100), 44100, tmp_path / name)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


@pytest.mark.parametrize("channels", range(3, 9))
def test_surround_is_mixed_down_without_clipping(tmp_path: Path, channels: int) -> None:
    full = np.ones((9600, channels), dtype=np.float32)
    written = wav_writer.write_wav(full, 48000, tmp_path / "x.wav")
    read_back, _ = soundfile.read(tmp_path / "x.wav", always_2d=True)
    assert read_back.shape == (9600, 2)
    assert written.channels == 2
    assert read_back.max() < 1.0


HALF = 0.5**0.5


@pytest.mark.parametrize(
    ("channels", "left", "right"),
    [
        (3, [1, 0, HALF], [0, 1, HALF]),
        (4, [1, 0, HALF, 0], [0, 1, 0, HALF]),
        (5, [1, 0, HALF, HALF, 0], [0, 1, HALF, 0, HALF]),
        (6, [1, 0, HALF, 0, HALF, 0], [0, 1, HALF, 0, 0, HALF]),  # no LFE
        (7, [1, 0, *[HALF] * 5], [0, 1, *[HALF] * 5]),  # no layout of its own: all behind the front to both
        (8, [1, 0, HALF, 0, HALF, 0, HALF, 0], [0, 1, HALF, 0, 0, HALF, 0, HALF]),
    ],
)
def test_each_surround_channel_is_heard_on_its_own_side(
    channels: int, left: list[float], right: list[float]
) -> None:
    """Row n of the answer is what a full-scale sound in channel n alone gives."""
    alone = wav_writer.downmix_to_stereo(np.eye(channels, dtype=np.float32))
    assert alone[:, 0] == pytest.approx(np.array(left) / sum(left), abs=1e-6)
    assert alone[:, 1] == pytest.approx(np.array(right) / sum(right), abs=1e-6)


@pytest.mark.parametrize("channels", [1, 2])
def test_mono_and_stereo_are_not_mixed(channels: int) -> None:
    sound = np.eye(channels, dtype=np.float32)
    assert np.array_equal(wav_writer.downmix_to_stereo(sound), sound)


@pytest.mark.parametrize(
    ("steps", "is_exact"), [(32767, True), (32768, False), (-32768, True), (-32769, False), (100.5, False)]
)
def test_only_what_is_a_16_bit_step_already_is_kept_exactly(
    tmp_path: Path, steps: float, is_exact: bool
) -> None:
    sound = np.zeros((9600, 1), dtype=np.float32)
    sound[5000] = steps / 32768
    written = wav_writer.write_wav(sound, 48000, tmp_path / "x.wav")
    assert (written.dithered, written.resampled) == (not is_exact, False)
    kept, _ = soundfile.read(tmp_path / "x.wav", dtype="int16")
    assert not is_exact or (float(kept[5000]) == steps and np.count_nonzero(kept) == 1)


@pytest.mark.parametrize(("peak", "gain_db"), [(0.9999, 0.0), (1.25, 20 * np.log10(32766 / 32768 / 1.25))])
def test_a_sound_is_turned_down_to_just_below_full_scale(tmp_path: Path, peak: float, gain_db: float) -> None:
    sound = np.full((9600, 1), peak, dtype=np.float32)
    written = wav_writer.write_wav(sound, 48000, tmp_path / "x.wav")
    assert written.gain_db == pytest.approx(gain_db, abs=1e-6)
    read_back, _ = soundfile.read(tmp_path / "x.wav", dtype="int16")
    assert abs(read_back.mean() - min(32766, peak * 32768)) < 0.2
    assert read_back.min() >= 32764


def test_dither_is_triangular_and_at_most_a_step_each_way(tmp_path: Path) -> None:
    sound = np.full((48000, 1), 1000.25 / 32768, dtype=np.float32)
    wav_writer.write_wav(sound, 48000, tmp_path / "x.wav")
    read_back, _ = soundfile.read(tmp_path / "x.wav", dtype="int16")
    assert read_back.mean() == pytest.approx(1000.25, abs=0.01)
    shares = [np.mean(read_back == value) for value in (999, 1000, 1001)]
    assert shares == pytest.approx([0.25**2 / 2, 0.6875, 0.75**2 / 2], abs=0.01)


@pytest.mark.parametrize("frames", [1, 65535, 65536, 65537, 140_000])
def test_every_block_of_a_long_sound_is_written_once(tmp_path: Path, frames: int) -> None:
    steps = np.random.default_rng(5).integers(-32768, 32768, (frames, 2), dtype=np.int16)
    written = wav_writer.write_wav(
        (steps / 32768).astype(np.float32), 48000, tmp_path / "x.wav", min_frames=1
    )
    read_back, _ = soundfile.read(tmp_path / "x.wav", dtype="int16")
    assert np.array_equal(read_back, steps)
    assert (written.frames, written.padded_frames, written.dithered) == (frames, 0, False)


@pytest.mark.parametrize(("frames", "padded"), [(0, 4900), (4899, 1), (4900, 0), (4901, 0)])
def test_only_a_sound_below_the_shortest_length_is_padded(tmp_path: Path, frames: int, padded: int) -> None:
    written = wav_writer.write_wav(np.full((frames, 1), 0.5, np.float32), 48000, tmp_path / "x.wav")
    assert (written.padded_frames, written.frames) == (padded, frames + padded)
    assert soundfile.info(tmp_path / "x.wav").frames == frames + padded
    assert (tmp_path / "x.wav").stat().st_size == 44 + 2 * (frames + padded)


@pytest.mark.parametrize(
    ("rate", "frames", "expected"),
    [(44100, 100_001, 108_845), (96000, 99_999, 50_000), (8000, 12_347, 74_082)],
)
def test_a_resampled_sound_is_as_long_as_it_was(
    tmp_path: Path, rate: int, frames: int, expected: int
) -> None:
    """The length is the nearest whole frame, and the sound reaches to its end."""
    sound = np.full((frames, 2), 0.25, dtype=np.float32)
    written = wav_writer.write_wav(sound, rate, tmp_path / "x.wav")
    read_back, _ = soundfile.read(tmp_path / "x.wav")
    assert len(read_back) == written.frames == expected
    assert (written.resampled, written.dithered, written.channels) == (True, True, 2)
    assert np.ptp(read_back[500 : expected - 500]) < 0.001


def test_surround_of_another_rate_becomes_stereo(tmp_path: Path) -> None:
    """Only the front left sounds: it stays on the left, and the right is silent but for the dither."""
    sound = np.zeros((44100, 6), dtype=np.float32)
    sound[:, 0] = 0.5
    written = wav_writer.write_wav(sound, 44100, tmp_path / "x.wav")
    read_back, _ = soundfile.read(tmp_path / "x.wav")
    assert (read_back.shape, written.channels) == ((48000, 2), 2)
    middle = read_back[1000:-1000]
    assert middle[:, 0] == pytest.approx(0.5 / (1 + 2 * HALF), abs=0.001)
    assert np.abs(middle[:, 1]).max() < 3 / 32768
