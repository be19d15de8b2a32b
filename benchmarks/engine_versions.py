"""Compare time and memory with another version: `python -m benchmarks.engine_versions --before FOLDER`.

FOLDER is a checkout of the other version. Each version runs in a process of its own; they measure the same
file in turn, so that a busy machine slows both alike. Ratios are medians of the ratios of neighbouring runs.
Processor time is less disturbed by other programs than time on the clock.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.engine_speed import write_test_file
from benchmarks.tables import Cell, Table, add_document_option, show_tables

LENGTHS_S, REPEATS = (1, 8, 30, 180), (21, 15, 9, 5)
# Runs in the folder of a version, so it may use only what every version has.
_WORKER = """
import json, sys, time
from pathlib import Path
from app.audio.file_report import measure_file
for line in sys.stdin:
    clock, processor = time.perf_counter(), time.process_time()
    measure_file(Path(line.strip()))
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    status = Path("/proc/self/status").read_text()
    peak_kb = int(status.split("VmHWM:")[1].split()[0])
    print(json.dumps({"clock": clock, "processor": processor, "peak_mb": peak_kb / 1024}), flush=True)
"""

Run = dict[str, float]


class Version:
    """A process that measures files with the code of one folder."""

    def __init__(self, folder: Path) -> None:
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen([sys.executable, "-c", _WORKER], cwd=folder, **pipes)

    def measure(self, path: Path) -> Run:
        """Return seconds on the clock and of the processor, and the peak memory of the process in MB."""
        orders, answers = self._process.stdin, self._process.stdout
        assert orders is not None
        assert answers is not None
        orders.write(f"{path}\n")
        orders.flush()
        answer = answers.readline()
        if not answer:
            raise SystemExit("A version ended before it answered; its error is above.")
        run: Run = json.loads(answer)
        return run

    def close(self) -> None:
        """End the process."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()


def compare(path: Path, seconds: int, repeats: int, before: Path) -> tuple[Cell, ...]:
    """Return times, peaks and ratios of both versions for one file; fresh processes keep peaks apart."""
    versions = Version(Path.cwd()), Version(before)
    for version in versions:
        version.measure(path)  # the first one only warms up
    pairs = [(versions[0].measure(path), versions[1].measure(path)) for _ in range(repeats)]
    for version in versions:
        version.close()
    cells: list[Cell] = [f"{seconds} s"]
    for key, digits in (("clock", 3), ("processor", 3), ("peak_mb", 0)):
        now, then = ([run[key] for run in runs] for runs in zip(*pairs, strict=True))
        ratio = median(a / b for a, b in zip(now, then, strict=True))
        cells += [f"{median(now):.{digits}f}", f"{median(then):.{digits}f}", f"{ratio:.2f}"]
    return tuple(cells)


def main() -> None:
    """Print a line for each length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, required=True, help="the folder of the other version")
    add_document_option(parser)
    options = parser.parse_args()
    lines = []
    with tempfile.TemporaryDirectory() as name:
        for seconds, repeats in zip(LENGTHS_S, REPEATS, strict=True):
            lines.append(compare(write_test_file(Path(name), seconds), seconds, repeats, options.before))
    columns = [(f"{what}, now", "before", "ratio") for what in ("clock s", "processor s", "peak MB")]
    header = ("length", *(name for three in columns for name in three))
    show_tables([Table("versions", header, lines)], options.document)


if __name__ == "__main__":
    main()
