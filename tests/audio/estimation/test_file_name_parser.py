"""Facts are read from file names that state them, and not from names that only look like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio.estimation.file_name_parser import parse_file_name


@pytest.mark.parametrize(
    ("name", "bpm", "key"),
    [
        ("SM_NP_100_guitar_Dmaj.wav", 100, "D major"),
        ("Loop 93bpm Cm.wav", 93, "C minor"),
        ("break-174 BPM.aif", 174, None),
        ("bpm128_bass_F#min.wav", 128, "F# minor"),
        ("Keys_Bbm_87.5bpm.mp3", 87.5, "A# minor"),
        ("Pad - A Minor - 120.flac", 120, "A minor"),
        ("drum_Eb_major_90.wav", 90, "D# major"),
        ("C:\\samples\\140_Gmin_lead.wav", 140, "G minor"),
        ("Kick 03.wav", None, None),
        ("Juno 106 Pad 90.wav", None, None),
        ("909_hat.wav", None, None),
        ("A new beginning.wav", None, None),
        ("Gabber 222bpm.wav", 222, None),
        ("Crate 301bpm.wav", None, None),
        ("Cabasa 1999bpm.wav", None, None),
        ("Slow sludge 40bpm.wav", 40, None),
        ("Slow sludge 39.9bpm.wav", None, None),
        ("minor threat.wav", None, None),
        ("", None, None),
    ],
)
def test_tempo_and_key_are_read(name: str, bpm: float | None, key: str | None) -> None:
    found = parse_file_name(name)
    assert (found.bpm, found.key) == (bpm, key)


@pytest.mark.parametrize(
    ("name", "sound", "kind"),
    [
        ("Kick_01.wav", "kick", None),
        ("808 Bass Loop.wav", "bass", "loop"),
        ("HH closed.wav", "closed hat", None),
        ("OpenHat 03.wav", "open hat", None),
        ("Hat 03.wav", "hi-hat", None),
        ("Shaker_01.wav", "shaker", None),
        ("Rimshot.wav", "rim", None),
        ("Riser 8 bars.wav", "fx", None),
        ("Riser_01.wav", "fx", "texture"),
        ("downlifter long.wav", "fx", "texture"),
        ("Vinyl Atmos 2.wav", None, "texture"),
        ("street ambience.wav", None, "texture"),
        ("Field Recording rain.wav", None, "texture"),
        ("drones/Cold Drone.wav", None, "texture"),
        ("Foley hit.wav", None, None),
        ("Dark Textures - Kick 01.wav", "kick", None),
        ("Snare hit.wav", "snare", "one-shot"),
        ("Djembe1 Bass.wav", "percussion", None),
        ("Wood Block 2.wav", "percussion", None),
        ("Fretless Bass.wav", "bass", None),
        ("vox chop.wav", "vocal-like", None),
        ("kicking back.wav", None, None),
        ("shattered.wav", None, None),
    ],
)
def test_sound_and_kind_are_read(name: str, sound: str | None, kind: str | None) -> None:
    found = parse_file_name(name)
    assert (found.sound, found.kind) == (sound, kind)


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("Demo drum loop 92.wav", "drums"),
        ("TopLoop_124.wav", "percussion"),
        ("perc loops 01.wav", "percussion"),
        ("808 Bass Loop.wav", "bass"),
        ("chord loop Am.wav", "chords"),
        ("Melodic Loop.wav", "melody"),
        ("full mix loop.wav", "full mix"),
        ("laptop loop.wav", None),
        ("Bass 01.wav", None),
    ],
)
def test_the_class_of_a_loop_is_read(name: str, sound: str | None) -> None:
    assert parse_file_name(name).loop_sound == sound


@given(st.text(max_size=80))
def test_parsing_never_fails(name: str) -> None:
    found = parse_file_name(name)
    assert found.bpm is None or 40 <= found.bpm <= 300
