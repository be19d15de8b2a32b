"""Each step of a render does what it says, exactly, and leaves the rest alone."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest

from app.audio import wav_writer
from app.audio.decoding.scratch_file import BLOCK_VALUES
from app.audio.render.recipe import RecipeError, RenderRecipe
from app.audio.render.source_part import EmptyPartError
from app.audio.render.stretch_length import stretch_length
from tests.audio.render.sounds import RATE, Sound, Studio, hits, sine, steps


def rms(sound: Sound) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def loudest_hz(sound: Sound) -> float:
    spectrum = np.abs(np.fft.rfft(sound[:, 0] * np.hanning(len(sound)), 8 * len(sound)))
    return float(np.argmax(spectrum)) * RATE / (8 * len(sound))


def true_peak_by_ffmpeg(path: Path) -> float:
    """Return the true peak in dBTP as another program measures it."""
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-nostats",
        "-i",
        str(path),
        "-filter_complex",
        "ebur128=peak=true",
    ]
    told = subprocess.run([*command, "-f", "null", "-"], capture_output=True, text=True, check=True).stderr
    return float(re.findall(r"Peak:\s+(-?[\d.]+) dBFS", told)[-1])


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000, 384_000])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_the_empty_recipe_gives_the_units_wav_byte_for_byte(studio: Studio, rate: int, channels: int) -> None:
    sound = np.tile(sine(220, 0.5, rate)[:, :1], (1, channels)).astype(np.float32)
    wav_writer.write_wav(sound, rate, studio.folder / "plain.wav")
    studio.render(sound, rate)
    assert studio.path.read_bytes() == (studio.folder / "plain.wav").read_bytes()


def test_equal_recipes_give_equal_bytes(studio: Studio) -> None:
    recipe = {"bpm": 93.0, "from_bpm": 87.0, "transpose": 2.0, "level": -1.0, "fade_out_ms": 5.0}
    studio.render(sine(220, 2.0, 44_100), 44_100, **recipe)
    first = studio.path.read_bytes()
    studio.render(sine(220, 2.0, 44_100), 44_100, **recipe)
    assert studio.path.read_bytes() == first


def test_a_part_is_cut_to_the_frame_and_keeps_its_bits(studio: Studio) -> None:
    sound = steps(30_000, 2)
    done, made = studio.render(sound, start=1_000, end=21_000)
    assert (done.start, done.end, done.wav.dithered) == (1_000, 21_000, False)
    assert np.array_equal(made, sound[1_000:21_000])


def test_silence_is_cut_at_both_ends_down_to_the_threshold(studio: Studio) -> None:
    loud = sine(1000, 0.5)
    quiet = np.full((4_800, 2), 10 ** (-70 / 20) * 0.5, dtype=np.float32)
    sound = np.concatenate([quiet, loud, quiet])
    done, _ = studio.render(sound, trim_db=-60.0)
    assert done.start == pytest.approx(4_800, abs=2)
    assert done.end == pytest.approx(4_800 + 24_000, abs=60)
    done, _ = studio.render(sound, trim_db=-80.0)
    assert (done.start, done.end) == (0, len(sound))


def test_silence_is_cut_at_both_ends_of_a_long_sound(studio: Studio) -> None:
    quiet, loud = np.zeros((9_600, 2), dtype=np.float32), sine(1000, 6.0)
    assert loud.size > 2 * BLOCK_VALUES
    done, _ = studio.render(np.concatenate([quiet, loud, quiet]), trim_db=-60.0)
    assert (done.start, done.end) == pytest.approx((9_600, 9_600 + len(loud)), abs=2)


def test_silence_stays_silence(studio: Studio) -> None:
    done, made = studio.render(
        np.zeros((9_600, 2), dtype=np.float32), trim_db=-60.0, level=-1.0, remove_dc=True, transpose=3.0
    )
    assert done.wav.frames == 9_600
    assert np.abs(made).max() <= 2 / 32768


def test_a_loop_is_cut_to_whole_beats(studio: Studio) -> None:
    sound = sine(220, 4 * 60 / 93 + 0.2)
    done, made = studio.render(sound, whole_beats=True, from_bpm=93.0)
    assert len(made) == done.end == round(4 * 60 * RATE / 93)


def test_an_offset_is_removed_from_each_channel(studio: Studio) -> None:
    _, made = studio.render(sine(100) * 0.5 + np.array([0.1, -0.2], dtype=np.float32), remove_dc=True)
    assert np.abs(made.mean(axis=0)).max() < 1e-5


@pytest.mark.parametrize(("mono", "expected"), [("sum", (0.3 - 0.1) / 2), ("left", 0.3), ("right", -0.1)])
def test_one_channel_is_made_of_two(studio: Studio, mono: str, expected: float) -> None:
    done, made = studio.render(np.full((9_600, 2), (0.3, -0.1), dtype=np.float32), mono=mono)
    assert (made.shape[1], done.wav.channels) == (1, 1)
    assert made[4_000, 0] == pytest.approx(expected, abs=2 / 32768)


@pytest.mark.parametrize(("side", "channels"), [(10 ** (-62 / 20), 1), (10 ** (-58 / 20), 2)])
def test_sides_that_nobody_would_miss_are_dropped(studio: Studio, side: float, channels: int) -> None:
    middle, sides = sine(220, level=0.4), sine(330, level=0.4 * side) * np.array([1, -1], dtype=np.float32)
    done, _ = studio.render(middle + sides, mono="auto")
    assert done.wav.channels == channels


@pytest.mark.parametrize("speed", [1.35, 0.5])
def test_speed_changes_pitch_and_length_together(studio: Studio, speed: float) -> None:
    _, made = studio.render(sine(220, 2.0), speed=speed)
    assert len(made) == round(2 * RATE / speed)
    assert loudest_hz(made) == pytest.approx(220 * speed, rel=0.0002)


@pytest.mark.parametrize("semitones", [-12, -3, 0.5, 7, 12])
def test_a_transposition_keeps_the_length_and_has_the_exact_pitch(studio: Studio, semitones: float) -> None:
    _, made = studio.render(sine(220, 3.0, 44_100), 44_100, transpose=float(semitones))
    assert len(made) == 3 * RATE
    cents = 1200 * np.log2(loudest_hz(made[RATE // 2 : -RATE // 2]) / 220) - 100 * semitones
    assert abs(cents) < 0.5


@pytest.mark.parametrize("method", ["whole", "slices"])
@pytest.mark.parametrize("bpm", [60.5, 93.0, 120.01, 170.0])
def test_a_loop_has_exactly_the_frames_of_its_beats(studio: Studio, method: str, bpm: float) -> None:
    sound = hits([k * 0.5 for k in range(8)], 4.003)  # cut a little late
    done, made = studio.render(
        sound, bpm=bpm, from_bpm=120.0, beats=8, method=method, onsets=tuple(k * 0.5 for k in range(1, 8))
    )
    assert len(made) == round(8 * 60 * RATE / bpm)
    assert (done.length.bpm, done.length.is_folded) == (bpm, False)


@pytest.mark.parametrize(("asked", "used"), [(50.0, 100.0), (29.0, 116.0), (250.0, 125.0), (60.0, 60.0)])
def test_a_tempo_too_far_away_is_halved_or_doubled(studio: Studio, asked: float, used: float) -> None:
    done, made = studio.render(hits([0.0, 1.0], 4.0), bpm=asked, from_bpm=120.0, beats=8)
    assert (done.length.bpm, done.length.is_folded) == (used, asked != used)
    assert len(made) == round(8 * 60 * RATE / used)


def test_a_tempo_is_met_at_another_speed_too() -> None:
    recipe = RenderRecipe(speed=1.2, bpm=100.0, from_bpm=120.0)
    length = stretch_length(4 * RATE, RATE, recipe)  # eight beats at 120
    assert (length.resampled, length.final) == (round(4 / 1.2 * RATE), round(8 * 60 / 100 * RATE))


def test_a_length_is_met_to_the_frame(studio: Studio) -> None:
    _, made = studio.render(sine(220, 1.0), length_s=1.2345)
    assert len(made) == round(1.2345 * RATE)


def test_stretching_keeps_the_mean_level(studio: Studio) -> None:
    sound = hits([k * 0.25 for k in range(16)], 4.0)
    _, made = studio.render(sound, bpm=150.0, from_bpm=120.0, beats=8)
    assert rms(made) == pytest.approx(rms(sound), rel=0.01)


def test_equal_channels_stay_equal_when_they_are_stretched(studio: Studio) -> None:
    _, made = studio.render(sine(220, 1.0), length_s=1.5, fade_in_ms=1.0)
    assert np.abs(made[:, 0] - made[:, 1]).max() <= 2 / 32768  # dither is the channels' own


def test_moved_slices_are_what_was_recorded(studio: Studio) -> None:
    times = [0.0, 0.5, 1.0, 1.5]
    sound = hits(times, 2.0)
    for bpm in (100.0, 140.0):
        _, made = studio.render(sound, bpm=bpm, from_bpm=120.0, beats=4, method="slices", onsets=tuple(times))
        for time in times:
            before = round(time * RATE)
            after = round(before * (len(made) / len(sound)))
            assert np.abs(sound[before : before + 2_000] - made[after : after + 2_000]).max() <= 2 / 32768


def test_the_hits_of_a_transposed_break_are_moved_to_their_beats(studio: Studio) -> None:
    times = [0.0, 0.5, 1.0, 1.5]
    sound, onsets = hits(times, 2.0), tuple(times)
    _, made = studio.render(
        sound, bpm=100.0, from_bpm=120.0, beats=4, method="slices", onsets=onsets, transpose=3.0
    )
    loud = np.flatnonzero(np.abs(made[:, 0]) > 0.1)
    begins = loud[np.diff(loud, prepend=-RATE) > RATE // 10]
    assert begins / RATE == pytest.approx([0.0, 0.6, 1.2, 1.8], abs=0.003)


def test_a_reversed_sound_is_the_original_backwards(studio: Studio) -> None:
    sound = steps(300_000, 1)
    _, once = studio.render(sound, reverse=True)
    assert np.array_equal(once, sound[::-1])


@pytest.mark.parametrize(("curve", "middle"), [("linear", 0.5), ("smooth", 0.5), ("fast", 0.7071)])
def test_fades_have_their_curve(studio: Studio, curve: str, middle: float) -> None:
    _, made = studio.render(
        np.full((48_000, 1), 0.5, dtype=np.float32), fade_in_ms=100.0, fade_out_ms=200.0, fade_curve=curve
    )
    assert (made[0, 0], made[-1, 0]) == (0, 0)
    assert made[2_400, 0] == pytest.approx(0.5 * middle, abs=0.001)
    assert made[-4_801, 0] == pytest.approx(0.5 * middle, abs=0.001)
    assert made[24_000, 0] == pytest.approx(0.5, abs=2 / 32768)


def test_a_gain_is_exact_to_a_hundredth_of_a_decibel(studio: Studio) -> None:
    sound = sine(220, 2.0, level=0.25)
    for gain_db in (-6.0, -0.1, 5.5):
        _, made = studio.render(sound, gain_db=gain_db)
        assert 20 * np.log10(rms(made) / rms(sound)) == pytest.approx(gain_db, abs=0.01)


def test_a_true_peak_is_met_as_another_program_measures_it(studio: Studio) -> None:
    between: Sound = np.repeat(  # its peak lies between the samples
        0.3 * np.sin(2 * np.pi * 12_000 * np.arange(96_000) / RATE + np.pi / 4)[:, None], 2, axis=1
    ).astype(np.float32)
    studio.render(between, level=-1.0, level_unit="dBTP", fade_in_ms=20.0, fade_out_ms=20.0)
    assert true_peak_by_ffmpeg(studio.path) == pytest.approx(-1.0, abs=0.1)


@pytest.mark.parametrize(("unit", "level"), [("dBFS", -3.0), ("LUFS", -23.0)])
def test_a_level_is_met(studio: Studio, unit: str, level: float) -> None:
    done, made = studio.render(sine(997, 3.0, level=0.2), level=level, level_unit=unit)
    # A 997 Hz sine on two channels has its peak level as its loudness (BS.1770).
    assert 20 * np.log10(np.abs(made).max()) == pytest.approx(level, abs=0.02)
    assert done.level_db == pytest.approx(level - 20 * np.log10(0.2), abs=0.02)


def test_a_level_that_would_clip_is_turned_down_and_said(studio: Studio) -> None:
    done, made = studio.render(hits([0.0], 1.0), level=-5.0, level_unit="LUFS")
    assert done.wav.gain_db < -1
    assert np.abs(made).max() <= 1


def test_a_short_sound_is_filled_up(studio: Studio) -> None:
    done, made = studio.render(sine(220, 0.01), end=1)
    assert len(made) == 4_900
    assert done.wav.padded_frames == 4_899
    _, made = studio.render(sine(220, 0.01), min_frames=0)
    assert len(made) == 480


def test_one_frame_survives_every_step(studio: Studio) -> None:
    done, _ = studio.render(
        np.full((1, 2), 0.5, dtype=np.float32), trim_db=-60.0, remove_dc=True, mono="sum", speed=0.5,
        reverse=True, fade_in_ms=5.0, fade_out_ms=5.0, level=-1.0,
    )  # fmt: skip
    assert done.wav.frames == 4_900


def test_nothing_left_is_said(studio: Studio) -> None:
    with pytest.raises(EmptyPartError, match="Nothing is left"):
        studio.render(sine(), start=48_000)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({"bpm": 90.0}, "No tempo is known"),
        ({"whole_beats": True}, "No tempo is known"),
        ({"length_s": 3.0}, "between 0.50 and 2.00 seconds, not to 3.00"),
        ({"speed": 0.25, "length_s": 900.0}, "between 2.00 and 8.00 seconds"),
    ],
)
def test_what_can_not_be_done_is_said(studio: Studio, recipe: dict[str, Any], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        studio.render(sine(), **recipe)


class Long:
    """A sound of any length that takes no memory."""

    def __init__(self, frames: int) -> None:
        self.shape = (frames, 1)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, span: slice, /) -> Sound:
        first, last, _ = span.indices(len(self))
        return np.zeros((last - first, 1), dtype=np.float32)


def test_a_sound_too_long_to_stretch_is_refused_and_can_be_shaped_otherwise(studio: Studio) -> None:
    with pytest.raises(RecipeError, match="up to 5 minutes"):
        studio.render(Long(301 * RATE), transpose=1.0)
    with pytest.raises(RecipeError, match="a pad holds 16"):
        studio.render(Long(961 * RATE), gain_db=-1.0)
    done, _ = studio.render(Long(301 * RATE), gain_db=-1.0)
    assert done.wav.frames == 301 * RATE
