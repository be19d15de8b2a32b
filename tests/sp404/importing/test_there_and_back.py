"""From the unit to a kit and back: byte for byte what was not touched, and nothing else of what was."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sp404.kit_document import BankDocument, KitDocument
from app.sp404.pad_places import pad_index, sound_file
from app.sp404.project.packed_patterns import unpack_pattern
from app.sp404.project.project_reader import read_project
from tests.sp404.importing.back_and_forth import there_and_back, unpacked
from tests.sp404.project.made_files import ONE_HIT, block, padconf, padconf_2, small_project, smp
from tests.sp404.test_device_files import DEVICE, PADCONFS, PATTERNS

NAMES = st.text("ABCabc123 _-", max_size=23).filter(lambda name: name == name.strip())
RECORDS_AT, RECORD, NAMES_AT, CHOPS_AT = 0xA0, 172, 0x6C20, 0x7B20


@st.composite
def any_pad(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Any pad that the unit may have, with bytes that have no name here; and its SMP."""
    channels = draw(st.sampled_from([1, 2]))
    frames = draw(st.sampled_from([1, 700, 4_899, 4_900, 5_001]))
    pcm = draw(st.binary(min_size=4, max_size=64)) * 5_001
    whole = smp(pcm[: frames * channels * 2], channels)
    filled = whole[:0x30] + draw(st.binary(min_size=464, max_size=464)) + whole[0x200:]
    words = {
        "w3": draw(st.integers(0, 127)),
        "w7": draw(st.integers(0, 10)),
        "w9": draw(st.integers(4_000, 20_000)),
        "w12": draw(st.integers(0, 9)),  # it has no name
        "w18": draw(st.integers(0, 127)),
        "w25": draw(st.integers(0, 2**31 - 1)),  # nor has this
    }
    return block(len(filled), draw(NAMES), (), **words), filled


@st.composite
def any_project(draw: st.DrawFn) -> dict[str, bytes]:
    pads = draw(st.dictionaries(st.integers(0, 159), any_pad(), min_size=1, max_size=3))
    head = padconf({place: made[0] for place, made in pads.items()}, draw(NAMES.filter(bool)))
    version_2 = padconf_2({place: made[0] for place, made in pads.items()})
    files = {"PADCONF.BIN": draw(st.sampled_from([head, version_2]))}
    files |= {sound_file(place): made[1] for place, made in pads.items()}
    more = {
        "PTN/PTN00001.BIN": ONE_HIT,
        "PTN/PTN00160.BIN": b"no pattern at all",
        "PICTURE/startup_1.bmp": b"no picture",
        "SMPL/NOTES.TXT": draw(st.binary(max_size=40)),
    }
    return files | {path: more[path] for path in draw(st.sets(st.sampled_from(sorted(more))))}


@settings(max_examples=40, deadline=None)
@given(any_project())
def test_any_untouched_project_comes_back_byte_for_byte(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert there_and_back(files, Path(folder) / "x") == files


@pytest.mark.skipif(not DEVICE.is_dir(), reason=f"no device-made files in {DEVICE}")
@pytest.mark.parametrize("name", PADCONFS)
def test_what_a_unit_made_comes_back_byte_for_byte(name: str, tmp_path: Path) -> None:
    files = {"PADCONF.BIN": (DEVICE / f"{name}.bin").read_bytes()}
    for place, one in read_project(DEVICE / f"{name}.bin").pads.items():
        files[sound_file(pad_index(place))] = smp(bytes(one.size_bytes - 512), one.channels)
    for number in PATTERNS:
        path = f"PTN/PTN{number:05d}.BIN"
        files[path] = (DEVICE / "ptn" / f"PTN{number:05d}.BIN").read_bytes()
    assert there_and_back(files, tmp_path / "x") == files


def words(*places: int) -> list[tuple[int, int]]:
    """Return where these words of the record of B2 stand."""
    start = RECORDS_AT + 17 * RECORD
    return [(start + 4 * word, start + 4 * word + 4) for word in places]


PAD_CHANGES: list[tuple[dict[str, Any], list[tuple[int, int]]]] = [
    ({"level": 99}, words(3)),
    ({"gate": True, "one_shot": False}, words(4, 10)),
    ({"loop": True, "one_shot": False}, words(5, 10)),
    ({"mute_group": 4}, words(7)),
    ({"bpm_sync": True}, words(8)),
    ({"bpm": 123.45}, words(9)),
    ({"pitch": -5}, words(13)),
    ({"fine": 20}, words(14)),
    ({"play_mode": "reverse"}, words(15)),
    ({"speed": 135.0}, words(16)),
    ({"vinyl": False}, words(17)),
    ({"pan": 3}, words(18)),
    ({"pad_link": 2}, words(19)),
    ({"bus": 2}, words(20)),
    ({"roll": "off"}, words(21)),
    ({"attack": 7}, words(22)),
    ({"hold": 60}, words(23)),
    ({"release": 9}, words(24)),
    ({"start": 10}, words(1, 11)),  # the loop top follows the start
    ({"end": 90}, words(2)),
    ({"loop_top": 20}, words(11)),
    ({"chops": (0, 40)}, [(CHOPS_AT + 17 * 128, CHOPS_AT + 17 * 128 + 128)]),
    ({"name": "Other kick"}, [(NAMES_AT + 17 * 24, NAMES_AT + 17 * 24 + 24)]),
]


@pytest.mark.parametrize(("change", "places"), PAD_CHANGES, ids=[str(change) for change, _ in PAD_CHANGES])
def test_of_a_changed_pad_only_that_setting_differs(
    change: Mapping[str, Any], places: list[tuple[int, int]], tmp_path: Path
) -> None:
    def edit(kit: KitDocument) -> KitDocument:
        pad = kit.pads["B2"]
        changed = pad.model_copy(update={"settings": pad.settings.changed(change)})
        return kit.model_copy(update={"pads": {**kit.pads, "B2": changed}})

    files = small_project()
    made = there_and_back(files, tmp_path / "x", edit)
    assert made | {"PADCONF.BIN": b""} == files | {"PADCONF.BIN": b""}
    assert changed_bytes(files, made) <= {at for start, stop in places for at in range(start, stop)}
    assert changed_bytes(files, made)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"tempo": 101.5}, (0x12, 0x14)),
        ({"tempo_source": "project"}, (0x10, 0x12)),
        ({"name": "Dusty two"}, (0x80, 0xA0)),
        ({"banks": {"C": BankDocument(tempo=77.0)}}, (0x48, 0x4C)),
        ({"banks": {"B": BankDocument(volume=90)}}, (0x6C, 0x6E)),
        ({"banks": {"A": BankDocument(protect=True)}}, (0x40, 0x44)),
    ],
)
def test_of_a_changed_kit_only_that_value_differs(
    change: Mapping[str, Any], place: tuple[int, int], tmp_path: Path
) -> None:
    files = small_project()
    made = there_and_back(files, tmp_path / "x", lambda kit: kit.model_copy(update=change))
    assert made | {"PADCONF.BIN": b""} == files | {"PADCONF.BIN": b""}
    assert changed_bytes(files, made)
    assert changed_bytes(files, made) <= set(range(*place))


