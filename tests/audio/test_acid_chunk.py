"""The tempo that a WAV states: renders write it, the analysis reads it, and nonsense does no harm."""

from __future__ import annotations

import struct
import wave
from io import BytesIO
from pathlib import Path

import pytest
import soundfile

from app.audio.acid_chunk import StatedTempo, find_stated_tempo, state_tempo
from app.audio.decoding.decode_limits import DecodeLimits
from app.audio.decoding.decoder import DecodedAudio, decode_file
from app.audio.file_report import measure_decoded
from tests.audio.decoding.pcm_packing import Coding, chunk, pack, tone
from tests.audio.decoding.wav_family import fmt, riff
from tests.audio.render.sounds import RATE, Studio
from tests.audio.signals import RATE_HZ, drums

FIELDS = "<IHHfIHHf"


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def _decode(path: Path) -> DecodedAudio:
    folder = path.parent / "decoded"
    folder.mkdir(exist_ok=True)
    return decode_file(path, folder)


def test_a_loop_states_its_new_tempo_behind_its_sound_and_the_analysis_reads_it(studio: Studio) -> None:
    recipe = {"bpm": 222.0, "from_bpm": 148.0, "beats": 16}
    done, _ = studio.render(drums(148, 16), RATE_HZ, **recipe)
    decoded = _decode(studio.path)
    assert decoded.stated_tempo == StatedTempo(222.0, 16)
    assert len(decoded.samples) == done.wav.frames == round(16 * 60 * RATE / 222)
    found = measure_decoded(decoded, "")  # more beats a minute than the ear counts to
    assert (found.bpm, found.bpm_source, found.kind, found.warnings) == (222.0, "file header", "loop", ())
    with wave.open(str(studio.path)) as plain:
        assert plain.getnframes() == done.wav.frames
    assert struct.unpack_from("<I", studio.path.read_bytes(), 4)[0] == studio.path.stat().st_size - 8
    with soundfile.SoundFile(studio.path) as read:  # libsndfile lists what it reads
        said = " ".join(read.extra_info.split())
    assert [words in said for words in ("Loop", "Tempo : 222", "Beats : 16")] == [True] * 3


def test_a_loop_whose_silent_end_is_cut_has_the_tempo_that_was_asked_for(studio: Studio) -> None:
    loop = drums(120, 8)
    loop[int(7.7 * 0.5 * RATE_HZ) :] = 0
    recipe = {"trim_db": -60.0, "whole_beats": True, "beats": 8, "from_bpm": 120.0, "bpm": 100.0}
    done, _ = studio.render(loop, RATE_HZ, **recipe)
    assert done.wav.frames == 7 * 60 * RATE / 100
    assert _decode(studio.path).stated_tempo == StatedTempo(100.0, 7)


@pytest.mark.parametrize(
    ("beats", "off_s"),
    [(1, 0.005), (4, 0.02), (9, 0.045), (10, 0.05), (11, 0.05), (90, 0.05)],
)
def test_a_loop_is_as_long_as_its_beats_within_one_percent_and_a_tenth_of_a_beat(
    beats: int, off_s: float
) -> None:
    """At 120 BPM a beat is half a second. A recording with a counted tempo is further off."""
    tempo = StatedTempo(120.0, beats)
    for share, fits in ((0.0, True), (0.98, True), (1.02, False), (10.0, False)):
        for sign in (-1, 1):
            assert tempo.fits(beats / 2 + sign * share * off_s) is fits, (share, sign)


@pytest.mark.parametrize(
    ("flags", "bpm", "stated"),
    [
        (0, 20.0, 20.0),
        (0, 19.9, None),
        (0, 400.0, 400.0),
        (0, 400.1, None),
        (0, 92.12345, 92.1235),  # four decimals of a float of 32 bits
        (2, 120.0, 120.0),  # its root note is set
        (4, 120.0, 120.0),
        (16, 120.0, 120.0),
        (1, 120.0, None),
        (8, 120.0, None),
        (5, 120.0, None),
        (12, 120.0, None),
    ],
)
def test_a_tempo_is_read_within_its_range_and_of_loops_alone(
    flags: int, bpm: float, stated: float | None
) -> None:
    body = struct.pack(FIELDS, flags, 60, 0, 0, 3, 4, 4, bpm) + b"more"
    whole = riff(chunk(b"fmt ", fmt(1, Coding(16))), chunk(b"acid", body))
    expected = None if stated is None else StatedTempo(stated, 3)
    assert find_stated_tempo(BytesIO(whole), len(whole), DecodeLimits()) == expected


