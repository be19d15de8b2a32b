"""Which tests run which lines of a module, and which of them a fault in a line needs."""

from __future__ import annotations

import ast
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any


class LineRecorder:
    """Notes the lines of one file that each test runs, in all threads of this process."""

    def __init__(self, module: Path) -> None:
        self._file = str(module)
        self._tests: dict[str, dict[str, Any]] = {}
        self._lines: set[int] = set()

    @contextmanager
    def recording(self, test: str, shared: Sequence[str] = ()) -> Iterator[None]:
        """Note what a test runs, and the fixtures that it shares with others: only the first makes them."""
        self._lines, began = set(), time.monotonic()
        threading.settrace(self._trace)
        sys.settrace(self._trace)
        try:
            yield
        finally:
            sys.settrace(None)
            threading.settrace(None)
            seconds = time.monotonic() - began
            self._tests[test] = {"lines": sorted(self._lines), "seconds": seconds, "shared": list(shared)}

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self._tests))

    def _trace(self, frame: FrameType, event: str, argument: object) -> Any:
        return self._trace_line if frame.f_code.co_filename == self._file else None

    def _trace_line(self, frame: FrameType, event: str, argument: object) -> Any:
        self._lines.add(frame.f_lineno)
        return self._trace_line


class TestChoice:
    """The tests that run a statement, the quickest first: only they can notice a fault in it."""

    __test__ = False  # so that pytest does not take this for tests

    def __init__(self, source: str, recorded: Path) -> None:
        tests = json.loads(recorded.read_text())
        self._ordered = sorted(tests, key=lambda test: float(tests[test]["seconds"]))
        together: dict[str, set[int]] = defaultdict(set)
        for noted in tests.values():
            for fixture in noted["shared"]:
                together[fixture].update(noted["lines"])
        self._lines = {
            test: set(noted["lines"]).union(*(together[fixture] for fixture in noted["shared"]))
            for test, noted in tests.items()
        }
        self._tree = ast.parse(source)

    def tests_for(self, line: int) -> list[str]:
        """Return the tests that run the statement of a line; all of them when none was seen to.

        None is seen to run what an import runs, or another process.
        """
        statement = set(self._statement_lines(line))
        return [test for test in self._ordered if self._lines[test] & statement] or self._ordered

    def _statement_lines(self, line: int) -> range:
        """Return the lines of the innermost statement that a line is in; of an `if` only its head."""
        around = [
            node
            for node in ast.walk(self._tree)
            if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
        ]
        if not around:
            return range(line, line + 1)
        innermost = max(around, key=lambda node: (node.lineno, node.col_offset))
        body = getattr(innermost, "body", None)
        last = body[0].lineno - 1 if body else innermost.end_lineno or line
        return range(innermost.lineno, max(last, line) + 1)
