"""Damaged projects and kits are refused with a sentence, or unpacked in part with a list."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from app.sp404.card.card_builder import build
from app.sp404.card.card_options import CardOptions
from app.sp404.card.card_sounds import CardSound
from app.sp404.errors import UnitFileError
from app.sp404.importing.kit_sources import look_into
from app.sp404.importing.unpacking import BASE, unpack
from app.sp404.project.base_archive import read_base
from app.sp404.project.pad_sounds import wav_sound
from tests.sp404.project.made_files import small_project, zipped

CASES = 120
KIT = {
    "format": "sp404mk2-kit",
    "version": 1,
    "name": "Shared",
    "pads": {"A1": {"sample": {"name": "x", "path": "sounds/a.wav"}}, "A2": {"sample": {"path": "../b.wav"}}},
}


def damaged(chance: random.Random) -> bytes:
    """Return a ZIP of a project and a kit.json, with some bytes changed in one of its files or in itself."""
    files = {f"P/{path}": data for path, data in small_project().items()}
    files |= {"K/kit.json": json.dumps(KIT).encode(), "K/sounds/a.wav": b"RIFF", "b.wav": b"RIFF"}
    if chance.random() < 0.6:
        path = chance.choice(sorted(files))
        files[path] = change(files[path], chance)
    archive = zipped(files)
    return change(archive, chance) if chance.random() < 0.5 else archive


def change(data: bytes, chance: random.Random) -> bytes:
    made = bytearray(data)
    for _ in range(chance.choice((1, 4, 60))):
        made[chance.randrange(len(made))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return bytes(made[: chance.choice((len(made), len(made), chance.randrange(1, len(made))))])


@pytest.mark.parametrize("seed", range(4))
def test_damage_ends_in_a_sentence_or_a_list(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    refusals: list[str] = []
    unpacked = sum(
        unpack_everything(damaged(chance), tmp_path / str(number), refusals) for number in range(CASES // 4)
    )
    assert unpacked > 10
    assert len(refusals) > 3
    assert all(refusals)


def unpack_everything(sent: bytes, folder: Path, refusals: list[str]) -> int:
    """Unpack each kit of a file; return how many could be, and note why the others could not."""
    folder.mkdir()
    (folder / "sent").write_bytes(sent)
    done = 0
    try:
        for place, one in enumerate(look_into(folder / "sent", "sent")):
            work = folder / str(place)
            work.mkdir()
            unpack_and_write(folder / "sent", one.path, work)
            done += 1
    except UnitFileError as error:
        refusals.append(str(error))
    return done


def unpack_and_write(source: Path, path: str, work: Path) -> None:
    """Unpack, and write what came of it as a card, whose positions are repaired where they have to be."""
    done = unpack(source, path, "sent", work)
    assert {file for file in work.rglob("*") if work not in file.resolve().parents} == set()
    if not done.has_base:
        assert all("b.wav" not in str(one) or "no sound" in str(one) for one in done.problems)
        return
    base = read_base(work / BASE)
    paths = {pad: one.sample.path for pad, one in done.kit.pads.items() if one.sample and one.sample.path}
    sounds = {pad: CardSound(wav_sound(work / relative)) for pad, relative in paths.items()}
    options = CardOptions(base=base.project, kept_sounds=base.sounds)
    if sounds:
        assert list(build(done.kit, sounds, ["mk2"], options))