def test_a_chunk_behind_all_others_that_are_read_is_passed_over() -> None:
    """Looking for a tempo refuses no file: it ends before there are more chunks than the limit allows."""
    filler = chunk(b"junk", bytes(4))
    acid = chunk(b"acid", struct.pack(FIELDS, 0, 60, 0, 0, 4, 4, 4, 120.0))
    for before, found in ((0, True), (1, True), (2, False), (3, False)):
        whole = riff(*[filler] * before, acid, filler, filler)
        tempo = find_stated_tempo(BytesIO(whole), len(whole), DecodeLimits(chunks_max=3))
        assert (tempo == StatedTempo(120.0, 4)) is found


def test_a_stated_tempo_is_added_at_the_end_and_nothing_else_changes(tmp_path: Path) -> None:
    coding, path = Coding(16), tmp_path / "a.wav"
    plain = riff(chunk(b"fmt ", fmt(1, coding)), chunk(b"data", pack(tone(1), coding)))
    path.write_bytes(plain)
    state_tempo(path, StatedTempo(92.5, 16))
    written = path.read_bytes()
    assert written[:4] + written[8 : len(plain)] == plain[:4] + plain[8:]
    assert struct.unpack_from("<I", written, 4)[0] == len(written) - 8
    assert written[len(plain) : len(plain) + 8] == b"acid" + struct.pack("<I", struct.calcsize(FIELDS))
    stretches, no_root, unused = 4, 60, 0x8000
    assert struct.unpack(FIELDS, written[len(plain) + 8 :]) == (
        stretches, no_root, unused, 0.0, 16, 4, 4, 92.5,
    )  # fmt: skip


@pytest.mark.parametrize(
    "recipe",
    [
        {},
        {"bpm": 100.0, "from_bpm": 120.0},
        {"beats": 4, "bpm": 100.0, "from_bpm": 120.0, "min_frames": 400_000},
        {"whole_beats": True, "from_bpm": 120.0},
    ],
    ids=["nothing changed", "no whole beats", "silence added", "no tempo asked for"],
)
def test_what_is_no_whole_loop_states_no_tempo(studio: Studio, recipe: dict[str, float]) -> None:
    studio.render(drums(120, 4), RATE_HZ, **recipe)
    assert b"acid" not in studio.path.read_bytes()
    assert _decode(studio.path).stated_tempo is None


@pytest.mark.parametrize(
    "body",
    [
        struct.pack(FIELDS, 1, 60, 0, 0, 4, 4, 4, 120.0),
        struct.pack(FIELDS, 8, 60, 0, 0, 4, 4, 4, 120.0),
        struct.pack(FIELDS, 0, 60, 0, 0, 0, 4, 4, 120.0),
        struct.pack(FIELDS, 0, 60, 0, 0, 4, 4, 4, float("nan")),
        struct.pack(FIELDS, 0, 60, 0, 0, 4, 4, 4, float("inf")),
        struct.pack(FIELDS, 0, 60, 0, 0, 4, 4, 4, 19.0),
        struct.pack(FIELDS, 0, 60, 0, 0, 4, 4, 4, 120.0)[:-1],
        b"",
    ],
    ids=["one-shot", "recording", "no beats", "NaN", "endless", "slow", "cut short", "empty"],
)
@pytest.mark.parametrize("before", [False, True])
def test_a_tempo_that_makes_no_sense_is_passed_over(tmp_path: Path, body: bytes, before: bool) -> None:
    coding = Coding(16)
    head, acid = chunk(b"fmt ", fmt(1, coding)), chunk(b"acid", body)
    data = chunk(b"data", pack(tone(1), coding))
    path = tmp_path / "a.wav"
    path.write_bytes(riff(head, acid, data) if before else riff(head, data, acid))
    decoded = _decode(path)
    assert decoded.stated_tempo is None
    assert len(decoded.samples) == len(tone(1))
