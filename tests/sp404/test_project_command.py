"""`python -m app.sp404` shows and copies projects."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.sp404.project.made_files import read_files, small_project, write_files

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.sp404", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def test_a_project_is_shown_as_json(tmp_path: Path) -> None:
    done = run("read", write_files(tmp_path / "P", small_project()), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    shown = json.loads(done.stdout)
    assert list(shown) == ["version", "name", "tempo", "banks", "pads", "patterns"]
    assert (shown["version"], shown["name"], shown["tempo"]) == (3, "PROJECT_01", 90.0)
    assert shown["banks"] == [{"tempo": 90.0, "volume": 127, "protect": False}] * 10
    assert shown["pads"]["A1"] == {
        "name": "Dusty break 92",
        "level": 127,
        "pan": 64,
        "gate": True,
        "loop": False,
        "one_shot": False,
        "play_mode": "forward",
        "mute_group": 3,
        "pad_link": 0,
        "bus": 1,
        "roll": "1/4",
        "bpm": 92.17,
        "bpm_sync": True,
        "pitch": 0,
        "fine": 0,
        "speed": 100.0,
        "vinyl": True,
        "fixed_velocity": False,
        "poly_mode": "mono",
        "attack": 0,
        "hold": 100,
        "release": 0,
        "start": 0,
        "end": None,
        "loop_top": None,
        "chops": [0, 50, 120],
        "size": 1312,
    }
    assert list(shown["pads"]) == ["A1", "B2"]
    hit = {"tick": 0, "pad": "A1", "velocity": 90, "gate": 120, "semitones": 0}
    assert shown["patterns"] == {"A1": {"bars": 1, "metre": "4/4", "notes": [hit]}}


def test_a_project_is_shown_in_lines_and_what_is_wrong_beside(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "P", small_project())
    (folder / "SMPL/BANK2-02.SMP").unlink()
    done = run("read", folder)
    assert done.returncode == 0
    assert done.stderr == "B2: Its sound SMPL/BANK2-02.SMP is missing; the unit drops the pad.\n"
    assert done.stdout.splitlines() == [
        "PROJECT_01, 90 BPM",
        "A1  Dusty break 92              0.00 s  92.17 BPM, gate, mute group 3, 3 chops",
        "B2  Kick                        0.00 s  90 BPM, one-shot",
        "Pattern A1: 1 bar of 4/4, 1 note",
    ]


def test_a_project_is_copied(tmp_path: Path) -> None:
    write_files(tmp_path / "EXPORT/PROJECT/PROJECT_01", small_project())
    write_files(tmp_path / "EXPORT/PROJECT/PROJECT_02", small_project())
    done = run("copy", tmp_path / "EXPORT", tmp_path / "OUT", "--project", "PROJECT/PROJECT_02")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert read_files(tmp_path / "OUT") == small_project()


def test_what_can_not_be_read_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "P", small_project())
    (folder / "PADCONF.BIN").write_bytes(b"RFPD" + bytes(100))
    for arguments in (("read", folder), ("read", folder, "--json"), ("copy", folder, tmp_path / "OUT")):
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "PADCONF.BIN is of version 0; versions 2 and 3 can be read.\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["P"]
    missing = run("read", tmp_path / "none")
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
