"""What each program says of two unlike pads, and what the report says that it can't."""

from __future__ import annotations

import csv
import struct
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree

import pytest

from app.sp404.card.card_builder import build
from app.sp404.card.card_files import write_files
from app.sp404.card.card_options import CardOptions
from app.sp404.card.card_sounds import CardSounds, MissingReason, MissingSound
from app.sp404.card.repairs import repair_settings
from app.sp404.pad_settings import PadSettings, read_settings
from app.sp404.pads import PAD_NAMES
from app.sp404.project.picture_files import PICTURE_FILES
from app.sp404.project.smp_files import SmpHeader
from app.sp404.project.startup_screen import draw_startup_screen
from tests.sp404.card.made_kits import card_sound, make_kit, pad

QUIET_LEFT: dict[str, Any] = {
    "level": 64, "pan": 32, "gate": True, "play_mode": "reverse ping-pong", "fixed_velocity": True,
    "mute_group": 3, "start": 100, "end": 5_000, "poly_mode": "poly",
}  # fmt: skip
LOUD_RIGHT: dict[str, Any] = {"gate": False, "pan": 127, "pad_link": 2, "bpm_sync": True, "chops": [0, 700]}


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("card")
    kit = make_kit({"A13": pad("Hat", **QUIET_LEFT), "A14": pad("Top", **LOUD_RIGHT)})
    sounds: CardSounds = {"A13": card_sound(folder), "A14": card_sound(folder, 7_000, 2)}
    write_files(build(kit, sounds, ["sx", "sfz", "xpm"]), folder / "card")
    return folder / "card"


def report_of(card: Path) -> dict[tuple[str, str], dict[str, str]]:
    with (card / "report.csv").open(encoding="utf-8", newline="") as file:
        return {(row["target"], row["pad"]): row for row in csv.DictReader(file)}


def test_the_sfz_is_named_after_kit_and_bank_and_says_how_each_pad_plays(card: Path) -> None:
    text = (card / "SFZ/Dusty Kit/Dusty Kit A.sfz").read_text(encoding="utf-8")
    assert text.startswith("// Dusty Kit, bank A:")
    first, second = (set(part.split("\n")) - {""} for part in text.split("<region>\n")[1:])
    assert first == {
        "sample=samples/A13 Hat.wav", "key=36", "pitch_keycenter=36", "loop_mode=no_loop", "volume=-5.95",
        "pan=-50.0", "offset=100", "end=4999", "direction=reverse", "amp_veltrack=0",
        "group=3", "off_by=3", "off_mode=fast",
    }  # fmt: skip
    assert second == {
        "sample=samples/A14 Top.wav", "key=37", "pitch_keycenter=37", "loop_mode=one_shot", "pan=100.0",
    }  # fmt: skip


def test_the_mpc_program_says_how_each_pad_plays(card: Path) -> None:
    root = ElementTree.parse(card / "MPC/Dusty Kit/Dusty Kit.xpm").getroot()
    version = {each.tag: each.text for each in root.findall("./Version/*")}
    assert version == {
        "File_Version": "2.1",
        "Application": "MPC-V",
        "Application_Version": "2.9.1.2",
        "Platform": "Linux",
    }
    names = ("ProgramName", "Volume", "Pan", "Program_Polyphony")
    assert [root.findtext(f"./Program/{name}") for name in names] == [
        "Dusty Kit",
        "0.707946",
        "0.500000",
        "64",
    ]
    first, second, unused = root.findall("./Program/Instruments/Instrument")[:3]
    played = ("Mono", "Polyphony", "MuteGroup", "OneShot", "TriggerMode", "LowNote", "HighNote")
    told = [[one.findtext(name) for name in played] for one in (first, second, unused)]
    assert told == [
        ["False", "0", "3", "False", "2", "0", "127"],
        ["True", "1", "0", "True", "0", "0", "127"],
        ["True", "1", "0", "True", "0", "0", "127"],
    ]
    facts = ("Active", "Volume", "Pan", "Direction", "SliceStart", "SliceEnd", "SliceLoop", "SampleName")
    layers = [one.find("Layers/Layer") for one in (first, second, unused)]
    told = [[one.findtext(name) for name in facts] for one in layers if one is not None]
    assert told == [
        ["True", f"{0.707946 * 64 / 127:.6f}", "0.250000", "1", "100", "5000", "0", "A13 Hat"],
        ["True", "0.707946", "1.000000", "0", "0", "7000", "0", "A14 Top"],
        ["False", "0.707946", "0.500000", None, None, None, None, ""],
    ]
    others = [one for each in (first, second, unused) for one in each.findall("Layers/Layer")[1:]]
    assert len(others) == 9
    assert {one.findtext("Active") for one in others} == {"False"}
    velocities = {
        (one.findtext("VelStart"), one.findtext("VelEnd"))
        for each in (first, second, unused)
        for one in each.findall("Layers/Layer")
    }
    assert velocities == {("0", "127")}


def test_the_sx_plays_what_ends_in_ping_pong_in_its_direction(card: Path) -> None:
    info = (card / "ROLAND/SP-404SX/SMPL/PAD_INFO.BIN").read_bytes()
    records = list(struct.iter_unpack(">IIII8BII", info))
    placed = {place: record[4:9] for place, record in enumerate(records) if record[1] > 512}
    assert [record[0] for record in placed.values()] == [64, 127]
    assert [record[3:5] for record in placed.values()] == [(1, 1), (0, 0)], "gate and reverse"


