"""Projects go from the unit to a kit and back: byte for byte, but for what was changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.sp404.card.card_builder import build
from app.sp404.card.card_files import write_files
from app.sp404.card.card_options import CardOptions
from app.sp404.card.card_sounds import CardSound
from app.sp404.kit_document import (
    BankDocument,
    KitDocument,
    PadDocument,
    PatternDocument,
    SampleReference,
)
from app.sp404.pad_names import safe_name
from app.sp404.pad_places import pad_index, sound_file
from app.sp404.project.packed_patterns import pack_pattern
from app.sp404.project.pattern_notes import PatternNote, compose_pattern
from app.sp404.project.project_reader import read_project
from app.sp404.project.unit_project import UnitProject
from tests.sp404.project.made_files import block, padconf_2, read_files, small_project, smp
from tests.sp404.project.made_files import write_files as write_made_files
from tests.sp404.test_device_files import DEVICE, PADCONFS

needs_device_files = pytest.mark.skipif(not DEVICE.is_dir(), reason=f"no device-made files in {DEVICE}")


def kit_of(project: UnitProject, **values: Any) -> tuple[KitDocument, dict[str, CardSound]]:
    """Return the kit of a project, as somebody imports it."""
    sample = SampleReference(name="x")
    pads = {
        place: PadDocument(sample=sample, locked=False, settings=one.settings)
        for place, one in project.pads.items()
    }
    head = project.head
    banks = {
        letter: BankDocument(tempo=one.tempo, volume=one.volume, protect=one.protect)
        for letter, one in zip("ABCDEFGHIJ", head.banks, strict=True)
    }
    kit = KitDocument(
        name=head.name.strip() or safe_name(project.folder_name, 32),
        tempo=head.tempo,
        tempo_source="project" if head.by_project else "bank",
        banks=banks,
        pads=pads,
    )
    return kit.model_copy(update=values), {
        place: CardSound(one.sound) for place, one in project.pads.items() if one.sound
    }


def written(folder: Path, project: UnitProject, **values: Any) -> dict[str, bytes]:
    write_files(build(*kit_of(project, **values), ["mk2"], CardOptions(base=project)), folder)
    return read_files(folder / "EXPORT/PROJECT/PROJECT_01")


def unnamed_project() -> dict[str, bytes]:
    """Return a project of an older firmware, whose project and pad have no name."""
    sound = smp(bytes(800), 2)
    return {"PADCONF.BIN": padconf_2({0: block(len(sound), "")}), "SMPL/BANK1-01.SMP": sound}


@pytest.mark.parametrize("files", [small_project(), unnamed_project()])
def test_an_untouched_project_is_written_byte_for_byte(files: dict[str, bytes], tmp_path: Path) -> None:
    project = read_project(write_made_files(tmp_path / "P16_PROJECT_16", files))
    assert written(tmp_path / "o", project) == files


@needs_device_files
@pytest.mark.parametrize("name", PADCONFS)
def test_what_a_unit_made_is_written_byte_for_byte(name: str, tmp_path: Path) -> None:
    alone = read_project(DEVICE / f"{name}.bin")
    files = {"PADCONF.BIN": (DEVICE / f"{name}.bin").read_bytes()}
    for place, one in alone.pads.items():
        files[sound_file(pad_index(place))] = smp(bytes(one.size_bytes - 512), one.channels)
    project = read_project(write_made_files(tmp_path / "P", files))
    assert project.problems == ()
    assert written(tmp_path / "o", project) == files


def test_only_what_was_changed_differs(tmp_path: Path) -> None:
    files = small_project()
    project = read_project(write_made_files(tmp_path / "P", files))
    pads = kit_of(project)[0].pads
    louder = pads["B2"].model_copy(update={"settings": pads["B2"].settings.changed({"level": 99})})
    made = written(tmp_path / "o", project, pads={**pads, "B2": louder}, tempo=93.5)
    assert {path for path in files if made[path] != files[path]} == {"PADCONF.BIN"}
    old, new = files["PADCONF.BIN"], made["PADCONF.BIN"]
    changed = {at for at in range(len(old)) if old[at] != new[at]}
    assert changed <= {0x12, 0x13, 0xA0 + 17 * 172 + 15}
    assert new[0x12:0x14] == (9350).to_bytes(2, "big")
    assert new[0xA0 + 17 * 172 + 15] == 99


def test_a_new_sound_replaces_the_file_that_an_empty_pad_had(tmp_path: Path) -> None:
    files = small_project() | {"SMPL/BANK1-03.SMP": smp(bytes(800), 2)}
    project = read_project(write_made_files(tmp_path / "P", files))
    kit, sounds = kit_of(project)
    more = kit.model_copy(update={"pads": {**kit.pads, "A3": kit.pads["B2"]}})
    card = build(more, sounds | {"A3": sounds["B2"]}, ["mk2"], CardOptions(base=project))
    write_files(card, tmp_path / "o")
    made = read_files(tmp_path / "o/EXPORT/PROJECT/PROJECT_01")
    assert made["SMPL/BANK1-03.SMP"] == made["SMPL/BANK2-02.SMP"] == files["SMPL/BANK2-02.SMP"]


def test_a_pattern_of_the_kit_replaces_that_of_its_project(tmp_path: Path) -> None:
    files = small_project()
    project = read_project(write_made_files(tmp_path / "P", files))
    ptn = compose_pattern([PatternNote(480, "B2")], 2).to_bytes()
    made = written(tmp_path / "o", project, patterns={"A1": PatternDocument(name="", ptn=pack_pattern(ptn))})
    assert made == files | {"PTN/PTN00001.BIN": ptn}


def test_the_bytes_kept_with_a_kit_are_the_head_of_its_project(tmp_path: Path) -> None:
    files = small_project()
    head = files["PADCONF.BIN"][:0x68] + b"\0\0\0\x07" + files["PADCONF.BIN"][0x6C:0xA0]
    changed = files | {"PADCONF.BIN": head + files["PADCONF.BIN"][0xA0:]}
    project = read_project(write_made_files(tmp_path / "P", changed))
    kit, sounds = kit_of(project, kept=head.hex())
    write_files(build(kit, sounds, ["mk2"]), tmp_path / "o")
    made = (tmp_path / "o/EXPORT/PROJECT/PROJECT_01/PADCONF.BIN").read_bytes()
    assert made == changed["PADCONF.BIN"]
