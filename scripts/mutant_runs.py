"""Run the tests of one module for each of its mutants, in forks of a pytest that has collected them."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.module_swap import forget_kept, swap_module
from scripts.mutant_lines import LineRecorder, TestChoice
from scripts.mutations import Mutant

PYTEST = ("-x", "-q", "-s", "-p", "no:cacheprovider")


@dataclass
class Run:
    """One mutant that is being tested, with the scratch copy that is its own meanwhile."""

    mutant: Mutant
    copy: Path
    pid: int
    started: float
    is_swapped: bool  # into a fork of this process

    @property
    def log(self) -> Path:
        return _log(self.copy)


class MutantRuns:
    """A pytest plugin: instead of running the collected tests once, run them for each mutant."""

    def __init__(
        self, module: str, source: str, chosen: list[Mutant], copies: Sequence[Path], seconds: float
    ) -> None:
        self._module, self._source, self._chosen = module, source, chosen
        self._copies, self._seconds = copies, seconds
        self._loaded = importlib.import_module(module.removesuffix(".py").replace("/", "."))
        self._items: dict[str, pytest.Item] = {}
        self.failure = ""
        self.survivors: list[Mutant] = []
        self.late: list[Mutant] = []  # noticed only because the time was over

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = {item.nodeid: item for item in session.items}
        recorded = self._copies[0].with_suffix(".json")
        may_swap = self._pass_unchanged(recorded, is_swapped=True)
        # Tests that keep what they imported, such as a table, fail when the module is swapped.
        if not may_swap and not self._pass_unchanged(recorded, is_swapped=False, in_fork=True):
            return True
        if not self._pass_unchanged(None, is_swapped=False):
            return True
        self.failure = ""
        self.survivors = list(self._find_survivors(TestChoice(self._source, recorded), may_swap))
        for copy in self._copies:
            self._write_source(copy, self._source)
        return True

    def _pass_unchanged(self, recorded: Path | None, is_swapped: bool, in_fork: bool = False) -> bool:
        """Run the tests without a fault, and keep what is said when they fail."""
        unchanged = Mutant("", 0, "", "", self._source)
        run = self._start(unchanged, list(self._items), self._copies[0], is_swapped, recorded, in_fork)
        if self._wait([run]) == [(run, False)]:
            return True
        said = run.log.read_text()[-3000:]
        self.failure = f"The tests of {self._module} fail without a fault:\n{said}"
        return False

    @staticmethod
    def pytest_runtest_logreport(report: pytest.TestReport) -> None:
        if report.failed:
            print(report.longreprtext)

    def _find_survivors(self, choice: TestChoice, may_swap: bool) -> Iterator[Mutant]:
        """Yield the mutants that no test notices.

        Each is swapped into a fork of this process first, because that is quick. When no test notices, it is
        tested again in a process that imports it: only that can call it a survivor.
        """
        running: list[Run] = []
        idle, waiting = list(self._copies), [(mutant, may_swap) for mutant in reversed(self._chosen)]
        while waiting or running:
            while idle and waiting:
                copy, (mutant, is_swapped) = idle.pop(), waiting.pop()
                running.append(self._start(mutant, choice.tests_for(mutant.line), copy, is_swapped))
            for run, is_noticed in self._wait(running):
                running.remove(run)
                idle.append(run.copy)
                if not is_noticed and run.is_swapped:
                    waiting.append((run.mutant, False))
                elif not is_noticed:
                    print("  " + run.mutant.line_of_report, flush=True)
                    yield run.mutant

    def _start(
        self,
        mutant: Mutant,
        tests: list[str],
        copy: Path,
        is_swapped: bool,
        recorded: Path | None = None,
        in_fork: bool = False,
    ) -> Run:
        """Run tests with the mutant swapped into a fork of this process, or in a process of its own."""
        if is_swapped or in_fork:
            source = mutant.source if is_swapped else None
            pid = fork(lambda: self._run_in_fork(source, tests, copy, recorded), _log(copy))
        else:
            self._write_source(copy, mutant.source)
            arguments = [sys.executable, "-m", "pytest", *PYTEST, f"--basetemp={copy}-temp", *tests]
            with _log(copy).open("w") as log:
                pid = subprocess.Popen(
                    arguments, cwd=copy, stdout=log, stderr=log, start_new_session=True
                ).pid
        return Run(mutant, copy, pid, time.monotonic(), is_swapped)

    def _run_in_fork(self, source: str | None, tests: list[str], copy: Path, recorded: Path | None) -> None:
        _separate(copy)
        items = [self._items[test] for test in tests]
        recorder = LineRecorder(Path(str(self._loaded.__file__)))
        if source is not None:
            swap_module(self._loaded, source)
        session = items[0].session
        for item, following in zip(items, [*items[1:], None], strict=True):
            forget_kept(self._loaded)
            with recorder.recording(item.nodeid, _shared_fixtures(item)) if recorded else nullcontext():
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                session._setupstate.teardown_exact(None)  # ends the servers of the session's fixtures
                raise SystemExit(1)
        if recorded:
            recorder.write(recorded)

    def _wait(self, running: list[Run]) -> list[tuple[Run, bool]]:
        """Wait until a run ends or has had its time; say of each of those whether the fault was noticed."""
        while True:
            ended: list[tuple[Run, bool]] = []
            for run in running:
                pid, status = os.waitpid(run.pid, os.WNOHANG)
                if pid:
                    ended.append((run, status != 0))
                elif time.monotonic() - run.started > self._seconds:
                    os.killpg(run.pid, signal.SIGKILL)
                    os.waitpid(run.pid, 0)
                    self.late.append(run.mutant)
                    ended.append((run, True))
            if ended:
                return ended
            time.sleep(0.02)

    def _write_source(self, copy: Path, source: str) -> None:
        """Write a module, and forget what was compiled of it: its file's time may be the same as before."""
        path = copy / self._module
        path.write_text(source)
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()


def _log(copy: Path) -> Path:
    return Path(f"{copy}.log")


def fork(work: Callable[[], object], log: Path | None = None) -> int:
    """Do work in a fork with an output of its own, and return its process id."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 3
        try:
            if log is not None:
                os.setsid()
                with log.open("w") as file:
                    os.dup2(file.fileno(), 1)
                    os.dup2(file.fileno(), 2)
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    return pid


def _shared_fixtures(item: pytest.Item) -> list[str]:
    """Return the fixtures of a test that are made once for a module or class, by module and name."""
    known = getattr(item, "_fixtureinfo").name2fixturedefs  # noqa: B009 - pytest has no public name for it
    scopes = {name: definitions[-1].scope for name, definitions in known.items() if definitions}
    file = item.nodeid.partition("::")[0]
    return [f"{file}::{name}" for name, scope in scopes.items() if scope in ("module", "class")]


def _separate(copy: Path) -> None:
    """Give this process a queue and a folder for temporary files of its own."""
    storage = importlib.import_module("app.queue").huey.storage
    storage.filename = f"{copy}-queue.db"
    storage.initialize_schema()
    temporary = Path(f"{copy}-forked")
    temporary.mkdir(exist_ok=True)
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(temporary)
