"""Finished files of a card are checked by our own reader: each fault is found where it was planted."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from app.sp404.card.card_builder import build
from app.sp404.card.card_files import write_files
from app.sp404.card.card_options import TARGETS
from app.sp404.errors import UnitFileError
from app.sp404.preflight import card_check
from app.sp404.preflight.card_check import check_files
from tests.sp404.card.made_kits import card_sound, make_kit, pad
from tests.sp404.project.made_files import padconf, padconf_2, read_files, zipped
from tests.sp404.project.made_files import write_files as write_made_files

PROJECT = "EXPORT/PROJECT/PROJECT_01"
WAV = "IMPORT/Dusty Kit/01_Kick.wav"
SX = "ROLAND/SP-404SX/SMPL"
SFZ = "SFZ/Dusty Kit/Dusty Kit A.sfz"
XPM = "MPC/Dusty Kit/Dusty Kit.xpm"
KIT = "WAV/Dusty Kit/kit.json"
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("card")
    kit = make_kit({"A1": pad("Kick"), "A2": pad("Break", chops=[0, 100])})
    sounds = {"A1": card_sound(folder), "A2": card_sound(folder, 6_001, 2)}
    write_files(build(kit, sounds, TARGETS), folder / "o")
    return read_files(folder / "o")


def patched(path: str, at: int, data: bytes) -> Callable[[Files], Files]:
    def plant(files: Files) -> Files:
        changed = files[path][:at] + data + files[path][at + len(data) :]
        return files | {path: changed}

    return plant


def without(path: str) -> Callable[[Files], Files]:
    return lambda files: {name: data for name, data in files.items() if name != path}


def replaced(path: str, data: bytes) -> Callable[[Files], Files]:
    return lambda files: files | {path: data}


def copied(path: str, to: str) -> Callable[[Files], Files]:
    return lambda files: files | {to: files[path]}


def edited(path: str, old: bytes, new: bytes) -> Callable[[Files], Files]:
    def plant(files: Files) -> Files:
        assert old in files[path]
        return files | {path: files[path].replace(old, new)}

    return plant


def float_wav(files: Files) -> Files:
    return patched(WAV, 20, struct.pack("<HHIIHH", 3, 1, 48_000, 192_000, 4, 32))(files)


FORMAT = struct.pack("<IHHIIHH", 16, 1, 1, 48_000, 96_000, 2, 16)
SHORT = b"RIFF" + struct.pack("<I", 36 + 200) + b"WAVEfmt " + FORMAT
SOUND = b"data" + struct.pack("<I", 200) + bytes(200)
PADCONF = f"{PROJECT}/PADCONF.BIN"
SMP_1, SMP_2 = f"{PROJECT}/SMPL/BANK1-01.SMP", f"{PROJECT}/SMPL/BANK1-02.SMP"
EMPTY = SHORT[:4] + struct.pack("<I", 36) + SHORT[8:] + b"data" + bytes(4)


def with_tempo(wav: bytes) -> bytes:
    tail = b"acid" + struct.pack("<I", 24) + bytes(24)
    return wav[:4] + struct.pack("<I", len(wav) + len(tail) - 8) + wav[8:] + tail


PLANTED: dict[str, tuple[str, str, str, Callable[[Files], Files]]] = {
    "characters": ("error", "name_characters", "IMPORT/x/Ki#ck.wav", copied(WAV, "IMPORT/x/Ki#ck.wav")),
    "folder": ("error", "name_characters", "IMPORT/Kü/Kick.wav", copied(WAV, "IMPORT/Kü/Kick.wav")),
    "dot": ("error", "name_characters", "IMPORT/x/Kick..wav", copied(WAV, "IMPORT/x/Kick..wav")),
    "long name": ("note", "name_length", f"IMPORT/x/{'k' * 24}.wav", copied(WAV, f"IMPORT/x/{'k' * 24}.wav")),
    "float": ("error", "not_canonical", WAV, float_wav),
    "24 bit": ("note", "not_canonical", WAV, patched(WAV, 34, b"\x18")),
    "rate": ("note", "not_canonical", WAV, patched(WAV, 24, struct.pack("<I", 44_100))),
    "channels": ("error", "channels", WAV, patched(WAV, 22, b"\x06")),
    "no WAV": ("error", "not_a_wav", WAV, replaced(WAV, b"RIFX" * 20)),
    "cut off": ("error", "cut_off", WAV, lambda files: files | {WAV: files[WAV][:-2]}),
    "chunks": ("note", "extra_chunks", WAV, patched(WAV, 12, b"JUNK")),
    "tempo behind": ("note", "extra_chunks", WAV, lambda files: files | {WAV: with_tempo(files[WAV])}),
    "short": (
        "error",
        "too_short",
        WAV,
        replaced(WAV, SHORT + SOUND),
    ),
    "empty": ("error", "empty_sound", WAV, replaced(WAV, EMPTY)),
    "SMP missing": ("error", "project_fault", "A1", without(SMP_1)),
    "SMP checksum": (
        "error",
        "project_fault",
        "A2",
        patched(SMP_2, 0x20, b"\0" * 8),
    ),
    "SMP length": (
        "error",
        "project_fault",
        "A1",
        lambda files: files | {SMP_1: files[SMP_1] + b"\0\0"},
    ),
    "chops": ("error", "project_fault", "A2", patched(PADCONF, 0x7B20 + 128, b"\0\0\0\x05")),
    "level": ("error", "project_fault", "A1", patched(PADCONF, 0xA0 + 12, b"\0\0\0\xff")),
    "name": ("error", "project_fault", "A1", patched(PADCONF, 0x6C20, b"#")),
    "PADCONF": (
        "error",
        "project_unreadable",
        PROJECT,
        replaced(PADCONF, b"RFPD" + bytes(99)),
    ),
    "no pads": ("error", "empty_project", "EXPORT/E", replaced("EXPORT/E/PADCONF.BIN", padconf())),
    "version 2": ("note", "old_project", "EXPORT/E", replaced("EXPORT/E/PADCONF.BIN", padconf_2())),
    "SX info": ("error", "sx_info", f"{SX}/PAD_INFO.BIN", replaced(f"{SX}/PAD_INFO.BIN", bytes(99))),
    "SX missing": ("error", "sx_missing", f"{SX}/A0000001.WAV", without(f"{SX}/A0000001.WAV")),
    "SX unused": (
        "error",
        "sx_unused",
        f"{SX}/B0000001.WAV",
        copied(f"{SX}/A0000001.WAV", f"{SX}/B0000001.WAV"),
    ),
    "SX points": ("error", "sx_points", f"{SX}/A0000001.WAV", patched(f"{SX}/PAD_INFO.BIN", 8, bytes(4))),
    "SX pad": ("error", "sx_pad", f"{SX}/A0000002.WAV", patched(f"{SX}/A0000002.WAV", 58, b"\x07")),
    "SX header": ("error", "sx_header", f"{SX}/A0000002.WAV", patched(f"{SX}/A0000002.WAV", 38, b"LIST")),
    "SX rate": ("error", "not_canonical", f"{SX}/A0000002.WAV", patched(f"{SX}/A0000002.WAV", 24, b"\0\0")),
    "SX no WAV": ("error", "not_a_wav", f"{SX}/A0000002.WAV", patched(f"{SX}/A0000002.WAV", 0, b"X")),
    "SX cut off": (
        "error",
        "cut_off",
        f"{SX}/A0000002.WAV",
        lambda files: files | {f"{SX}/A0000002.WAV": files[f"{SX}/A0000002.WAV"][:-4]},
    ),
    "SFZ sound": ("error", "sound_missing", SFZ, without("SFZ/Dusty Kit/samples/A01 Kick.wav")),
    "SFZ outside": ("error", "path_outside", SFZ, edited(SFZ, b"samples/A01", b"../A01")),
    "SFZ damaged": ("error", "program_unreadable", SFZ, replaced(SFZ, b"\xff\xfe")),
    "XPM sound": ("error", "sound_missing", XPM, without("MPC/Dusty Kit/A02 Break.wav")),
    "kit sound": ("error", "sound_missing", KIT, without("WAV/Dusty Kit/sounds/A01 Kick.wav")),
    "kit outside": ("error", "path_outside", KIT, edited(KIT, b'"sounds/A01', b'"../A01')),
    "kit damaged": ("error", "kit_unreadable", KIT, replaced(KIT, b"{}")),
}


def test_a_clean_card_has_no_finding(card: Files) -> None:
    assert check_files(zipped(card)) == []


@pytest.mark.parametrize("planted", PLANTED)
def test_each_fault_is_found_where_it_was_planted(planted: str, card: Files) -> None:
    degree, code, place, plant = PLANTED[planted]
    found = check_files(zipped(plant(card)))
    assert {one.degree for one in found if (one.place, one.code) == (place, code)} == {degree}
    assert all(re.fullmatch(r"[A-Z“].*\.", one.wrong) for one in found), found


def test_names_that_are_the_same_on_a_card_are_named(card: Files, tmp_path: Path) -> None:
    write_made_files(tmp_path, {WAV: card[WAV], WAV.replace("Kick", "KICK"): card[WAV]})
    (found,) = check_files(tmp_path)
    assert (found.degree, found.code) == ("error", "same_name")
    with pytest.raises(UnitFileError, match="two files named"):
        check_files(zipped({WAV: card[WAV], WAV.upper(): card[WAV]}))


def test_a_file_beyond_4_gb_is_named(card: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_check, "MAX_FILE_BYTES", 60_000)
    found = [one for one in check_files(zipped(card)) if one.code == "file_too_large"]
    assert [one.place for one in found] == [XPM]


def test_what_goes_on_no_card_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    for source in (tmp_path, zipped({"notes.txt": b"nothing"})):
        with pytest.raises(UnitFileError, match="There is nothing for a sampler in it"):
            check_files(source)


def test_damaged_cards_are_findings_or_a_sentence(card: Files) -> None:
    chance = random.Random(404)
    paths = sorted(card)
    found = 0
    for _round in range(120):
        path = chance.choice(paths)
        data = bytearray(card[path])
        for _change in range(chance.randint(1, 8)):
            data[chance.randrange(min(len(data), 60_000))] = chance.randrange(256)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        findings = check_files(zipped(card | {path: bytes(data)}))
        assert all(one.degree in ("error", "note") and one.wrong for one in findings)
        found += bool(findings)
    assert found > 20
