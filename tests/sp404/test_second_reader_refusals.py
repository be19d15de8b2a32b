"""The second reader refuses hand-built files in which one rule is broken, and says which."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.sp404 import hand_built
from tests.sp404.reading import smp
from tests.sp404.second_reader import BrokenFile, read_project

CONF, MONO, PTN = "PADCONF.BIN", "SMPL/BANK1-01.SMP", "PTN/PTN00001.BIN"
STEREO, BMP = "SMPL/BANK10-16.SMP", "PICTURE/startup_1.bmp"
A1, A2, J16, A1_CHOPS = 0xA0, 0xA0 + 172, 0xA0 + 159 * 172, 0x7B20

# Bytes of a good project that are replaced: file, offset, new bytes, part of the answer.
DAMAGED_SETTINGS = [
    (CONF, 0x00, "53", "starts with b'SFPD', not RFPD"),
    (CONF, 0x07, "A4", "word 0x04 is 0xa4"),
    (CONF, 0x08, "01", "version 01 00 00 00, not 2 or 3"),
    (CONF, 0x0B, "01", "version 03 00 00 01, not 2 or 3"),
    (CONF, 0x0E, "7B", "word 0x0C is 0x7b80"),
    (CONF, 0x10, "00020000", "unknown bits beside the project tempo"),
    (CONF, 0x10, "00000F9F", "The project tempo is 39.99, not 40 to 200."),
    (CONF, 0x1F, "41", "words 1 to 11"),
    (CONF, 0x40, "00009C42", "The tempo of bank A is 200.01"),
    (CONF, 0x6B, "01", "word 0x68 is not 0"),
    (CONF, 0x6C, "0080", "The volume of bank B is -1"),
    (CONF, 0x83, "00", "name goes on after a NUL"),
    (CONF, 0x80, "2A", "The name of the project has characters that the unit can't load: b'*'"),
    (CONF, A1 + 3 * 4, "00000080", "Pad A1: level is 128, not 0 to 127."),
    (CONF, J16 + 4 * 4, "00000002", "Pad J16: gate is 2, not 0 to 1."),
    (CONF, J16 + 5 * 4, "00000001", "Pad J16: loop is 0x1, not 0 or 0x7fffffff"),
    (CONF, A1 + 4 * 4, "00000001", "Pad A1 is a one-shot with gate or loop."),
    (CONF, A1 + 5 * 4, "7FFFFFFF", "Pad A1 is a one-shot with gate or loop."),
    (CONF, A1 + 6 * 4, "00000000", "Pad A1: word 6 is 0, not 1."),
    (CONF, A1 + 7 * 4, "0000000B", "Pad A1: mute_group is 11"),
    (CONF, A1 + 9 * 4, "00000F9F", "Pad A1: bpm is 39.99"),
    (CONF, A1 + 10 * 4, "00000040", "Pad A1 has unknown flags: 0x40"),
    (CONF, A1 + 10 * 4, "00000018", "Pad A1 is legato and poly at once."),
    (CONF, A1 + 12 * 4, "00000001", "Pad A1: word 12 is 1, not 0."),
    (CONF, A1 + 13 * 4, "FFFFFFF3", "Pad A1: pitch is -13"),
    (CONF, A1 + 14 * 4, "00000065", "Pad A1: fine is 101"),
    (CONF, A1 + 15 * 4, "00000004", "Pad A1: play_mode is 4"),
    (CONF, A1 + 16 * 4, "00003A99", "Pad A1: speed is 150.01"),
    (CONF, A1 + 19 * 4, "0000000B", "Pad A1: pad_link is 11"),
    (CONF, A1 + 20 * 4, "00000003", "Pad A1: bus is 3"),
    (CONF, A1 + 42 * 4, "00000001", "Pad A1: word 42 is 1, not 0."),
    (CONF, A2 + 3 * 4, "00000000", "Pad A2 is empty, but its record is not that of an empty pad."),
    (CONF, 0x6C38, "41", "Pad A2 is empty, but its name is not 23 spaces."),
    (CONF, 0x6C20, "41" * 24, "The name of pad A1 has no NUL"),
    (CONF, 0x6C20, "C3A9", "characters that the unit can't load"),
    (CONF, A1 + 0 * 4, "00002912", "Pad A1 says its SMP has 10514 bytes, it has 10512."),
    (CONF, A1 + 1 * 4, "00000201", "Pad A1: start 513 lies inside a frame."),
    (CONF, J16 + 1 * 4, "000011A2", "Pad J16: start 4514 lies inside a frame."),
    (CONF, A1 + 1 * 4, "000001FE", "Pad A1: start in frames is -1"),
    (CONF, A1 + 2 * 4, "00002912", "Pad A1: end in frames is 5001"),
    (CONF, A1 + 2 * 4, "00000200", "Pad A1 ends before it starts."),
    (CONF, J16 + 11 * 4, "0000119C", "Pad J16: the loop top is not between start and end."),
    (CONF, J16 + 11 * 4, "00005024", "Pad J16: the loop top is not between start and end."),
    (CONF, A1_CHOPS, "00000001", "The first chop of pad A1 is not 0."),
    (CONF, A1_CHOPS + 4, "00001387", "The chops of pad A1 are not in order."),
    (CONF, A1_CHOPS + 4, "FFFFFFFF", "Pad A1 has an unused chop before a used one."),
    (CONF, A1_CHOPS + 8, "00001388", "Pad A1: chop 5000 lies after the last of 5000 frames."),
    (CONF, A1_CHOPS + 127, "01", "Pad A1: the 16 words after its chops are not zero."),
    (CONF, A1_CHOPS + 128, "00000000", "Pad A2 is empty, but has chops."),
]
DAMAGED_PARTS = [
    (MONO, 0x00, "53", "starts with b'SFWV', not RFWV"),
    (MONO, 0x07, "09", "says 10505 bytes follow its size, there are 10504"),
    (MONO, 0x0A, "AC44", "has 44100 Hz, not 48000"),
    (MONO, 0x0F, "03", "has 3 channels"),
    (MONO, 0x13, "18", "has 24 bits"),
    (MONO, 0x1F, "01", "bytes 0x14 to 0x1F are not zero"),
    (MONO, 0x2F, "00", "the MD5 at 0x20 is not that"),
    (PTN, 0x01, "2E", "at tick 0: unknown record 00 2e"),
    (PTN, 0x01, "7F", "at tick 0: unknown record 00 7f"),
    (PTN, 0x02, "02", "byte 2 of a note is 0x2"),
    (PTN, 0x04, "00", "velocity is 0"),
    (PTN, 0x05, "00", "byte 5 of a note is 0x0"),
    (PTN, 0x48, "88", "its records last 1921 ticks, its bars 1920"),
    (PTN, 0x10, "FE800000000000000080", "its records last 1664 ticks"),
    (PTN, 0x10, "FE80000000000000" + 6 * "FF80000000000000" + "88", "time records at [0, 254, 509,"),
    (PTN, 0x08, "0080000000000000", "time records at [0, 0, 255,"),
    (PTN, 0x1F, "01", "time records at [0, 510,"),
    (PTN, 0x10, "008E010014130001", "a motion says it stands at 5121"),
    (PTN, 0x10, "008E040000130000", "bus of a motion is 4"),
    (PTN, 0x10, "008E010000140000", "unknown controller 0x14"),
    (PTN, 0x00, "0080000000000000", "a note at tick 0 stands after the time record of that tick"),
    (PTN, 0x00, "00800000000000010080000000000001", "has no note"),
    (PTN, 0x48, "00800000000000018780", "the record before the trailer is not the end"),
    (PTN, 0x50, "01", "the record before the trailer is not the end"),
    (PTN, 0x57, "01", "the record before the trailer is not the end"),
    (PTN, 0x58, "00", "bars is 0"),
    (PTN, 0x58, "41", "bars is 65"),
    (PTN, 0x5B, "01", "bytes 1 to 3 of the trailer"),
    (PTN, 0x5C, "07", "unknown metre: 7"),
    (PTN, 0x5C, "01", "its records last 1920 ticks, its bars 1440"),
    (PTN, 0x5D, "81", "loops from bar 1 to 1 of 1"),
    (PTN, 0x5D, "00", "loops from bar -128"),
    (PTN, 0x5E, "02", "loops from bar 0 to 2 of 1"),
    (PTN, 0x5F, "00", "the trailer ends in 0"),
    (BMP, 0x00, "41", "is no BMP"),
    (BMP, 0x02, "3F", "says it has 1087 bytes"),
    (BMP, 0x06, "01", "the reserved bytes are not 0"),
    (BMP, 0x0A, "36", "its pixels start at 54"),
    (BMP, 0x0E, "7C", "information header of 124 bytes"),
    (BMP, 0x12, "40", "is 64 × 64, not 128 × 64"),
    (BMP, 0x16, "C0FFFFFF", "is 128 × -64"),
    (BMP, 0x1C, "08", "is not an unpacked picture of 1 bit"),
    (BMP, 0x22, "01", "says it has 1025 bytes of pixels"),
]


def project(files: hand_built.Files, tmp_path: Path) -> Path:
    return hand_built.write_folder(files, tmp_path / "PROJECT_01")


@pytest.mark.parametrize(("name", "offset", "new", "answer"), DAMAGED_SETTINGS + DAMAGED_PARTS)
def test_one_wrong_value_is_refused(tmp_path: Path, name: str, offset: int, new: str, answer: str) -> None:
    files = hand_built.project_files()
    changed = bytes.fromhex(new)
    files[name][offset : offset + len(changed)] = changed
    with pytest.raises(BrokenFile, match=re.escape(answer)):
        read_project(project(files, tmp_path))


@pytest.mark.parametrize(
    ("name", "size", "answer"),
    [
        (CONF, 15, "has 15 bytes only"),
        (CONF, 51_999, "has 51999 bytes, version 3 has 52000"),
        (MONO, 511, "has 511 bytes of header"),
        (PTN, 16, "has 16 bytes, no row of 8-byte records"),
        (PTN, 95, "has 95 bytes, no row of 8-byte records"),
        (BMP, 1085, "has 1085 bytes, not 1086"),
    ],
)
def test_a_file_of_another_size_is_refused(tmp_path: Path, name: str, size: int, answer: str) -> None:
    files = hand_built.project_files()
    del files[name][size:]
    with pytest.raises(BrokenFile, match=answer):
        read_project(project(files, tmp_path))


@pytest.mark.parametrize(
    ("new", "answer"),
    [
        (hand_built.smp_file(hand_built.RISING[:4800]), "has 4800 frames, the unit wants over 4800"),
        (hand_built.smp_file(hand_built.SIDES[:5000])[:-2], "bytes follow its size"),
    ],
)
def test_a_sample_of_a_wrong_length_is_refused(tmp_path: Path, new: bytearray, answer: str) -> None:
    with pytest.raises(BrokenFile, match=answer):
        read_project(project(hand_built.project_files() | {MONO: new}, tmp_path))


def test_a_sample_longer_than_16_minutes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert smp.MOST_FRAMES == 16 * 60 * 48_000
    monkeypatch.setattr(smp, "MOST_FRAMES", 5999)
    with pytest.raises(BrokenFile, match=r"BANK10-16\.SMP has 6000 frames, the unit takes 5999"):
        read_project(project(hand_built.project_files(), tmp_path))


def test_a_sample_that_ends_inside_a_frame_is_refused(tmp_path: Path) -> None:
    odd = hand_built.smp_file(hand_built.RISING[:4999])
    stereo = hand_built.smp_file(hand_built.SIDES)
    odd[0x08:0x30] = stereo[0x08:0x30]
    odd[0x20:0x30] = hand_built.header_checksum(odd)
    with pytest.raises(BrokenFile, match=r"BANK1-01\.SMP ends inside a frame"):
        read_project(project(hand_built.project_files() | {MONO: odd}, tmp_path))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("SMPL/BANK1-02.SMP", "There is a sample for pad A2, which PADCONF.BIN says is empty."),
        ("SMPL/BANK1-17.SMP", "SMPL/BANK1-17.SMP is no file of a project."),
        ("SMPL/BANK11-01.SMP", "is no file of a project"),
        ("SMPL/BANK1-1.SMP", "is no file of a project"),
        ("SMPL/.DS_Store", "would clutter"),
        ("SMPL/._BANK1-01.SMP", "would clutter"),
        ("sub/PADCONF.BIN", "There must be one PADCONF.BIN, found 2."),
    ],
)
def test_a_file_that_does_not_belong_is_refused(tmp_path: Path, name: str, answer: str) -> None:
    files = hand_built.project_files()
    with pytest.raises(BrokenFile, match=answer):
        read_project(project(files | {name: files[MONO]}, tmp_path))


def test_a_pattern_beyond_the_last_pad_is_refused(tmp_path: Path) -> None:
    files = hand_built.project_files()
    with pytest.raises(BrokenFile, match="there is no pattern 161"):
        read_project(project(files | {"PTN/PTN00161.BIN": files[PTN]}, tmp_path))


def test_a_note_at_the_very_end_is_refused(tmp_path: Path) -> None:
    files = hand_built.project_files()
    files[PTN][0x50:0x50] = bytes.fromhex("002F008D5A407700")
    with pytest.raises(BrokenFile, match="has a note at its very end"):
        read_project(project(files, tmp_path))


@pytest.mark.parametrize(("name", "pad"), [(MONO, "A1"), (STEREO, "J16")])
def test_a_pad_without_its_sample_is_refused(tmp_path: Path, name: str, pad: str) -> None:
    files = hand_built.project_files()
    del files[name]
    with pytest.raises(BrokenFile, match=f"Pad {pad} is used, but its SMP is missing."):
        read_project(project(files, tmp_path))


def test_an_empty_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenFile, match="The project is empty"):
        read_project(project({CONF: hand_built.padconf_file({})}, tmp_path))


def test_a_path_with_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenFile, match="neither a folder nor a ZIP"):
        read_project(tmp_path / "none")
