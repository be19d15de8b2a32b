"""How well two sounds go together: tempo, key, bands, rhythm and role, on sounds whose answer is known."""

from __future__ import annotations

import pytest

from app.audio.goes_with import SoundPart, kit_fit, pair_fit, part_of_measurement, tempo_fit
from app.music.key_fit import best_shift, common_key, key_fit, moved_key
from app.music.sound_classes import LOOP, ONE_SHOT
from tests.measurements import loop_analysis

C_MAJOR = (1.0, 0.0, 0.6, 0.0, 0.8, 0.6, 0.0, 0.9, 0.0, 0.6, 0.0, 0.4)


def loop(
    sound: str = "chords", bpm: float | None = 100.0, key: str | None = "C major", moved: int = 0
) -> SoundPart:
    chroma = tuple(C_MAJOR[(place - moved) % 12] for place in range(12))
    return SoundPart(LOOP, sound, bpm, key, chroma)


@pytest.mark.parametrize(
    ("one", "other", "fit"),
    [
        ("A minor", "A minor", 1.0),
        ("A minor", "C major", 0.9),
        ("A minor", "E minor", 0.8),
        ("A minor", "D minor", 0.8),
        ("A minor", None, 0.5),
        ("C major", "F# major", 0.0),
    ],
)
def test_keys_fit_by_the_camelot_wheel(one: str, other: str | None, fit: float) -> None:
    assert key_fit(one, other) == pytest.approx(fit)
    assert key_fit(other, one) == pytest.approx(fit)


def test_a_key_moves_by_the_fewest_semitones_that_make_it_mix() -> None:
    assert best_shift("A minor", "E minor") == 0
    assert best_shift("G# minor", "A minor") == 1
    assert best_shift("B minor", "A minor") == -2
    assert best_shift("F# major", "A minor") == 0
    assert moved_key("A minor", 3) == "C minor"
    assert common_key([("A minor", 1.0), ("C major", 1.0), ("F# major", 1.0)]) in ("A minor", "C major")
    assert common_key([]) is None


def test_tempi_fit_at_their_half_and_double_and_less_the_more_they_stretch() -> None:
    assert tempo_fit(90, 90) == 1.0
    assert tempo_fit(90, 180) == tempo_fit(180, 90) == pytest.approx(0.9)
    fits = [tempo_fit(100, bpm) for bpm in (100, 103, 108, 115, 122)]
    assert fits == sorted(fits, reverse=True)
    assert fits[-1] < 0.5
    assert tempo_fit(None, 90) == 0.5


def test_the_same_key_and_tempo_go_better_than_another_key_or_tempo() -> None:
    bass = loop("bass")
    near = pair_fit(bass, loop()).total
    assert near > pair_fit(bass, loop(moved=1, key="C# major")).total
    assert near > pair_fit(bass, loop(moved=6, key="F# major")).total
    assert near > pair_fit(bass, loop(bpm=117.0)).total


def test_a_move_of_two_semitones_is_found() -> None:
    assert pair_fit(loop("bass"), loop(moved=2, key="D major")).shift == 2
    assert pair_fit(loop("bass"), loop(moved=-1, key="B major")).shift == -1


def test_two_basses_are_in_each_others_way_and_drums_need_no_key() -> None:
    assert pair_fit(loop("bass"), loop("bass")).parts["role"] == 0.0
    assert pair_fit(loop("bass"), loop("drums", key="F# major", moved=6)).parts["key"] == 0.5
    kicks = SoundPart(ONE_SHOT, "kick"), SoundPart(ONE_SHOT, "kick")
    assert pair_fit(*kicks).parts["tempo"] == 0.5


def test_bands_that_do_not_overlap_go_better() -> None:
    low, high = (1.0, *[0.0] * 7), (*[0.0] * 7, 1.0)
    one = SoundPart(ONE_SHOT, "kick", bands=low)
    assert pair_fit(one, SoundPart(ONE_SHOT, "shaker", bands=high)).parts["bands"] == 1.0
    assert pair_fit(one, SoundPart(ONE_SHOT, "tom", bands=low)).parts["bands"] == 0.0


def test_the_odd_one_of_a_kit_has_the_least_fit() -> None:
    parts = [loop("bass"), loop(), loop("drums"), loop("melody", bpm=133.0, key="F# major", moved=6)]
    total, each = kit_fit(parts)
    assert total is not None
    assert min(range(4), key=lambda place: each[place] or 0.0) == 3
    assert kit_fit([loop()]) == (None, [None])


def test_a_part_is_read_from_a_stored_measurement() -> None:
    part = part_of_measurement(loop_analysis().to_dict(), LOOP, "drums", 100.0, None)
    assert len(part.bands) == 8
    assert sum(part.bands) == pytest.approx(1.0)
    assert len(part.steps) == 16
    assert part_of_measurement({}, ONE_SHOT, None, None, None).bands == ()
