"""`python -m app.audio render` and `chop`: what is written, what is said, and that errors leave nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile

from app.audio.__main__ import main
from tests.audio.render.sounds import RATE, hits, sine


class Done(NamedTuple):
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process: a process of its own takes seconds to start."""

    def run_command(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["python -m app.audio", *map(str, arguments)])
        try:
            code = main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        told = capsys.readouterr()
        return Done(code, told.out, told.err)

    return run_command


@pytest.fixture
def loop(tmp_path: Path) -> Path:
    path = tmp_path / "Amen.wav"
    times = [k * 60 / 87 / 2 for k in range(16)]
    soundfile.write(path, np.repeat(hits(times, 8 * 60 / 87), 2, axis=1), RATE, subtype="PCM_24")
    return path


def answer(done: Done) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_a_loop_gets_another_tempo_and_says_how(run: Run, loop: Path) -> None:
    target = loop.parent / "out.wav"
    told = answer(
        run("render", loop, target, "--bpm", 93, "--from-bpm", 87, "--normalise", "-1.0dBTP", "--json")
    )
    frames = round(8 * 60 * RATE / 93)
    assert (told["frames"], told["bpm"], told["recipe"]["beats"]) == (frames, 93.0, 8)
    assert told["done"][:2] == ["87 → 93 BPM", "6.9 % faster"]
    assert told["done"][-1].endswith("dB for -1 dBTP")
    info = soundfile.info(target)
    assert (info.frames, info.samplerate, info.subtype) == (frames, RATE, "PCM_16")


def test_words_are_for_people(run: Run, loop: Path) -> None:
    done = run(
        "render", loop, loop.parent / "out.wav", "--transpose", "-3", "--mono", "auto", "--fade-in-ms", 2
    )
    assert done.returncode == 0, done.stderr
    assert "made mono, 3 semitones down at the same tempo, " in done.stdout
    assert "2 ms fade in" in done.stdout


def test_nothing_asked_is_the_units_wav(run: Run, loop: Path) -> None:
    done = run("render", loop, loop.parent / "out.wav")
    assert done.stdout == f"{loop.parent / 'out.wav'}: as it was\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--speed", 9), "speed: Input should be less than or equal to 4."),
        (("--length", 99), "can be stretched to between"),
    ],
)
def test_an_error_is_a_sentence_and_leaves_no_file(
    run: Run, loop: Path, options: tuple[object, ...], words: str
) -> None:
    before = sorted(loop.parent.iterdir())
    done = run("render", loop, loop.parent / "out.wav", *options)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    told = run("render", loop, loop.parent / "out.wav", *options, "--json")
    assert (told.returncode, words in json.loads(told.stdout)["error"]) == (1, True)
    assert sorted(loop.parent.iterdir()) == before


def test_a_file_that_is_no_audio_and_a_target_without_a_folder_are_refused(
    run: Run, tmp_path: Path, loop: Path
) -> None:
    (tmp_path / "notes.txt").write_text("no sound")
    assert "Not audio we can read" in run("render", tmp_path / "notes.txt", tmp_path / "out.wav").stderr
    done = run("render", loop, tmp_path / "missing" / "out.wav")
    assert (done.returncode, "No such file" in done.stderr) == (1, True)
    assert not (tmp_path / "out.wav").exists()


def test_the_original_is_never_replaced(run: Run, loop: Path) -> None:
    before = loop.read_bytes()
    done = run("render", loop, loop, "--gain-db", -1)
    assert (done.returncode, "would replace" in done.stderr) == (1, True)
    assert loop.read_bytes() == before


def test_a_level_needs_its_unit(run: Run, loop: Path) -> None:
    done = run("render", loop, loop.parent / "out.wav", "--normalise", "-1")
    assert done.returncode == 2
    assert "-1 isn't a level. Write -1.0dBTP" in done.stderr


def test_slices_are_numbered_and_named_and_make_up_the_sound(run: Run, loop: Path) -> None:
    folder = loop.parent / "slices"
    told = answer(run("chop", loop, folder, "--by", "onsets", "--count", 8, "--json"))
    assert len(told["slices"]) == 8
    assert [each["file"] for each in told["slices"]] == [path.name for path in sorted(folder.iterdir())]
    assert told["slices"][0]["file"].startswith("01 Amen ")
    assert told["slices"][0]["start_s"] == 0
    assert told["slices"][-1]["end_s"] == pytest.approx(8 * 60 / 87, abs=0.001)
    assert all(path.suffix == ".wav" for path in folder.iterdir())


def test_chops_that_can_not_be_made_leave_no_folder(run: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "tone.wav", sine(220, 0.4), RATE)
    done = run("chop", tmp_path / "tone.wav", tmp_path / "slices", "--by", "beats")
    assert (done.returncode, "No tempo is known" in done.stderr) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["tone.wav"]
