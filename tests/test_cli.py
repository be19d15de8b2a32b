"""Measuring files on the command line, with Flask and without."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import SearchRow, User
from tests.live import ROOT
from tests.search.test_text_conditions import shelve
from tests.support import chord, drum_loop

COMMANDS = {
    "flask": [str(Path(sys.executable).parent / "flask"), "--app", "wsgi", "analyze"],
    "alone": [sys.executable, "-m", "app.audio"],
}
PROMISED = {
    "path", "duration_s", "sample_rate", "channels", "bpm", "bpm_confidence", "key", "key_confidence", "kind",
    "loudness_db", "spectral",
}  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    for name, content in (("loop.wav", drum_loop(93)), ("bad.wav", b"%PDF-1.7"), ("chord.wav", chord())):
        (tmp_path / name).write_bytes(content)
    return [str(tmp_path / name) for name in ("loop.wav", "bad.wav", "chord.wav")]


def run(command: str, *arguments: str, data_dir: Path) -> subprocess.CompletedProcess[str]:
    env = {"PATH": "/usr/bin:/bin", "DATA_DIR": str(data_dir)}
    return subprocess.run([*COMMANDS[command], *arguments], cwd=ROOT, env=env, capture_output=True, text=True)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_file_gets_one_json_line(command: str, files: list[str], tmp_path: Path) -> None:
    done = run(command, *files, "--json", data_dir=tmp_path / "data")
    assert done.returncode == 1, done.stderr
    loop, bad, chord_ = (json.loads(line) for line in done.stdout.splitlines())
    assert set(loop) >= PROMISED
    assert (loop["path"], loop["kind"], loop["key"]) == (files[0], "loop", None)
    assert loop["bpm"] == pytest.approx(93, abs=0.5)
    assert chord_["key"] == "C minor"
    assert set(bad) == {"path", "error"}
    assert "looks like PDF" in bad["error"]


def test_the_search_index_is_rebuilt(owner: User, app: Flask) -> None:
    shelve(owner, {"Dusty kick": {}, "Warm pad": {}})
    runner = app.test_cli_runner()
    done = runner.invoke(args=["search", "rebuild"])
    assert done.exit_code == 0
    assert "owner@example.com: 2 samples" in done.output
    assert db.session.scalars(select(SearchRow.name).order_by(SearchRow.name)).all() == [
        "dusty kick",
        "warm pad",
    ]
    assert runner.invoke(args=["search", "rebuild", "--email", "owner@example.com"]).exit_code == 0
    refused = runner.invoke(args=["search", "rebuild", "--email", "nobody@example.com"])
    assert refused.exit_code == 1
    assert "No account has the address nobody@example.com." in refused.output


@pytest.mark.parametrize("command", COMMANDS)
def test_without_json_the_report_is_text(command: str, files: list[str], tmp_path: Path) -> None:
    done = run(command, files[0], data_dir=tmp_path / "data")
    assert done.returncode == 0, done.stderr
    assert "93.00 BPM" in done.stdout


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_folder_stands_for_its_audio_files_in_order(jobs: str, files: list[str], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no audio")
    done = run("alone", str(tmp_path), "--json", "--jobs", jobs, data_dir=tmp_path / "data")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["path"] for line in done.stdout.splitlines()] == [files[2], files[0]]
