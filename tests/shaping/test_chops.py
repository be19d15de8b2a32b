"""Frames of a stored WAV, whether it is read at once or in parts, and cuts that a producer chose."""

from __future__ import annotations

import struct
import wave
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.audio.render import chop
from app.audio.render.recipe import RecipeError
from app.extensions import settings
from app.integrations.storage import open_store
from app.models import Sample, User
from app.models.base import transaction
from app.shaping import chops
from app.shaping.chops import Chops, WavFrames
from tests.search.test_text_conditions import shelve

FRAMES = 1_003


def stored_wav(sample: Sample, path: Path, channels: int, values: Sequence[int] = ()) -> None:
    """Store a WAV; unless told otherwise, its frames count up and differ in each channel."""
    values = values or [1 + 10 * frame + channel for frame in range(FRAMES) for channel in range(channels)]
    with wave.open(str(path), "wb") as writer:
        writer.setparams((channels, 2, 48_000, FRAMES, "NONE", ""))
        writer.writeframes(struct.pack(f"<{len(values)}h", *values))
    open_store(settings()).put(sample.sp404_key, path, "audio/wav")


@pytest.fixture
def sample(owner: User) -> Sample:
    return shelve(owner, {"Loop": {}})["Loop"]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("at_once", [True, False])
def test_any_part_of_a_sound_is_read(
    sample: Sample, tmp_path: Path, channels: int, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = FRAMES * 2 * channels
    monkeypatch.setattr(chops, "WHOLE_BYTES", size if at_once else size - 1)
    stored_wav(sample, tmp_path / "a.wav", channels)
    sound = WavFrames(sample.sp404_key)
    assert len(sound) == FRAMES
    frames = [tuple(1 + 10 * frame + channel for channel in range(channels)) for frame in range(FRAMES)]
    for part in (slice(0, 3), slice(3, 5), slice(1_000, 2_000), slice(None), slice(-2, None)):
        assert sound[part] == frames[part]
    for nothing in (slice(5, 5), slice(5, 3), slice(FRAMES, FRAMES + 5)):
        assert sound[nothing] == []
    open_store(settings()).delete(sample.sp404_key)
    if at_once:
        assert sound[3:5] == frames[3:5], "nothing more is read of a short sound"


def test_chosen_cuts_are_in_order_begin_at_0_and_are_inside_the_sound(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    square = [1_000 if frame // 100 % 2 else -1_000 for frame in range(FRAMES)]
    stored_wav(sample, tmp_path / "a.wav", 1, square)
    monkeypatch.setattr(chop, "MAX_CHOPS", 3)
    found = chops.chosen_chops(sample, [695, 203])
    assert found == Chops((0, 200, 700), FRAMES, sample.features.sample_rate)
    assert chops.chosen_chops(sample, [700, 0, 700]).cuts == (0, 700)
    assert chops.chosen_chops(sample, [FRAMES - 1]).cuts == (0, 1_000), "the last frame is inside"
    for outside in ([200, FRAMES], [FRAMES + 1]):
        with pytest.raises(RecipeError, match=rf"Frame {outside[-1]:,} is outside .* 1,003 frames"):
            chops.chosen_chops(sample, outside)
    with pytest.raises(RecipeError, match="at most"):
        chops.chosen_chops(sample, [200, 400, 700])


def test_cuts_are_counted_in_the_frames_of_the_original(sample: Sample) -> None:
    with transaction():
        sample.duration_s = 2.0
        sample.features.sample_rate = 22_050
    found = Chops((0, 1, 48_000, 95_999, 96_000), 96_001, 22_050)
    assert [found.source_frame(frame) for frame in (0, 48_000, 96_000)] == [0, 22_050, 44_100]
    assert chops.source_frames(sample) == 44_100
    assert chops.source_cuts(sample, found) == [0, 22_050], (
        "what its rate can't tell apart or ends it is left out"
    )
    earlier = Chops((0, 24_000), 96_001, 22_050)
    assert chops.source_cuts(sample, earlier) == [0, 11_025]
