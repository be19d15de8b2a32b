"""Plant small faults in a module, one at a time, and see whether the tests next to it notice.

`make mutants`, or `make mutants FILES="app/billing/quota.py"`. `[tool.mutants]` in pyproject.toml names the
modules, their tests and the limits. It happens in scratch copies; build/mutants names the survivors.

AGAIN=1 tests only the survivors of the run before. MUTANT_SECONDS=240 gives a busy machine more time.
"""

from __future__ import annotations

import importlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from scripts.module_swap import swap_module
from scripts.mutations import Mutant, make_mutants

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "build" / "mutants"
LINKED = (".venv", "node_modules", "static/vendor")
PYTEST = ("-x", "-q", "-p", "no:cacheprovider")


@dataclass
class Run:
    """One mutant that is being tested in one copy."""

    mutant: Mutant
    copy: Path
    pid: int
    started: float
    is_swapped: bool  # into a fork of this process


@dataclass
class Score:
    """What became of the mutants of one module."""

    module: str
    made: int
    tried: int
    seconds: float
    survivors: list[Mutant]

    @property
    def row(self) -> str:
        some = f"{self.tried} of {self.made}" if self.tried < self.made else str(self.made)
        return f"| `{self.module}` | {some} | {self.tried - len(self.survivors)} | {self.seconds:.0f} s |"


def main(files: Sequence[str]) -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutants"]
    options["seconds"] = float(os.environ.get("MUTANT_SECONDS", options["seconds"]))
    tests: dict[str, str] = options["tests"]
    if unknown := [name for name in files if name not in tests]:
        raise SystemExit(f"[tool.mutants.tests] in pyproject.toml does not name the tests of {unknown[0]}.")
    REPORTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as scratch:
        copies = [_copy_tree(Path(scratch) / f"copy{number}") for number in range(options["at_once"])]
        _load_app(Path(scratch))
        for module in files or tests:
            score = test_module(module, tests[module].split(), copies, options)
            if score is not None:
                _write_report(score)
                print(score.row, flush=True)


def test_module(
    module: str, tests: list[str], copies: Sequence[Path], options: dict[str, Any]
) -> Score | None:
    """Test a module's mutants, or a sample of them drawn with a fixed seed, several at a time.

    None when the tests fail without a fault.
    """
    source = (ROOT / module).read_text()
    loaded = importlib.import_module(module.removesuffix(".py").replace("/", "."))
    unchanged = Mutant("", 0, "", "", source)
    for may_swap in (True, False):
        run = _start(unchanged, loaded if may_swap else None, copies[0], tests)
        if _wait([run], options["seconds"]) != [(run, False)]:
            print(f"The tests of {module} fail without a fault:\n{_log(copies[0]).read_text()[-3000:]}")
            return None
    every = make_mutants(source)
    chosen = every if len(every) <= options["sample"] else _sample(every, options["sample"])
    if os.environ.get("AGAIN"):
        reported = _report_path(module).read_text().splitlines()
        chosen = [mutant for mutant in every if mutant.line_of_report in reported]
    began = time.monotonic()
    survivors = list(_find_survivors(module, loaded, chosen, tests, copies, options["seconds"]))
    for copy in copies:
        _write_source(copy, module, source)
    return Score(module, len(every), len(chosen), time.monotonic() - began, survivors)


def _find_survivors(
    module: str,
    loaded: ModuleType,
    chosen: list[Mutant],
    tests: list[str],
    copies: Sequence[Path],
    seconds: float,
) -> Iterator[Mutant]:
    """Yield the mutants that no test notices.

    Each is swapped into a fork of this process first, because that is quick. When no test notices, it is
    tested again in a process that imports it: only that can call it a survivor.
    """
    running: list[Run] = []
    idle, waiting = list(copies), [(mutant, True) for mutant in reversed(chosen)]
    while waiting or running:
        while idle and waiting:
            copy, (mutant, may_swap) = idle.pop(), waiting.pop()
            _write_source(copy, module, mutant.source)
            running.append(_start(mutant, loaded if may_swap else None, copy, tests))
        for run, is_noticed in _wait(running, seconds):
            running.remove(run)
            idle.append(run.copy)
            if not is_noticed and run.is_swapped:
                waiting.append((run.mutant, False))
            elif not is_noticed:
                print("  " + run.mutant.line_of_report, flush=True)
                yield run.mutant


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


def _write_source(copy: Path, module: str, source: str) -> None:
    """Write a module, and forget what was compiled of it: its file's time may be the same as before."""
    path = copy / module
    path.write_text(source)
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()


def _log(copy: Path) -> Path:
    return Path(f"{copy}.log")


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


def _start(mutant: Mutant, loaded: ModuleType | None, copy: Path, tests: Sequence[str]) -> Run:
    """Run the tests with the mutant swapped into a fork of this process, or in a new process."""
    sys.stdout.flush()
    arguments = [*PYTEST, f"--basetemp={copy}-temp", *tests]
    pid = os.fork()
    if pid == 0:
        code = 3
        try:
            os.setsid()
            with _log(copy).open("w") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            os.chdir(copy)
            if loaded is None:
                os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])  # noqa: S606 - Python itself
            code = _run_swapped(loaded, mutant, copy, arguments)
        finally:
            os._exit(code)
    return Run(mutant, copy, pid, time.monotonic(), loaded is not None)


def _run_swapped(loaded: ModuleType, mutant: Mutant, copy: Path, arguments: list[str]) -> int:
    sys.path[0] = str(copy)
    swap_module(loaded, mutant.source)
    storage = importlib.import_module("app.queue").huey.storage
    storage.filename = f"{copy}-queue.db"
    storage.initialize_schema()
    code = int(importlib.import_module("pytest").main(arguments))
    sys.stdout.flush()
    return code


def _wait(running: list[Run], seconds: float) -> list[tuple[Run, bool]]:
    """Wait until a run ends or has had its time; say of each of those whether the fault was noticed."""
    while True:
        ended: list[tuple[Run, bool]] = []
        for run in running:
            pid, status = os.waitpid(run.pid, os.WNOHANG)
            if pid:
                ended.append((run, status != 0))
            elif time.monotonic() - run.started > seconds:
                os.killpg(run.pid, signal.SIGKILL)
                os.waitpid(run.pid, 0)
                ended.append((run, True))
        if ended:
            return ended
        time.sleep(0.02)


def _report_path(module: str) -> Path:
    return REPORTS / f"{module.removesuffix('.py').replace('/', '.')}.txt"


def _write_report(score: Score) -> None:
    survivors = sorted(score.survivors, key=lambda each: each.line)
    lines = [score.row, *(mutant.line_of_report for mutant in survivors)]
    _report_path(score.module).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