def test_a_pad_that_is_cleared_is_an_empty_pad_without_a_sound(tmp_path: Path) -> None:
    def clear(kit: KitDocument) -> KitDocument:
        return kit.model_copy(update={"pads": {"A1": kit.pads["A1"]}})

    files = small_project()
    made = there_and_back(files, tmp_path / "x", clear)
    assert set(files) - set(made) == {"SMPL/BANK2-02.SMP"}
    assert made["PADCONF.BIN"] == padconf(
        {0: block(1312, "Dusty break 92", (0, 50, 120), w9=9217, w8=1, w7=3)}
    )


def test_a_pattern_is_the_kits_own_and_does_not_come_back_once_it_is_deleted(tmp_path: Path) -> None:
    def keep_the_last(kit: KitDocument) -> KitDocument:
        assert {place: unpack_pattern(one.ptn) for place, one in kit.patterns.items()} == {
            "A1": ONE_HIT, "J16": ONE_HIT,
        }  # fmt: skip
        return kit.model_copy(update={"patterns": {"J16": kit.patterns["J16"]}})

    files = small_project() | {"PTN/PTN00001.BIN": ONE_HIT, "PTN/PTN00160.BIN": ONE_HIT}
    made = there_and_back(files, tmp_path / "x", keep_the_last)
    assert made == {path: data for path, data in files.items() if path != "PTN/PTN00001.BIN"}


@pytest.mark.parametrize(("limit", "room"), [("MAX_CHARACTERS", 0), ("MAX_PATTERNS_BYTES", len(ONE_HIT))])
def test_patterns_that_a_kit_has_no_room_for_stay_with_the_project(
    limit: str, room: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"app.sp404.importing.project_kit.{limit}", room)
    files = small_project() | {f"PTN/PTN{number:05d}.BIN": ONE_HIT for number in range(1, 12)}
    done = unpacked(files, tmp_path / "x")
    taken, left = ([], 11) if room == 0 else (["A1"], 10)
    assert list(done.kit.patterns) == taken
    assert str(done.problems[0]).startswith(f"Patterns: The kit has no room for {left} patterns: A")
    assert f" and {left - 8} more. On a card for the unit " in str(done.problems[0])
    assert there_and_back(files, tmp_path / "y") == files


def test_what_is_damaged_is_left_out_with_its_reason(tmp_path: Path) -> None:
    files = small_project()
    files |= {"SMPL/BANK1-01.SMP": b"RFWV", "PTN/PTN00002.BIN": b"?"}
    done = unpacked(files, tmp_path / "x")
    said = {str(problem) for problem in done.problems}
    assert "A1: The sound is cut off inside its header." in said
    assert any(one.startswith("Pattern A2: ") and one.endswith("It is kept as it is.") for one in said)
    gap = done.kit.pads["A1"]
    assert (gap.sample and gap.sample.path, gap.settings.name) == (None, "Dusty break 92")
    assert done.kit.pads["B2"].sample is not None
    assert done.kit.pads["B2"].sample.path == "sounds/B2.wav"


def changed_bytes(files: Mapping[str, bytes], made: Mapping[str, bytes]) -> set[int]:
    old, new = files["PADCONF.BIN"], made["PADCONF.BIN"]
    assert len(old) == len(new)
    return {at for at in range(len(old)) if old[at] != new[at]}
