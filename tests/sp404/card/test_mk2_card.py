"""A kit that is written as a native project and read again is the same kit."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from app.sp404.pad_settings import PadSettings
from app.sp404.pads import PAD_NAMES
from app.sp404.project.midi_reader import pattern_from_midi
from app.sp404.project.packed_patterns import pack_pattern
from app.sp404.project.pattern_notes import PatternNote, compose_pattern, notes_of
from app.sp404.project.project_reader import read_project
from tests.sp404.any_settings import LOADABLE, any_settings
from tests.sp404.card.made_kits import card_sound, make_kit, pad
from tests.sp404.card.readers import READERS, ProjectReader

FRAMES = {1: 6_001, 2: 5_777}
PROJECT = "EXPORT/PROJECT/PROJECT_01"


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[int, CardSound]:
    folder = tmp_path_factory.mktemp("sounds")
    return {channels: card_sound(folder, frames, channels) for channels, frames in FRAMES.items()}


@pytest.fixture(params=READERS, scope="module")
def reader(request: pytest.FixtureRequest) -> ProjectReader:
    return READERS[request.param]


@st.composite
def fitting_settings(draw: st.DrawFn, frames: int) -> PadSettings:
    """Any settings, with positions inside a sound of so many frames."""
    drawn = draw(any_settings())
    start, top, end = sorted(draw(st.lists(st.integers(0, frames - 1), min_size=3, max_size=3, unique=True)))
    inner = draw(st.sets(st.integers(1, frames - 1), max_size=15))
    return drawn.model_copy(
        update={
            "name": draw(st.text(LOADABLE, min_size=1, max_size=23)).rstrip(" ") or "x",
            "start": start,
            "loop_top": draw(st.sampled_from([None, top])),
            "end": draw(st.sampled_from([None, end])),
            "chops": draw(st.sampled_from([(), (0, *sorted(inner))])),
            "recipe": None,
            "kept": "",
        }
    )


def tempos() -> st.SearchStrategy[float]:
    return st.integers(4_000, 20_000).map(lambda value: value / 100)


@st.composite
def any_kits(draw: st.DrawFn) -> tuple[KitDocument, dict[str, int]]:
    """A kit, and the channels of the sound of each of its pads."""
    channels = draw(
        st.dictionaries(st.sampled_from(PAD_NAMES), st.sampled_from([1, 2]), min_size=1, max_size=6)
    )
    sample = SampleReference(name="Sample")
    pads = {
        place: PadDocument(sample=sample, locked=False, settings=draw(fitting_settings(FRAMES[count])))
        for place, count in channels.items()
    }
    bank = st.builds(BankDocument, tempo=tempos(), volume=st.integers(0, 127), protect=st.booleans())
    name = draw(st.text(LOADABLE, min_size=1, max_size=32).map(str.strip).filter(bool))
    kit = KitDocument(
        name=name,
        tempo=draw(tempos()),
        tempo_source=draw(st.sampled_from(["project", "bank"])),
        banks=draw(st.dictionaries(st.sampled_from("ABCDEFGHIJ"), bank, max_size=3)),
        pads=pads,
    )
    return kit, channels


@settings(max_examples=30, deadline=None)
@given(made=any_kits())
def test_any_kit_is_read_as_it_was_written(
    made: tuple[KitDocument, dict[str, int]], sounds: dict[int, CardSound], reader: ProjectReader
) -> None:
    kit, channels = made
    with tempfile.TemporaryDirectory() as folder:
        write_files(
            build(kit, {place: sounds[one] for place, one in channels.items()}, ["mk2"]), Path(folder) / "o"
        )
        assert reader(Path(folder) / "o" / PROJECT) == as_json(kit, channels)
        by_project = read_project(Path(folder) / "o" / PROJECT).head.by_project
    assert by_project is (kit.tempo_source == "project")


def as_json(kit: KitDocument, channels: dict[str, int]) -> dict[str, Any]:
    """What a reader has to say of a kit, from the kit alone."""
    banks = [kit.banks.get(letter, BankDocument()) for letter in "ABCDEFGHIJ"]
    pads = {}
    for place in (one for one in PAD_NAMES if one in kit.pads):
        shown = kit.pads[place].settings.model_dump(mode="json", exclude={"version", "recipe", "kept"})
        # A loop top at the start is the start.
        shown["loop_top"] = None if shown["loop_top"] == shown["start"] else shown["loop_top"]
        pads[place] = shown | {"size": 512 + FRAMES[channels[place]] * 2 * channels[place]}
    return {
        "version": 3,
        "name": kit.name,
        "tempo": kit.tempo,
        "banks": [{"tempo": one.tempo, "volume": one.volume, "protect": one.protect} for one in banks],
        "pads": pads,
        "patterns": {},
    }


def test_the_sound_of_a_pad_is_that_of_its_wav(tmp_path: Path) -> None:
    sound = card_sound(tmp_path, 6_000, 2)
    write_files(build(make_kit({"C16": pad()}), {"C16": sound}, ["mk2", "import"]), tmp_path / "o")
    smp = (tmp_path / "o" / PROJECT / "SMPL/BANK3-16.SMP").read_bytes()
    wav = (tmp_path / "o/IMPORT/Dusty Kit/16_Kick.wav").read_bytes()
    assert wav == (tmp_path / "6000-2.wav").read_bytes()
    assert smp[512:] == b"".join(wav[i : i + 2][::-1] for i in range(44, len(wav), 2))


def test_patterns_go_into_the_project_and_beside_it_as_midi(tmp_path: Path) -> None:
    notes = (PatternNote(0, "A13"), PatternNote(500, "B1", velocity=101, gate=60))
    options = CardOptions(draws_screen=True)
    ptn = pack_pattern(compose_pattern(notes, 2).to_bytes())
    kit = make_kit(
        {"A13": pad(), "B1": pad()},
        banks={"B": BankDocument(tempo=120.0)},
        tempo_source="bank",
        patterns={"B2": PatternDocument(name="Two", ptn=ptn)},
    )
    sound = card_sound(tmp_path)
    write_files(build(kit, {"A13": sound, "B1": sound}, ["mk2", "midi"], options), tmp_path / "o")
    project = read_project(tmp_path / "o" / PROJECT)
    assert (project.problems, list(project.pictures)) == ((), ["PICTURE/startup_1.bmp"])
    assert notes_of(project.patterns["B2"]) == notes
    midi = pattern_from_midi((tmp_path / "o/MIDI/Dusty Kit/B02.MID").read_bytes())
    assert (notes_of(midi.pattern), midi.bpm, midi.pattern.bars) == (notes, 120.0, 2)
    beside = tmp_path / "o/MIDI/Dusty Kit/PTN00018.BIN"
    assert beside.read_bytes() == (tmp_path / "o" / PROJECT / "PTN/PTN00018.BIN").read_bytes()
    write_files(build(kit, {"A13": sound, "B1": sound}, ["mk2"]), tmp_path / "mk2")
    assert [path.name for path in (tmp_path / "mk2/MIDI").rglob("*.*")] == ["B02.MID"]
    assert "Its patterns are in MIDI/Dusty Kit too" in (tmp_path / "mk2/README.txt").read_text("utf-8")


def test_settings_that_the_unit_can_not_take_are_repaired_and_named(tmp_path: Path) -> None:
    broken = pad("Break", start=7_000, end=9_000, chops=[0, 100, 8_000], kept="ab")
    write_files(build(make_kit({"A1": broken}), {"A1": card_sound(tmp_path)}, ["mk2"]), tmp_path / "o")
    project = read_project(tmp_path / "o" / PROJECT)
    written = project.pads["A1"].settings
    assert project.problems == ()
    assert (written.start, written.end, written.chops) == (0, None, (0, 100))
    report = (tmp_path / "o/report.csv").read_text(encoding="utf-8")
    assert (
        "The end (9,000) and start (7,000) are past the end of the sound, which has 6,000 frames." in report
    )
    assert "The first 2 of 3 chops are kept." in report
    assert "What was kept of the pad in its original project is damaged." in report
