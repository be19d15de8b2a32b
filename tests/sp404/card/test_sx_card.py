"""The card of the SP-404SX, compared with the text of its format."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from app.sp404.card.card_builder import build
from app.sp404.card.card_files import write_files
from app.sp404.card.sx_card import place_on_sx, sx_pad
from app.sp404.errors import UnitFileError
from app.sp404.pads import PAD_NAMES
from tests.sp404.card.made_kits import card_sound, make_kit, pad

FOLDER = "ROLAND/SP-404SX/SMPL"


def test_a_pad_is_a_wav_with_its_audio_from_byte_512(tmp_path: Path) -> None:
    sound = card_sound(tmp_path, 9_600, 2)
    write_files(build(make_kit({"C12": pad()}), {"C12": sound}, ["sx"]), tmp_path / "o")
    data = (tmp_path / "o" / FOLDER / "C0000012.WAV").read_bytes()
    pcm = (tmp_path / "9600-2-44100.wav").read_bytes()[44:]
    assert data[512:] == pcm
    assert len(pcm) == 8_820 * 4
    assert data[:12] == b"RIFF" + struct.pack("<I", len(data) - 8) + b"WAVE"
    fmt = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 1, 2, 44_100, 176_400, 4, 16, 0)
    rlnd = b"RLND" + struct.pack("<I", 458) + b"roifspsx\x04\0\0\0" + bytes([35])
    assert data[12:512] == (fmt + rlnd).ljust(492, b"\0") + b"data" + struct.pack("<I", len(pcm))


def test_pad_info_has_points_ways_to_play_and_tempo(tmp_path: Path) -> None:
    loop = pad(level=100, loop=True, play_mode="reverse", bpm=92.17, bpm_sync=True, start=4_800, end=9_000)
    sounds = {"A2": card_sound(tmp_path, 9_600, 2), "A1": card_sound(tmp_path, 9_600, 1)}
    kit = make_kit({"A1": pad(gate=False, loop=True), "A2": loop})
    write_files(build(kit, sounds, ["sx"]), tmp_path / "o")
    info = (tmp_path / "o" / FOLDER / "PAD_INFO.BIN").read_bytes()
    assert len(info) == 120 * 32
    end = 512 + 8_820 * 2
    assert struct.unpack(">IIII8BII", info[:32]) == (
        *(512, end, 512, end),
        *(127, 0, 1, 0, 0, 1, 1, 0),
        *(900, 900),
    )
    start, stop = 512 + 4_410 * 4, 512 + round(9_000 * 0.91875) * 4
    assert struct.unpack(">IIII8BII", info[32:64]) == (
        *(512, 512 + 8_820 * 4, start, stop),
        *(100, 0, 1, 1, 1, 1, 2, 1),
        *(922, 922),
    )
    assert struct.unpack(">IIII", info[64:80]) == (512,) * 4


def test_pads_13_to_16_go_to_unused_banks_first() -> None:
    places = place_on_sx(["A1", "A13", "A16", "B2", "B14"])
    assert {pad: sx_pad(place) for pad, place in places.items()} == {
        "A1": "A1",
        "B2": "B2",
        "A13": "C1",
        "A16": "C2",
        "B14": "C3",
    }


def test_120_pads_fit_and_the_rest_is_named() -> None:
    places = place_on_sx(list(PAD_NAMES))
    assert sorted(places.values()) == list(range(120))
    assert set(PAD_NAMES) - set(places) == {pad for pad in PAD_NAMES if int(pad[1:]) > 12}


def test_a_full_kit_leaves_pads_out_and_says_so(tmp_path: Path) -> None:
    sound = card_sound(tmp_path, 5_000)
    kit = make_kit({place: pad() for place in PAD_NAMES})
    write_files(build(kit, dict.fromkeys(PAD_NAMES, sound), ["sx"]), tmp_path / "o")
    assert len(list((tmp_path / "o" / FOLDER).glob("*.WAV"))) == 120
    report = (tmp_path / "o/report.csv").read_text(encoding="utf-8")
    assert report.count("Left out: The SP-404SX has 120 pads, and all are full.") == 40


def test_a_sound_without_44100_hz_is_refused(tmp_path: Path) -> None:
    sound = card_sound(tmp_path, at_44100=None)
    with pytest.raises(UnitFileError, match=r"A1: There is no 44\.1 kHz version"):
        write_files(build(make_kit({"A1": pad()}), {"A1": sound}, ["sx"]), tmp_path / "o")
    assert not (tmp_path / "o").exists()
