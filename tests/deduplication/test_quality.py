"""Which copy of a recording is the best, and the words that say why."""

from __future__ import annotations

from typing import Any

import pytest

from app.deduplication.quality import Copy, choose_best, what_differs, why_kept

WHOLE: dict[str, Any] = {
    "format": "WAV",
    "size_bytes": 1_058_444,
    "duration_s": 4.0,
    "sample_rate": 44_100,
    "channels": 2,
    "bit_depth": 24,
    "audio_sha256": None,
    "loudness_db": -14.0,
    "liked": False,
    "is_corrected": False,
    "is_tagged": False,
}
MP3 = {"format": "MP3", "bit_depth": None, "size_bytes": 64_000}


def made_copy(sample_id: str, **figures: Any) -> Copy:
    return Copy(sample_id=sample_id, **WHOLE | figures)


@pytest.mark.parametrize(
    ("better", "worse", "words"),
    [
        (MP3, {"duration_s": 2.8}, "complete"),
        ({"bit_depth": 16}, {"duration_s": 2.8}, "complete"),
        ({"channels": 1}, {"duration_s": 3.5}, "complete"),
        ({"sample_rate": 32_000}, {"duration_s": 2.8, "is_corrected": True}, "complete"),
        ({}, MP3, "lossless"),
        ({}, MP3 | {"duration_s": 4.3}, "lossless"),  # an encoder adds some silence
        ({"duration_s": 3.95}, {"channels": 1}, "stereo"),
        ({}, {"bit_depth": 16, "duration_s": 2.0}, "complete, 24-bit"),
        ({}, {"sample_rate": 22_050}, "44.1 kHz"),
        ({"liked": True}, {}, "liked"),
    ],
)
def test_the_better_copy_stays_and_the_words_say_why(
    better: dict[str, Any], worse: dict[str, Any], words: str
) -> None:
    kept, other = made_copy("B", **better), made_copy("A", **worse)
    assert choose_best([other, kept]) is kept
    assert choose_best([kept, other]) is kept
    assert why_kept(kept, [other], is_chosen=False) == words


def test_a_cut_copy_is_said_to_be_shorter() -> None:
    assert what_differs(made_copy("B", duration_s=2.8), made_copy("A", **MP3)) == "WAV, 1.2 s shorter"
