"""deploy/ and compose.yaml name the processes and settings that there are, and systemd reads the units."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.config import Settings
from scripts.process import procfile_commands
from tests.live import ROOT

UNITS = ROOT / "deploy" / "systemd"
KNOWN = {name.upper() for name in Settings.model_fields}
# gunicorn's own setting, and what the containers of other products read.
OTHERS = {"WEB_CONCURRENCY", "PYTHONUNBUFFERED"}
SECRETS = {"SECRET_KEY": "s" * 40, "ENGINE_SECRET": "e" * 40, "METRICS_TOKEN": "m" * 40}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return found


def filled(values: dict[str, Any]) -> dict[str, str]:
    """Return settings of compose.yaml as the containers get them, with made-up values for the file .env."""
    chosen = {
        **SECRETS,
        "S3_ACCESS_KEY_ID": "key",
        "S3_SECRET_ACCESS_KEY": "secret",
        "POSTGRES_PASSWORD": "x",
    }

    def choose(found: re.Match[str]) -> str:
        default = found[2] if found[2] is not None and found[3] is None else ""
        return chosen.get(found[1], default)

    pattern = r"\$\{(\w+)(?::-([^}]*)|:\?([^}]*))?\}"
    return {name: re.sub(pattern, choose, str(value)) for name, value in values.items()}


def test_compose_runs_every_process_with_settings_that_the_product_takes(services: dict[str, Any]) -> None:
    own = {name for name, service in services.items() if service.get("image") == "sp404"}
    assert own == set(procfile_commands())
    for name in own:
        settings = filled(services[name]["environment"])
        assert settings.keys() <= KNOWN, name
        read = Settings.for_engine if name == "engine" else Settings.from_env
        assert not read(settings).embedded, name
    assert not any("S3_SECRET" in name for name in services["engine"]["environment"])


def test_compose_pins_images_runs_nothing_as_root_and_checks_health(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if service["image"] != "sp404":
            assert re.search(r":[\w.-]*\d", service["image"]), name
            assert "latest" not in service["image"], name
            assert service["user"].split(":")[0] not in ("0", "root"), name
        assert "healthcheck" in service or name == "release", name
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER sp404$", dockerfile, re.MULTILINE)
    assert re.search(r"^ARG BASE=\S+:12\S*@sha256:[0-9a-f]{64}$", dockerfile, re.MULTILINE)


def test_secrets_for_compose_are_written_once(tmp_path: Path, services: dict[str, Any]) -> None:
    script = tmp_path / "deploy" / "compose" / "secrets.sh"
    script.parent.mkdir(parents=True)
    shutil.copy(ROOT / "deploy" / "compose" / "secrets.sh", script)
    for _ in range(2):
        subprocess.run(["sh", script], check=True, stdout=subprocess.DEVNULL)
        lines = dict(line.split("=") for line in (tmp_path / ".env").read_text().split())
        assert len(set(lines.values())) == len(lines)
    needed = set(re.findall(r"\$\{(\w+)(?::\?[^}]*)?\}", (ROOT / "compose.yaml").read_text()))
    assert lines.keys() == needed
    assert all(len(value) == 64 for value in lines.values())
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0


def test_the_settings_of_a_server_are_taken() -> None:
    lines = (ROOT / "deploy" / "env.example").read_text().splitlines()
    pairs = dict(line.removeprefix("#").split("=", 1) for line in lines if re.match(r"#?[A-Z0-9_]+=", line))
    assert pairs.keys() <= KNOWN | OTHERS
    given = {name: value for name, value in (pairs | SECRETS).items() if value and name in KNOWN}
    assert not Settings.from_env(given).embedded


def test_systemd_reads_the_units_and_they_run_the_processes(tmp_path: Path) -> None:
    names = {path.stem.removeprefix("sp404-").rstrip("@") for path in UNITS.glob("*.service")}
    assert names | {"release"} == set(procfile_commands())
    if shutil.which("systemd-analyze") is None:
        assert "CI" not in os.environ or sys.platform != "linux", "systemd-analyze is missing"
        pytest.skip("there is no systemd here")
    for path in UNITS.iterdir():
        unit = path.read_text().replace("/opt/sp404/current/.venv/bin/python", sys.executable)
        (tmp_path / path.name).write_text(unit)
        name = path.stem.removeprefix("sp404-").rstrip("@")
        assert path.suffix == ".target" or f"-m scripts.process {name}\n" in unit
    checked = subprocess.run(
        ["systemd-analyze", "verify", *map(str, tmp_path.iterdir())], capture_output=True, text=True
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_install_script_is_a_script() -> None:
    for script in (ROOT / "deploy" / "install.sh", ROOT / "deploy" / "compose" / "secrets.sh"):
        subprocess.run(["sh", "-n", script], check=True)


def test_a_process_is_started_by_its_name() -> None:
    command = [sys.executable, "-m", "scripts.process"]
    unknown = subprocess.run([*command, "webb"], cwd=ROOT, capture_output=True, text=True)
    assert unknown.returncode == 2
    assert "release, web, worker, engine" in unknown.stderr
