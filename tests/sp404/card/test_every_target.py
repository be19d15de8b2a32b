"""Sixteen pads on every card: files that load, names that are safe, programs that others can read."""

from __future__ import annotations

import csv
import importlib
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from app.sp404.card.card_builder import build
from app.sp404.card.card_files import write_files
from app.sp404.card.card_options import TARGETS
from app.sp404.card.card_sounds import CardSound, CardSounds, MissingSound
from app.sp404.card.pad_plans import plan_card
from app.sp404.errors import UnitFileError
from app.sp404.kit_document import KitDocument, read_kit
from app.sp404.pad_settings import PadSettings
from app.sp404.preflight.card_check import check_files
from app.sp404.preflight.findings import ERROR
from app.sp404.project.pad_sounds import wav_sound
from tests.sp404.card.made_kits import card_sound, full_bank, make_kit, pad, write_wav_file

SAFE = re.compile(r"[A-Za-z0-9_!&()+,=@\[\]{}][A-Za-z0-9 _!&()+\-,.=@\[\]{}]*")


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> tuple[KitDocument, dict[str, CardSound]]:
    pads, sounds = full_bank(tmp_path_factory.mktemp("sounds"))
    return make_kit(
        pads, "Späte Küche, 3. Auflage mit Rauschen"[:5].replace("ä", "ae") + " Kitchen Sessions 3"
    ), sounds


