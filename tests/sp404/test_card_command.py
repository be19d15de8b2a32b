"""`python -m app.sp404 write` and `check`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.sp404.__main__ import main
from app.sp404.project.packed_patterns import pack_pattern
from app.sp404.project.project_reader import read_project
from tests.sp404.card.made_kits import write_wav_file
from tests.sp404.project.made_files import ONE_HIT, read_files

ROOT = Path(__file__).resolve().parents[2]


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process: a fresh one needs seconds to load the engine."""

    def run_here(*arguments: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["app.sp404", *map(str, arguments)])
        code = main()
        shown = capsys.readouterr()
        return Done(code, shown.out, shown.err)

    return run_here


def write_kit_file(folder: Path, **pads: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    document = {"format": "sp404mk2-kit", "version": 1, "name": "Dusty Kit", "pads": pads}
    (folder / "kit.json").write_text(json.dumps(document))
    return folder / "kit.json"


def sounding(path: str, name: str = "", **settings: Any) -> dict[str, Any]:
    return {"sample": {"name": name, "path": path}, "settings": {"version": 1, **settings}}


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    write_wav_file(tmp_path / "kit/sounds/Kick.wav", 6_000)
    write_wav_file(tmp_path / "kit/Loop.wav", 88_200, 2, 44_100)
    loop = sounding("Loop.wav", "Loop é", bpm=90.0, recipe={"version": 1, "bpm": 120.0, "from_bpm": 90.0})
    return write_kit_file(tmp_path / "kit", A1=sounding("sounds/Kick.wav"), A2=loop)


def test_a_kit_is_written_for_every_card_and_checked(kit: Path, tmp_path: Path, run: Run) -> None:
    cards = ("mk2", "import", "sx", "sfz", "xpm", "wav")
    targets = [word for target in cards for word in ("--target", target)]
    done = run("write", kit, tmp_path / "out", *targets, "--number", "3")
    assert (done.returncode, done.stdout) == (0, "")
    assert all(line.startswith("note: ") for line in done.stderr.splitlines())
    assert "note: A2: “Loop é” has characters" in done.stderr
    assert "note: A2: The pad is set to 90 BPM, but the sound is at 120." in done.stderr
    project = read_project(tmp_path / "out/EXPORT/PROJECT/PROJECT_03")
    assert project.problems == ()
    assert {place: one.settings.name for place, one in project.pads.items()} == {
        "A1": "Kick",
        "A2": "Loop e 120",
    }
    frames = {place: one.sound.header.frames for place, one in project.pads.items() if one.sound}
    assert frames == {"A1": 6_000, "A2": round(96_000 * 90 / 120)}
    sx = read_files(tmp_path / "out/ROLAND/SP-404SX/SMPL")
    assert len(sx["A0000002.WAV"]) == 512 + round(88_200 * 90 / 120) * 4
    checked = run("check", tmp_path / "out")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_a_written_kit_is_written_again(kit: Path, tmp_path: Path, run: Run) -> None:
    assert run("write", kit, tmp_path / "one", "--target", "wav").returncode == 0
    again = tmp_path / "one/WAV/Dusty Kit/kit.json"
    assert run("write", again, tmp_path / "two", "--target", "wav").returncode == 0
    assert read_files(tmp_path / "two/WAV") == read_files(tmp_path / "one/WAV")


def test_a_sound_of_the_right_format_is_copied_unchanged(kit: Path, tmp_path: Path, run: Run) -> None:
    assert run("write", kit, tmp_path / "out", "--target", "import").returncode == 0
    written = (tmp_path / "out/IMPORT/Dusty Kit/01_Kick.wav").read_bytes()
    assert written == (kit.parent / "sounds/Kick.wav").read_bytes()


def test_errors_of_a_card_are_lines_and_the_exit_code(kit: Path, tmp_path: Path, run: Run) -> None:
    assert run("write", kit, tmp_path / "out", "--target", "import").returncode == 0
    wav = tmp_path / "out/IMPORT/Dusty Kit/01_Kick.wav"
    wav.rename(wav.with_name("01 a name that is much too long.wav"))
    noted = run("check", tmp_path / "out")
    assert noted.returncode == 0
    assert noted.stdout.startswith("note: IMPORT/Dusty Kit/01 a name that is much too long.wav: Its name")
    wav.write_bytes(b"no WAV")
    found = run("check", tmp_path / "out")
    assert found.returncode == 1
    assert "error: IMPORT/Dusty Kit/01_Kick.wav: It is no WAV" in found.stdout


@pytest.mark.parametrize(
    ("sounds", "sentence"),
    [
        ({"A1": sounding("none.wav")}, "A1: There is no sound “none.wav” beside the kit.json."),
        ({"A1": sounding("../secret.wav")}, "A1: “../secret.wav” leads outside of the folder of the kit."),
        ({"A1": sounding("link.wav")}, "A1: “link.wav” leads outside of the folder of the kit."),
        ({"A1": sounding("/etc/passwd")}, "“kit.json”: Pad A1: the path of its sound is relative"),
        ({"A1": sounding("noise.wav")}, "A1: "),
        ({"A1": {"sample": {"name": "x"}}}, "The kit.json names no sound"),
        ({"Z1": sounding("none.wav")}, "“kit.json”: Its pads are named A1 to J16."),
    ],
)
def test_what_can_not_be_read_is_a_sentence_and_leaves_nothing(
    sounds: dict[str, Any], sentence: str, tmp_path: Path, run: Run
) -> None:
    write_wav_file(tmp_path / "secret.wav", 6_000)
    path = write_kit_file(tmp_path / "kit", **sounds)
    (tmp_path / "kit/link.wav").symlink_to(tmp_path / "secret.wav")
    (tmp_path / "kit/noise.wav").write_bytes(bytes(range(256)) * 9)
    done = run("write", path, tmp_path / "out", "--target", "mk2")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["kit", "secret.wav"]


def test_a_missing_kit_and_project_17_are_refused(kit: Path, tmp_path: Path, run: Run) -> None:
    missing = run("write", tmp_path / "none.json", tmp_path / "out", "--target", "mk2")
    assert (missing.returncode, missing.stderr) == (1, "“none.json” can't be read.\n")
    late = run("write", kit, tmp_path / "out", "--target", "mk2", "--number", "17")
    assert (late.returncode, late.stderr) == (1, "The unit has projects 1 to 16, and no project 17.\n")


def test_the_commands_run_from_a_shell(kit: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app.sp404"]
    written = [*command, "write", str(kit), str(tmp_path / "out"), "--target", "sfz"]
    assert subprocess.run(written, cwd=ROOT).returncode == 0
    next((tmp_path / "out/SFZ").rglob("*.wav")).unlink()
    checked = subprocess.run(
        [*command, "check", str(tmp_path / "out")], capture_output=True, text=True, cwd=ROOT
    )
    assert checked.returncode == 1
    assert "Its sound “samples/" in checked.stdout


def test_patterns_alone_need_no_sound(run: Run, tmp_path: Path) -> None:
    source = write_kit_file(tmp_path / "kit")
    document = json.loads(source.read_text()) | {"patterns": {"A1": {"ptn": pack_pattern(ONE_HIT)}}}
    source.write_text(json.dumps(document))
    done = run("write", source, tmp_path / "out", "--target", "midi")
    assert (done.returncode, "no pad with a sound" in done.stderr) == (0, False)
    assert read_files(tmp_path / "out/MIDI/Dusty Kit")["PTN00001.BIN"] == ONE_HIT
    assert "names no sound" in run("write", source, tmp_path / "wav", "--target", "wav").stderr
