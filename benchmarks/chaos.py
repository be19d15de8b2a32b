"""Kill everything that can be killed while 300 jobs run, and print what was done and found.

python -m benchmarks.chaos [--seconds 60] [--jobs 300] [--backend sqlite] [--no-housekeeping] [--engines 2]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.queue.chaos import SETTLE_S, run_chaos
from tests.queue.lab import BACKENDS, SERVICES


def main() -> None:
    """Run the chaos and print its figures; an AssertionError says what was lost, doubled or left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--backend", choices=BACKENDS, default=SERVICES)
    parser.add_argument("--no-housekeeping", action="store_true")
    parser.add_argument("--engines", type=int, default=0, help="so many engines as processes of their own")
    parser.add_argument(
        "--settle", type=float, default=SETTLE_S, help="seconds that the rest may take after that"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = run_chaos(
            Path(folder),
            options.backend,
            seconds=options.seconds,
            jobs=options.jobs,
            housekeeping=not options.no_housekeeping,
            engines=options.engines,
            settle_s=options.settle,
        )
    print(", ".join(f"{name}: {value}" for name, value in told.items()))


if __name__ == "__main__":
    main()