@pytest.fixture(scope="module")
def card(kit: tuple[KitDocument, dict[str, CardSound]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cards") / "card"
    write_files(build(*kit, TARGETS), folder)
    return folder


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def canonical_header(frames: int, channels: int) -> bytes:
    size = frames * channels * 2
    fmt = struct.pack("<IHHIIHH", 16, 1, channels, 48_000, 96_000 * channels, 2 * channels, 16)
    return b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + fmt + b"data" + struct.pack("<I", size)


def test_each_wav_is_canonical(card: Path) -> None:
    wavs = list(card.rglob("*.wav"))
    assert len(wavs) == 4 * 16
    for path in wavs:
        number = int(re.search(r"(\d\d)", path.stem)[1])  # type: ignore[index]  # every name has two digits
        data = path.read_bytes()
        assert data[:44] == canonical_header(6_000 + number, 2 if number > 12 else 1), path
        assert len(data) == 44 + (6_000 + number) * (4 if number > 12 else 2)


def test_names_are_safe_and_differ_where_case_is_folded(card: Path) -> None:
    paths = files_below(card)
    assert len({path.casefold() for path in paths}) == len(paths)
    for path in paths:
        if path.endswith(".wav"):
            stem = path.rpartition("/")[2].removesuffix(".wav")
            assert SAFE.fullmatch(stem)
            assert len(stem) <= 23
        assert all(len(part) <= 32 and SAFE.fullmatch(part) for part in path.split("/"))


def test_sounds_of_one_name_get_names_of_their_own_in_each_bank(tmp_path: Path) -> None:
    pads = {"A1": pad("Kick"), "A2": pad("KICK"), "A3": pad("Kick"), "B1": pad("Kick")}
    plan = plan_card(make_kit(pads), dict.fromkeys(pads, card_sound(tmp_path)))
    names = [planned.settings.name for planned in plan.pads.values()]
    assert names == ["Kick", "KICK-2", "Kick-3", "Kick"]


def test_loops_end_in_tempo_and_key(card: Path) -> None:
    names = [path.name for path in (card / "IMPORT").rglob("13_*.wav")]
    assert len(names) == 1
    assert names[0].endswith(" 92 Fsm.wav")


def test_our_own_reader_finds_nothing_wrong(card: Path) -> None:
    assert check_files(card) == []


def test_the_mpc_program_is_read_by_an_xml_parser(card: Path) -> None:
    program = next((card / "MPC").rglob("*.xpm"))
    root = ElementTree.parse(program).getroot()
    assert (root.tag, root.find("Program").get("type")) == ("MPCVObject", "Drum")  # type: ignore[union-attr]  # it is there
    instruments = root.findall("./Program/Instruments/Instrument")
    assert [one.get("number") for one in instruments] == [str(number) for number in range(1, 129)]
    names = [one.findtext("./Layers/Layer[@number='1']/SampleName") or "" for one in instruments]
    # A01 of the MPC is at the bottom left, where the unit has pad 13.
    order = [13, 14, 15, 16, 9, 10, 11, 12, 5, 6, 7, 8, 1, 2, 3, 4]
    assert [int(name[1:3]) for name in names[:16]] == order
    assert not any(names[16:])
    assert all((program.parent / f"{name}.wav").is_file() for name in names[:16])
    groups = [one.findtext("MuteGroup") for one in instruments]
    assert [number for number, group in enumerate(groups, 1) if group == "1"] == [15, 16]
    ends = [one.findtext("./Layers/Layer/SliceEnd") for one in instruments[:16]]
    assert ends == [str(6_000 + number) for number in order]
    assert [one.findtext("OneShot") for one in instruments[:16]] == ["False"] * 4 + ["True"] * 12
    notes = [int(one.text or "") for one in root.findall("./Program/PadNoteMap/PadNote/Note")]
    assert notes[:16] == list(range(36, 52))


def test_a_loop_of_a_part_repeats_that_part_in_each_program(tmp_path: Path) -> None:
    part = pad(gate=True, loop=True, start=100, end=5_000, level=64)
    whole = pad("Top", gate=True, loop=True, loop_top=300)
    sounds = {"A13": card_sound(tmp_path), "A14": card_sound(tmp_path)}
    write_files(build(make_kit({"A13": part, "A14": whole}), sounds, ["xpm", "sfz"]), tmp_path / "card")
    root = ElementTree.parse(next((tmp_path / "card").rglob("*.xpm"))).getroot()
    layers = root.findall("./Program/Instruments/Instrument/Layers/Layer[@number='1']")[:2]
    points = [[one.findtext(name) for name in ("SliceStart", "SliceEnd", "SliceLoopStart")] for one in layers]
    assert points == [["100", "5000", "100"], ["0", "6000", "300"]]
    first, second = sfz_regions(next((tmp_path / "card").rglob("*.sfz")))
    assert [first[name] for name in ("offset", "end", "loop_start", "loop_end")] == [
        "100",
        "4999",
        "100",
        "4999",
    ]
    assert (second["loop_start"], second["loop_end"]) == ("300", "5999")
    assert first["volume"] == "-5.95", "20 log10(64 / 127)"
    assert "volume" not in second


def test_a_pad_that_plays_faster_is_tuned_up_in_each_program(tmp_path: Path) -> None:
    pads = {"A13": pad(speed=150.0), "A14": pad(vinyl=False, pitch=-2, fine=30)}
    sounds = dict.fromkeys(pads, card_sound(tmp_path))
    write_files(build(make_kit(pads), sounds, ["xpm", "sfz"]), tmp_path / "card")
    root = ElementTree.parse(next((tmp_path / "card").rglob("*.xpm"))).getroot()
    layers = root.findall("./Program/Instruments/Instrument/Layers/Layer[@number='1']")[:2]
    tuned = [[one.findtext(name) for name in ("TuneCoarse", "TuneFine")] for one in layers]
    assert tuned == [["7", "2"], ["-2", "30"]]
    first, second = sfz_regions(next((tmp_path / "card").rglob("*.sfz")))
    assert [(one["transpose"], one["tune"]) for one in (first, second)] == [("7", "2"), ("-1", "-70")]


def sfz_regions(path: Path) -> Iterator[dict[str, str]]:
    """Read an SFZ of one opcode a line."""
    for part in path.read_text(encoding="utf-8").split("<region>")[1:]:
        yield dict(line.split("=", 1) for line in part.split("\n") if line.strip())


def test_the_sfz_has_each_pad_at_its_note_with_its_choke(card: Path) -> None:
    path = next((card / "SFZ").rglob("*.sfz"))
    regions = list(sfz_regions(path))
    keys = [int(one["key"]) for one in regions]
    assert keys == [*range(48, 52), *range(44, 48), *range(40, 44), *range(36, 40)]
    assert all((path.parent / one["sample"]).is_file() for one in regions)
    chokes = {int(one["key"]): (one["group"], one["off_by"]) for one in regions if "group" in one}
    assert chokes == {50: ("1", "1"), 51: ("1", "1")}
    assert [one["loop_mode"] for one in regions] == ["one_shot"] * 12 + ["loop_continuous"] * 4


def test_the_sfz_is_read_by_sfzlint(card: Path) -> None:
    parser: Any = importlib.import_module("sfzlint.parser")  # it has no types
    path = next((card / "SFZ").rglob("*.sfz"))
    faults: list[Any] = []
    parsed = parser.validate(path, err_cb=lambda *found: faults.append(found))
    assert faults == []
    found = [{name: str(value) for name, value in region.items()} for region in parsed.regions]
    assert found == list(sfz_regions(path))


def test_the_wav_kit_is_read_again_with_its_sounds(
    card: Path, kit: tuple[KitDocument, dict[str, CardSound]]
) -> None:
    path = next((card / "WAV").rglob("kit.json"))
    read = read_kit(path.read_bytes())
    assert list(read.pads) == list(kit[0].pads)
    for place, one in read.pads.items():
        assert one.sample
        assert one.sample.path
        assert (path.parent / one.sample.path).is_file()
        assert one.settings.changed({"name": ""}) == kit[0].pads[place].settings


def test_the_report_has_a_line_for_each_pad_of_each_card(card: Path) -> None:
    with (card / "report.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["target"] for row in rows} == set(TARGETS) - {"midi"}
    assert len(rows) == 6 * 16
    assert all((card / row["file"]).is_file() for row in rows)
    moved = [row["done"] for row in rows if row["target"] == "sx" and row["pad"] == "A13"]
    assert "Moved to pad B1." in moved[0]


def test_the_readme_says_what_to_press(card: Path) -> None:
    text = (card / "README.txt").read_text(encoding="utf-8")
    assert "Back up first, import into an empty project." in text
    assert "firmware 5.01 to 5.52" in text
    for words in ("SHIFT + pad 14", "Press ROLL", "PROJECT(SX)", "PROJECT_01", "pad 13 of the unit"):
        assert words in text


def test_pads_without_a_sound_are_left_out_and_named(tmp_path: Path) -> None:
    made = make_kit({"A1": pad(), "A2": pad("Gone"), "A3": pad("Busy")})
    sounds: CardSounds = {"A1": card_sound(tmp_path), "A3": MissingSound("analysing", "Busy")}
    write_files(build(made, sounds, ["import"]), tmp_path / "o")
    assert [path for path in files_below(tmp_path / "o") if path.startswith("IMPORT")] == [
        "IMPORT/Dusty Kit/01_Kick.wav"
    ]
    text = (tmp_path / "o/README.txt").read_text(encoding="utf-8")
    assert "A2: Its sample is no longer in the library.\nA3: Its sample is still being analysed.\n" in text
    assert "import,A2,Gone,,,,,,,,Left out: Its sample is no longer in the library." in (
        tmp_path / "o/report.csv"
    ).read_text(encoding="utf-8")


def test_a_wav_with_other_chunks_is_written_without_them(tmp_path: Path) -> None:
    source = write_wav_file(tmp_path / "a.wav", 5_000, 2, chunk=b"INFOmore")
    files = build(make_kit({"A1": pad()}), {"A1": CardSound(wav_sound(source))}, ["import"])
    write_files(files, tmp_path / "o")
    written = (tmp_path / "o/IMPORT/Dusty Kit/01_Kick.wav").read_bytes()
    assert written == canonical_header(5_000, 2) + source.read_bytes()[-20_000:]


def test_short_sounds_get_silence(tmp_path: Path) -> None:
    sounds = {"A1": card_sound(tmp_path, 1_000, 2)}
    write_files(build(make_kit({"A1": pad()}), sounds, ["mk2", "import"]), tmp_path / "o")
    written = (tmp_path / "o/IMPORT/Dusty Kit/01_Kick.wav").read_bytes()
    assert written == canonical_header(4_900, 2) + (tmp_path / "1000-2.wav").read_bytes()[44:] + bytes(
        3_900 * 4
    )
    assert not [one for one in check_files(tmp_path / "o") if one.degree == ERROR]
    assert "3,900 frames of silence added" in (tmp_path / "o/report.csv").read_text(encoding="utf-8")


def test_names_of_different_banks_go_to_folders_of_their_own(tmp_path: Path) -> None:
    sound = card_sound(tmp_path)
    made = make_kit({"A1": pad(), "J2": pad()}, "A kit with quite a long name")
    write_files(build(made, {"A1": sound, "J2": sound}, ["import"]), tmp_path / "o")
    found = [path for path in files_below(tmp_path / "o") if path.endswith("wav")]
    assert found == [
        "IMPORT/A kit with quite name A/01_Kick.wav",
        "IMPORT/A kit with quite name J/02_Kick.wav",
    ]


def test_an_empty_kit_and_an_unknown_card_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnitFileError, match="has no sounds"):
        build(make_kit({}), {}, ["mk2"])
    for targets in ([], ["mk3"]):
        with pytest.raises(UnitFileError, match="Choose from mk2, import, sx, wav, sfz, xpm, midi"):
            build(make_kit({"A1": pad()}), {"A1": card_sound(tmp_path)}, targets)


def test_formulas_in_a_name_are_harmless_in_the_report(tmp_path: Path) -> None:
    made = make_kit({"A1": pad("=1+1").model_copy(update={"settings": PadSettings(name="=cmd")})})
    write_files(build(made, {"A1": card_sound(tmp_path)}, ["mk2"]), tmp_path / "o")
    assert ",'=cmd," in (tmp_path / "o/report.csv").read_text(encoding="utf-8")


def test_nothing_is_left_where_a_sound_vanishes(tmp_path: Path) -> None:
    sound = card_sound(tmp_path)
    (tmp_path / "6000-1.wav").unlink()
    with pytest.raises(UnitFileError, match=r"6000-1\.wav"):
        write_files(build(make_kit({"A1": pad()}), {"A1": sound}, ["mk2"]), tmp_path / "out/card")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_exists_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    (tmp_path / "o/mine.txt").write_text("mine")
    with pytest.raises(UnitFileError, match="exists already"):
        write_files(build(make_kit({"A1": pad()}), {"A1": card_sound(tmp_path)}, ["mk2"]), tmp_path / "o")
    assert files_below(tmp_path / "o") == ["mine.txt"]
