"""The second reader refuses WAVs that are not canonical, SP-404SX cards and ZIPs that break a rule."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.sp404 import hand_built
from tests.sp404.second_reader import BrokenFile, check_wav, read_project, read_sx_card

INFO, WAV = "PAD_INFO.BIN", "A0000002.WAV"
A2, J12 = 32, 119 * 32


@pytest.mark.parametrize(
    ("offset", "new", "answer"),
    [
        (0, b"RIFX", "is no WAV"),
        (4, b"\x49", "the RIFF chunk says 10057 bytes, there are 10036"),
        (8, b"AIFF", "is no WAV"),
        (12, b"JUNK", "the first chunk is not a fmt of 16 bytes"),
        (16, b"\x12", "the first chunk is not a fmt of 16 bytes"),
        (20, b"\x03", "has format 3, not 1 for PCM"),
        (22, b"\x00", "has 0 channels"),
        (24, b"\x44\xac", "has 44100 Hz, not 48000"),
        (28, b"\x01", "bytes a second"),
        (32, b"\x04", "says a frame has 4 bytes, not 2"),
        (34, b"\x18", "has 24 bits"),
        (36, b"LIST", "has b'LIST' where the data chunk belongs"),
        (40, b"\x0e", "the data chunk says 9998 bytes, 10000 are left"),
    ],
)
def test_a_wav_with_one_wrong_value_is_refused(tmp_path: Path, offset: int, new: bytes, answer: str) -> None:
    wav = hand_built.wav_file(hand_built.RISING, 48_000)
    wav[offset : offset + len(new)] = new
    path = tmp_path / "x.wav"
    path.write_bytes(wav)
    with pytest.raises(BrokenFile, match=answer):
        check_wav(path, 48_000)


def test_a_wav_with_another_chunk_behind_is_refused(tmp_path: Path) -> None:
    wav = hand_built.wav_file(hand_built.RISING, 48_000) + b"LIST\x04\0\0\0INFO"
    wav[4:8] = (len(wav) - 8).to_bytes(4, "little")
    (tmp_path / "x.wav").write_bytes(wav)
    with pytest.raises(BrokenFile, match="the data chunk says 10000 bytes, 10012 are left"):
        check_wav(tmp_path / "x.wav", 48_000)


def test_a_wav_without_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(hand_built.wav_file(hand_built.RISING[:0], 48_000))
    with pytest.raises(BrokenFile, match="too few for a WAV with sound"):
        check_wav(tmp_path / "x.wav", 48_000)


def test_a_wav_that_ends_inside_a_frame_is_refused(tmp_path: Path) -> None:
    wav = hand_built.wav_file(hand_built.SIDES[:1], 48_000)[:-2]
    wav[4], wav[40] = wav[4] - 2, wav[40] - 2
    (tmp_path / "x.wav").write_bytes(wav)
    with pytest.raises(BrokenFile, match="ends inside a frame"):
        check_wav(tmp_path / "x.wav", 48_000)


@pytest.mark.parametrize(
    ("name", "offset", "new", "answer"),
    [
        (INFO, A2 + 3, "01", "Pad A2: original_start 513 lies inside a frame"),
        (INFO, A2 + 3, "02", "its original start and end are not those of the WAV's 5000 frames"),
        (INFO, A2 + 6, "2912", "Pad A2: original_end in frames is 5001"),
        (INFO, A2 + 6, "290E", "its original start and end are not those of the WAV's 5000 frames"),
        (INFO, J12 + 10, "11A2", "Pad J12: start 4514 lies inside a frame"),
        (INFO, A2 + 10, "2910", "Pad A2 ends before it starts"),
        (INFO, A2 + 16, "80", "Pad A2: volume is 128"),
        (INFO, A2 + 17, "02", "lo-fi, loop, gate or reverse"),
        (INFO, A2 + 21, "00", "Pad A2 has format 0, not 1"),
        (INFO, A2 + 22, "02", "Pad A2 says 2 channels, its WAV 1"),
        (INFO, A2 + 23, "03", "unknown tempo mode: 3"),
        (INFO, 2, "0200000029100000020000002910", "Pad A1 is used, but A0000001.WAV is missing"),
        (INFO, A2 + 6, "0200000002000000020000007F", "No pad uses A0000002.WAV"),
        (WAV, 16, "10", "the first chunk is not a fmt of 18 bytes"),
        (WAV, 24, "80BB", "has 48000 Hz, not 44100"),
        (WAV, 36, "01", "the last two bytes of fmt are not 0"),
        (WAV, 38, "4A", "the second chunk is not a RLND of 458 bytes"),
        (WAV, 46, "52", "the RLND chunk is not that of pad index 1"),
        (WAV, 58, "02", "the RLND chunk is not that of pad index 1"),
        (WAV, 503, "01", "the RLND chunk is not that of pad index 1"),
        (WAV, 504, "44", "where the data chunk belongs"),
    ],
)
def test_a_card_with_one_wrong_value_is_refused(
    tmp_path: Path, name: str, offset: int, new: str, answer: str
) -> None:
    files = hand_built.sx_files()
    changed = bytes.fromhex(new)
    files[name][offset : offset + len(changed)] = changed
    folder = hand_built.write_folder(files, tmp_path / "SP-404SX" / "SMPL")
    with pytest.raises(BrokenFile, match=answer):
        read_sx_card(folder.parent.parent)


@pytest.mark.parametrize(
    ("files", "answer"),
    [
        ({INFO: bytearray(3839)}, "PAD_INFO.BIN has 3839 bytes, not 3840"),
        ({"A0000013.WAV": bytearray(9)}, "A0000013.WAV is no file of an SP-404SX card"),
        ({WAV: bytearray(512)}, "A0000002.WAV has 512 bytes, its sound starts at 512"),
        ({WAV: hand_built.sx_wav_file(hand_built.RISING[:4410], 1)}, "Pad A2: original_end in frames"),
    ],
)
def test_a_card_with_a_wrong_file_is_refused(tmp_path: Path, files: hand_built.Files, answer: str) -> None:
    hand_built.write_folder(hand_built.sx_files() | files, tmp_path / "SP-404SX" / "SMPL")
    with pytest.raises(BrokenFile, match=answer):
        read_sx_card(tmp_path)


def test_a_card_with_a_sample_of_100_ms_is_refused(tmp_path: Path) -> None:
    files = hand_built.sx_files()
    files[WAV] = hand_built.sx_wav_file(hand_built.RISING[:4410], 1)
    files[INFO][A2 + 6 : A2 + 8] = files[INFO][A2 + 14 : A2 + 16] = (512 + 8820).to_bytes(2, "big")
    hand_built.write_folder(files, tmp_path / "SP-404SX" / "SMPL")
    with pytest.raises(BrokenFile, match="Pad A2 has 4410 frames, not over 4410"):
        read_sx_card(tmp_path)


@pytest.mark.parametrize("name", ["../x", "/x", "a\\b", "P/../../x"])
def test_a_zip_that_points_out_of_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BrokenFile, match="points out of the folder"):
        read_project(hand_built.write_zip({name: bytearray(1)}, tmp_path / "x.zip"))


def test_a_zip_with_a_name_twice_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("PADCONF.BIN", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("PADCONF.BIN", b"2")
    with pytest.raises(BrokenFile, match=r"x\.zip holds a name twice"):
        read_project(tmp_path / "x.zip")


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    path = hand_built.write_zip(hand_built.project_files(), tmp_path / "x.zip")
    whole = bytearray(path.read_bytes())
    whole[200] ^= 0xFF
    path.write_bytes(whole)
    with pytest.raises(BrokenFile, match="can't be unpacked: Bad CRC-32"):
        read_project(path)
    path.write_bytes(whole[:1000])
    with pytest.raises(BrokenFile, match="is no ZIP"):
        read_project(path)