def test_the_report_names_what_each_sampler_has_no_place_for(tmp_path: Path) -> None:
    pads = {
        "A1": pad("Pan", pan=3, bpm_sync=True),
        "A2": pad("Pitch", vinyl=False, pitch=-2, mute_group=1),
        "A3": pad("Fast", vinyl=True, speed=150.0),
        "A4": pad("Synced", vinyl=True, speed=150.0, bpm_sync=True),
        "A5": pad("Plain"),
    }
    write_files(
        build(make_kit(pads), dict.fromkeys(pads, card_sound(tmp_path)), ["sx", "sfz", "xpm"]), tmp_path / "o"
    )
    said = {place: row["done"] for place, row in report_of(tmp_path / "o").items()}
    no_place = "The SP-404SX has no place for"
    assert [said["sx", f"A{number}"] for number in range(1, 6)] == [
        f"{no_place}: pan.",
        f"{no_place}: pitch. Not carried over: mute group.",
        f"{no_place}: pitch.",
        "Not carried over: speed.",
        "As it was.",
    ]
    for target in ("sfz", "xpm"):
        assert [said[target, f"A{number}"] for number in range(1, 6)] == [
            "Not carried over: BPM sync.",
            "As it was.",
            "As it was.",
            "Not carried over: BPM sync, speed.",
            "As it was.",
        ]


def test_each_pad_that_is_left_out_is_named_with_its_reason(tmp_path: Path) -> None:
    reasons = get_args(MissingReason)
    pads = {name: pad(f"Sound {name}") for name in PAD_NAMES[: len(reasons) + 1]}
    sounds: CardSounds = {"A1": card_sound(tmp_path)} | {
        name: MissingSound(reason, f"Sound {name}")
        for name, reason in zip([*pads][1:], reasons, strict=True)
    }  # fmt: skip
    write_files(build(make_kit(pads), sounds, ["sx"]), tmp_path / "o")
    left_out = [row for row in report_of(tmp_path / "o").values() if row["done"].startswith("Left out: ")]
    assert [(row["pad"], row["name"]) for row in left_out] == [
        (name, f"Sound {name}") for name in [*pads][1:]
    ]
    assert len({row["done"] for row in left_out}) == len(reasons)


def test_a_pad_past_the_last_one_of_another_sampler_is_named(tmp_path: Path) -> None:
    sound = card_sound(tmp_path, 5_000)
    kit = make_kit({place: pad(f"Pad {place}") for place in PAD_NAMES})
    write_files(build(kit, dict.fromkeys(PAD_NAMES, sound), ["sx", "xpm"]), tmp_path / "o")
    report = report_of(tmp_path / "o")
    assert [report["sx", "J13"][name] for name in ("name", "file")] == ["Pad J13", ""]
    assert report["xpm", "H16"]["done"] != report["xpm", "I1"]["done"]
    assert [report["xpm", "I1"][name] for name in ("name", "done")] == [
        "Pad I1",
        "Left out: The MPC has banks A to H.",
    ]


def test_the_drawn_startup_screen_has_the_name_above_the_tempo(tmp_path: Path) -> None:
    kit = make_kit({"A1": pad()}, "Dusty", tempo=92.5)
    options = CardOptions(project_number=3, draws_screen=True)
    write_files(build(kit, {"A1": card_sound(tmp_path)}, ["mk2"], options), tmp_path / "o")
    picture = tmp_path / "o/EXPORT/PROJECT/PROJECT_03" / PICTURE_FILES[0]
    assert picture.read_bytes() == draw_startup_screen("Dusty", "92.5 BPM").to_bytes()


@pytest.mark.parametrize(
    ("settings", "code", "wrong", "done"),
    [
        (
            {"start": 1_000, "end": 1_001, "loop_top": 1_000},
            "points_past_end",
            "The end (1,001) and start (1,000) and loop top (1,000) are past the end of the sound, which has "
            "1,000 frames.",
            "The end and start and loop top are put back to the default.",
        ),
        (
            {"start": 1_000},
            "points_past_end",
            "The start (1,000) is past the end of the sound, which has 1,000 frames.",
            "The start is put back to the default.",
        ),
        (
            {"chops": [0, 999, 1_000]},
            "chops_past_end",
            "Chops stand past the end of the sound, which has 1,000 frames.",
            "The first 2 of 3 chops are kept.",
        ),
        (
            {"kept": "abcd"},
            "kept_unusable",
            "What was kept of the pad in its original project is damaged.",
            "It is left out.",
        ),
    ],
)
def test_a_repair_says_what_was_wrong_and_what_was_done(
    settings: dict[str, Any], code: str, wrong: str, done: str
) -> None:
    header = SmpHeader(512 + 2 * 1_000, 1)
    repaired, repairs = repair_settings(read_settings(settings), header)
    assert [(one.code, one.wrong, one.done) for one in repairs] == [(code, wrong, done)]
    assert repair_settings(repaired, header) == (repaired, ())
    fitting = PadSettings(start=999, end=1_000, loop_top=999)
    assert repair_settings(fitting, header) == (fitting, ())
