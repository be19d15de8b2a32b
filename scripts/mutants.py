"""Plant small faults in a module, one at a time, and see whether the tests next to it notice.

`make mutants`, or `make mutants FILES="app/billing/quota.py"`. `[tool.mutants]` in pyproject.toml names the
modules, their tests and the limits. It happens in scratch copies; build/mutants names the survivors.

AGAIN=1 tests only the survivors of the run before. MUTANT_SECONDS=240 gives a busy machine more time, and
MUTANT_SAMPLE=40 draws fewer mutants. ONLY=filters leaves out the conditions of queries instead, each in turn,
in any module; it runs the tests of the module's package and of what belongs to an account too. ONLY=slips
plants what a tired engineer gets wrong, in any module; it runs the module's own tests and its package's.
"""

from __future__ import annotations

import importlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from scripts.mutant_runs import PYTEST, MutantRuns, fork
from scripts.mutations import Mutant, make_mutants
from scripts.slips import make_slips

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "build" / "mutants"
PLACE = "[tool.mutants.tests] in pyproject.toml"
Maker = Callable[[str], list[Mutant]]
MAKERS: dict[str, Maker] = {
    "": make_mutants,
    "filters": partial(make_mutants, only_filters=True),
    "slips": make_slips,
}
LINKED = (".venv", "node_modules", "static/vendor")


@dataclass
class Score:
    """What became of the mutants of one module."""

    module: str
    made: int
    tried: int
    seconds: float
    survivors: list[Mutant]
    late: list[Mutant]  # noticed only because the tests did not end in time

    @property
    def row(self) -> str:
        some = f"{self.tried} of {self.made}" if self.tried < self.made else str(self.made)
        return f"| `{self.module}` | {some} | {self.tried - len(self.survivors)} | {self.seconds:.0f} s |"


def main(files: Sequence[str]) -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutants"]
    options["seconds"] = float(os.environ.get("MUTANT_SECONDS", options["seconds"]))
    options["sample"] = int(os.environ.get("MUTANT_SAMPLE", options["sample"]))
    kind = os.environ.get("ONLY", "")
    if kind not in MAKERS:
        raise SystemExit(f"ONLY={kind} is neither of {', '.join(filter(None, MAKERS))}.")
    if kind == "filters":
        options["sample"] = sys.maxsize
    tests = _package_tests(options, kind) if kind else dict[str, str](options["tests"])
    if unknown := [name for name in files if name not in tests]:
        raise SystemExit(f"{PLACE} does not name the tests of {unknown[0]}, or it has nothing to change.")
    REPORTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as scratch:
        copies = [_copy_tree(Path(scratch) / f"copy{number}") for number in range(options["at_once"])]
        _load_app(Path(scratch))
        _wait_for(fork(lambda: _migrate(Path(scratch) / "migrated"), Path(scratch) / "migrated.log"))
        os.environ["MIGRATED_LIBRARY"] = str(Path(scratch) / "migrated" / "library.db")
        for module in files or tests:
            work = partial(test_module, module, tests[module].split(), copies, options, MAKERS[kind])
            _wait_for(fork(work))


def _package_tests(options: dict[str, Any], kind: str) -> dict[str, str]:
    """Return the tests of each module: its own, its package's, and for conditions of queries accounts'."""
    found = {}
    for path in sorted((ROOT / "app").rglob("*.py")):
        module, package = str(path.relative_to(ROOT)), path.relative_to(ROOT / "app").parts[0]
        if kind == "filters" and not MAKERS[kind](path.read_text()):
            continue
        own = options["tests_of_packages"].get(package, f"tests/{package}")
        accounts = options["tests_of_accounts"] if kind == "filters" else ""
        nearest = ROOT / "tests" / path.parent.relative_to(ROOT / "app")
        if kind == "slips" and nearest.is_dir():
            own = str(nearest.relative_to(ROOT))
        found[module] = " ".join([options["tests"].get(module, ""), own, accounts])
    return found


def test_module(
    module: str, tests: list[str], copies: Sequence[Path], options: dict[str, Any], make: Maker
) -> None:
    """Test a module's mutants, or a sample of them drawn with a fixed seed, and report the survivors."""
    source = (ROOT / module).read_text()
    every = make(source)
    chosen = every if len(every) <= options["sample"] else _sample(every, options["sample"])
    if os.environ.get("AGAIN"):
        reported = _report_path(module).read_text().splitlines()
        chosen = [mutant for mutant in every if mutant.line_of_report in reported]
    began = time.monotonic()
    runs = MutantRuns(module, source, chosen, copies, options["seconds"])
    pytest.main([*PYTEST, "--no-header", "--no-summary", *tests], plugins=[runs])
    if runs.failure:
        print(runs.failure)
        return
    seconds = time.monotonic() - began
    _write_report(Score(module, len(every), len(chosen), seconds, runs.survivors, runs.late))


def _sample(every: list[Mutant], size: int) -> list[Mutant]:
    chosen = random.Random(404).sample(every, size)  # noqa: S311 - the same each time, on purpose
    return sorted(chosen, key=lambda mutant: mutant.line)


def _copy_tree(copy: Path) -> Path:
    """Copy what Git knows of, and link what is installed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and not name.startswith(LINKED):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    for name in LINKED:
        if (ROOT / name).exists():
            (copy / name).symlink_to((ROOT / name).resolve())
    return copy


def _load_app(scratch: Path) -> None:
    """Import the app and the libraries once; forks of this process then start with them."""
    for name in ("DATABASE_URL", "REDIS_URL", "S3_BUCKET", "SMTP_URL", "BASE_URL", "SECRET_KEY", "PORT"):
        os.environ.pop(name, None)
    os.environ["DATA_DIR"] = str(scratch / "queue")
    importlib.import_module("app.audio.warm").set_cache_folder()
    for name in (
        "app.factory",
        "tasks",
        "pytest",
        "hypothesis",
        "librosa",
        "scipy.signal",
        "soundfile",
        "boto3",
    ):
        importlib.import_module(name)


def _migrate(folder: Path) -> None:
    """Make the database that the tests copy."""
    app = importlib.import_module("app").create_app(Settings.from_env({"DATA_DIR": str(folder)}))
    with app.app_context():
        importlib.import_module("flask_migrate").upgrade()
        database = importlib.import_module("app.extensions").db
        database.session.remove()
        database.engine.dispose()


def _wait_for(pid: int) -> None:
    _, status = os.waitpid(pid, 0)
    if status:
        raise SystemExit("The run was broken off.")


def _report_path(module: str) -> Path:
    return REPORTS / f"{module.removesuffix('.py').replace('/', '.')}.txt"


def _write_report(score: Score) -> None:
    survivors = sorted(score.survivors, key=lambda each: each.line)
    lines = [score.row, *(mutant.line_of_report for mutant in survivors)]
    lines += [f"out of time: {mutant.line_of_report}" for mutant in score.late]
    _report_path(score.module).write_text("\n".join(lines) + "\n")
    print(score.row, f"{len(score.late)} out of time" if score.late else "", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
