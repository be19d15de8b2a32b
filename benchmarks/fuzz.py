"""Send mutated files through the decoder and the engine: `python -m benchmarks.fuzz --files 50000`.
 One file in eight takes the whole production path in a fork of its own: decoded, rendered and analysed. The
others are decoded only, a batch of them in one fork under the same limits. A batch hides nothing: the child
reports after each file, so a crash, a kill or a hang is blamed on the next one, and the memory peak is reset
before each. Files that name addresses or other files are decoded a second time in this process, which has a
network; there, only the decoder's own care keeps them from being opened.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.fuzz_runner import MAX_S, FuzzRunner, Outcome
from benchmarks.mutations import Mutant

FULL_PATH_EVERY, BATCH_FILES = 8, 64
LURE_KINDS, EXPOSED_FILES = ("disguised", "referring"), 300


def run_files(
    fuzz: FuzzRunner, start: int, files: int, minutes: float, threads: int, keep: Path | None
) -> list[Outcome]:
    """Run the files in order until all are done or the time is up."""
    until = time.monotonic() + 60 * minutes
    outcomes: list[Outcome] = []

    def run_batch(first: int) -> list[Outcome]:
        """Run one batch of files."""
        if time.monotonic() > until:
            return []
        mutants = {
            number: fuzz.mutations.make(number) for number in range(first, min(first + BATCH_FILES, files))
        }
        found: list[Outcome] = []
        for number in (whole := [number for number in mutants if number % FULL_PATH_EVERY == 0]):
            found += fuzz.run({number: mutants[number]}, whole=True)
        found += fuzz.run({n: m for n, m in mutants.items() if n not in whole}, whole=False)
        # A slow file may only have waited for a busy machine, so it runs again alone.
        found = [
            _fastest_retry(fuzz, one, mutants[one.number]) if one.seconds > MAX_S else one for one in found
        ]
        for one in (one for one in found if one.faults):
            print(f"{one.number} {one.kind}: {one.faults}", flush=True)
            if keep is not None:
                (keep / f"{one.number}-{one.kind}").write_bytes(mutants[one.number].data)
        return found

    with ThreadPoolExecutor(threads) as pool:
        for number, found in enumerate(pool.map(run_batch, range(start, files, BATCH_FILES)), start=1):
            outcomes += found
            if found and number % 16 == 0:
                print(f"{len(outcomes)} of {files}", flush=True)
    return outcomes


def _fastest_retry(fuzz: FuzzRunner, slow: Outcome, mutant: Mutant) -> Outcome:
    """Run a slow file three more times alone and return the fastest outcome."""
    again = [fuzz.run({slow.number: mutant}, slow.whole)[0] for _ in range(3)]
    return min([slow, *again], key=lambda found: found.seconds)


def decode_exposed(fuzz: FuzzRunner) -> int:
    """Decode luring files where the network can be reached, and return how many there were."""
    luring = (made for number in count() if (made := fuzz.mutations.make(number)).kind in LURE_KINDS)
    for mutant in islice(luring, EXPOSED_FILES):
        if faults := fuzz.decode_here(mutant):
            raise SystemExit(f"with a network: {faults}")
    return EXPOSED_FILES


def print_report(outcomes: list[Outcome], fuzz: FuzzRunner, exposed: int) -> bool:
    """Print the figures, and return whether all of them are as they must be."""
    counts = Counter((found.kind, found.verdict) for found in outcomes)
    for (kind, verdict), number in sorted(counts.items()):
        print(f"{kind:10s} {verdict:14s} {number:6d}")
    slowest = max(outcomes, key=lambda found: found.seconds)
    largest = max(outcomes, key=lambda found: found.peak_mb)
    faulty = [found for found in outcomes if found.faults]
    isolated = sum(found.isolated for found in outcomes)
    print(f"{sum(found.whole for found in outcomes)} through the whole path, the others decoded")
    print(f"{len(outcomes)} files, {len(faulty)} with a fault; {Counter(f.verdict for f in outcomes)}")
    print(f"slowest {slowest.seconds:.2f} s (file {slowest.number}, {slowest.kind})")
    print(f"largest {largest.peak_mb:.0f} MB (file {largest.number}, {largest.kind})")
    print(f"without a network {isolated}; with one, decoded alone, {exposed}; fetched {fuzz.visits}")
    return not faulty and not fuzz.visits


def main() -> None:
    """Run the files and print what was found; end with 1 when there is a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--start", type=int, default=0, help="the first file, to continue an earlier run")
    parser.add_argument("--seed", type=int, default=404)
    parser.add_argument("--minutes", type=float, default=120.0, help="stop after so long")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path, help="a folder for files with a fault")
    args = parser.parse_args()
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as name:
        fuzz = FuzzRunner(Path(name), args.seed)
        fuzz.check_canary()
        exposed = decode_exposed(fuzz)
        outcomes = run_files(fuzz, args.start, args.files, args.minutes, args.threads, args.keep)
        fuzz.sandbox.close()
    raise SystemExit(not print_report(outcomes, fuzz, exposed))


if __name__ == "__main__":
    main()
