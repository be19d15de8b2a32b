"""`python -m app.audio similar`: the most similar sounds of a folder, on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.audio.signals import column, full_snare, hat, kick, write
from tests.live import ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    (folder / "more").mkdir()
    write(folder / "kick.wav", column(0.8 * kick()))
    write(folder / "more" / "kick quiet.wav", column(0.1 * kick()))
    write(folder / "more" / "kick copy.wav", column(0.8 * kick()))
    write(folder / "snare.wav", column(0.8 * full_snare()))
    write(folder / "hat.flac", column(0.8 * hat()))
    (folder / "notes.txt").write_text("no sound")
    return folder


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.audio", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def answers(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_nearest_come_first_and_the_query_is_left_out(folder: Path) -> None:
    done = run("similar", folder / "kick.wav", "--in", folder, "--top", 3, "--json", "--jobs", 1)
    assert done.returncode == 0, done.stderr
    (found,) = answers(done)
    assert found["query"] == str(folder / "kick.wav")
    names = [Path(hit["path"]).name for hit in found["hits"]]
    assert names[:2] == ["kick copy.wav", "kick quiet.wav"]
    assert len(names) == 3
    away = [hit["distance"] for hit in found["hits"]]
    assert away == sorted(away)
    assert away[0] == 0.0
    assert away[2] > 10 * away[1]


def test_a_query_outside_of_the_folder_and_the_options_in_another_order(folder: Path, tmp_path: Path) -> None:
    query = write(tmp_path / "mine.wav", column(0.5 * full_snare(9)))
    done = run("similar", "--in", folder, "--json", "--preset", "timbre", query)
    (found,) = answers(done)
    assert Path(found["hits"][0]["path"]).name == "snare.wav"
    assert len(found["hits"]) == 5


def test_all_takes_every_file_as_a_query_and_answers_in_words_too(folder: Path) -> None:
    done = run("similar", "--all", "--in", folder, "--json", "--jobs", 2)
    found = answers(done)
    assert [Path(answer["query"]).name for answer in found] == [
        "hat.flac", "kick.wav", "kick copy.wav", "kick quiet.wav", "snare.wav",
    ]  # fmt: skip
    assert all(answer["query"] not in [hit["path"] for hit in answer["hits"]] for answer in found)
    words = run("similar", folder / "snare.wav", "--in", folder, "--top", 1).stdout.splitlines()
    assert words[0] == f"{folder / 'snare.wav'}:"
    assert len(words) == 2
    assert np.isfinite(float(words[1].split()[0]))


def test_bad_queries_are_named_and_the_others_answered(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"%PDF-1.7")
    queries = (tmp_path / "absent.wav", broken, tmp_path, folder / "hat.flac")
    done = run("similar", *queries, "--in", folder, "--json")
    assert done.returncode == 1
    assert [Path(answer["query"]).name for answer in answers(done)] == ["hat.flac"]
    told = done.stderr.splitlines()
    assert f"{tmp_path / 'absent.wav'}: There is no such file." in told
    assert f"{tmp_path}: This is a folder." in told
    assert any(line.startswith(f"{broken}: ") and "Not audio we can read" in line for line in told), told


def test_a_folder_that_is_none_and_a_query_that_is_missing(folder: Path) -> None:
    done = run("similar", folder / "kick.wav", "--in", folder / "kick.wav")
    assert done.returncode == 1
    assert done.stderr == f"{folder / 'kick.wav'} is not a folder.\n"
    for arguments in (("--in", folder), (folder / "kick.wav", "--in", folder, "--top", 0)):
        refused = run("similar", *arguments)
        assert refused.returncode == 2
        assert "usage" in refused.stderr
