"""Any project that is written is read as the same by a reader that shares no code with the writer."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sp404.pad_settings import PadSettings, read_settings
from app.sp404.pads import PAD_NAMES
from app.sp404.project.pad_sounds import wav_sound
from app.sp404.project.pattern_notes import PatternNote, compose_pattern
from app.sp404.project.project_header import ProjectHead, UnitBank
from app.sp404.project.project_writer import write_project
from app.sp404.project.startup_screen import draw_startup_screen
from app.sp404.project.unit_project import UnitProject, make_pad
from app.sp404.unit_limits import PLAY_MODES
from tests.sp404 import second_reader
from tests.sp404.any_settings import LOADABLE, any_settings
from tests.sp404.project.test_smp_files import wav

FRAMES = 5_000
ROLL_NUMBERS = {"off": 0, "1/4": 2, "1/16": 4, "3/8": 7}
SAME = (
    "name", "level", "pan", "gate", "loop", "one_shot", "mute_group", "pad_link", "bus", "bpm", "bpm_sync",
    "pitch", "fine", "speed", "vinyl", "fixed_velocity", "poly_mode", "attack", "hold", "release", "start",
)  # fmt: skip


@st.composite
def settings_of_a_short_sound(draw: st.DrawFn) -> PadSettings:
    """Any settings whose positions lie in the sound, with a name as the unit writes it."""
    plain = draw(any_settings()).to_dict() | {"kept": "", "recipe": None}
    start, top, end = sorted(draw(st.lists(st.integers(0, FRAMES - 1), min_size=3, max_size=3, unique=True)))
    chops = draw(st.sets(st.integers(1, FRAMES - 1), max_size=15))
    name = draw(st.text(LOADABLE, min_size=1, max_size=23)).strip() or "a"
    return read_settings(
        plain
        | {"name": name, "start": start, "loop_top": top, "end": end, "chops": (0, *sorted(chops))}
        | {"roll": draw(st.sampled_from(sorted(ROLL_NUMBERS)))}
    )


@st.composite
def any_project(draw: st.DrawFn) -> tuple[dict[str, Any], list[PatternNote]]:
    places = draw(st.sets(st.sampled_from(PAD_NAMES), min_size=1, max_size=6))
    tempo = st.integers(4_000, 20_000).map(lambda hundredths: hundredths / 100)
    banks = tuple(UnitBank(draw(tempo), draw(st.integers(0, 127)), draw(st.booleans())) for _ in range(10))
    head = ProjectHead(
        name=draw(st.text(LOADABLE, min_size=1, max_size=32)).strip() or "a",
        tempo=draw(tempo),
        by_project=draw(st.booleans()),
        banks=banks,
    )
    notes = st.builds(
        PatternNote,
        tick=st.integers(0, 1_919),
        pad=st.sampled_from(PAD_NAMES),
        velocity=st.integers(1, 127),
        gate=st.integers(1, 4_000),
        semitones=st.integers(-12, 12),
    )
    pads = {place: (draw(settings_of_a_short_sound()), draw(st.sampled_from([1, 2]))) for place in places}
    return {"head": head, "pads": pads}, draw(st.lists(notes, min_size=1, max_size=12))


@settings(deadline=None, max_examples=60)
@given(any_project(), st.integers(0, 2**32 - 1))
def test_a_second_reader_reads_what_was_meant(
    made: tuple[dict[str, Any], list[PatternNote]], seed: int
) -> None:
    parts, notes = made
    chance = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as name:
        folder, pads, pcm = Path(name), {}, {}
        for place, (wanted, channels) in parts["pads"].items():
            pcm[place] = chance.integers(-32_768, 32_768, (FRAMES, channels), dtype=np.int16)
            path = folder / f"{place}.wav"
            path.write_bytes(wav(pcm[place].reshape(-1).tolist(), channels))
            pads[place] = make_pad(wanted, wav_sound(path))
        project = UnitProject(
            head=parts["head"],
            pads=pads,
            patterns={"B3": compose_pattern(notes, bars=1)},
            pictures={"PICTURE/startup_1.bmp": draw_startup_screen(parts["head"].name)},
        )
        write_project(project, folder / "PROJECT_07")
        read = second_reader.read_project(folder / "PROJECT_07")
    assert read["folder"] == "PROJECT_07"
    compare_head(parts["head"], read)
    assert set(read["pads"]) == set(pads)
    for place, (wanted, _) in parts["pads"].items():
        compare_pad(wanted, read["pads"][place])
        np.testing.assert_array_equal(read["pads"][place]["pcm"], pcm[place])
    compare_notes(notes, read["patterns"])
    assert read["pictures"]["startup_1"].any()


def compare_head(head: ProjectHead, read: dict[str, Any]) -> None:
    mode = "project" if head.by_project else "bank"
    assert (read["version"], read["name"], read["tempo"], read["mode"]) == (3, head.name, head.tempo, mode)
    for letter, bank in zip("ABCDEFGHIJ", head.banks, strict=True):
        assert read["banks"][letter] == {
            "tempo": bank.tempo,
            "volume": bank.volume,
            "protect": bank.protect,
        }


def compare_pad(wanted: PadSettings, read: dict[str, Any]) -> None:
    assert {name: read[name] for name in SAME} == {name: getattr(wanted, name) for name in SAME}
    assert read["play_mode"] == PLAY_MODES.index(wanted.play_mode)
    assert read["roll"] == ROLL_NUMBERS[wanted.roll]
    assert (read["end"], read["loop_top"]) == (wanted.end, wanted.loop_top)
    assert list(read["chops"]) == list(wanted.chops)


def compare_notes(notes: list[PatternNote], patterns: dict[str, Any]) -> None:
    assert (patterns["B3"]["bars"], patterns["B3"]["metre"]) == (1, "4/4")
    read = [
        (note["tick"], note["pad"], note["velocity"], note["gate"], note["semitones"])
        for note in patterns["B3"]["notes"]
    ]
    meant = [(note.tick, note.pad, note.velocity, note.gate, note.semitones) for note in notes]
    assert sorted(read) == sorted(meant)
