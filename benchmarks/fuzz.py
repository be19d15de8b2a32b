"""Mutated files through the decoder and the engine: `python -m benchmarks.fuzz --files 50000`.

One file in eight takes the whole path of production: decoded, rendered and analysed in a fork of the warmed
zygote of its own. The others are decoded only, a parcel of them in one such fork under the same limits. That
hides nothing: the child tells of every file when it is done, so a crash, a kill or a hang is the next file's,
and the peak of memory is set back before each. Files that name addresses and other files are decoded
once more in this process, which has a network: what keeps them in is then the decoder alone.
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

    def parcel(first: int) -> list[Outcome]:
        if time.monotonic() > until:
            return []
        mutants = {
            number: fuzz.mutations.make(number) for number in range(first, min(first + BATCH_FILES, files))
        }
        found: list[Outcome] = []
        for number in (whole := [number for number in mutants if number % FULL_PATH_EVERY == 0]):
            found += fuzz.run({number: mutants[number]}, whole=True)
        found += fuzz.run({n: m for n, m in mutants.items() if n not in whole}, whole=False)
        # What was slow may have waited for a busy machine: it is run again alone.
        found = [
            _fastest_retry(fuzz, one, mutants[one.number]) if one.seconds > MAX_S else one for one in found
        ]
        for one in (one for one in found if one.faults):
            print(f"{one.number} {one.kind}: {one.faults}", flush=True)
            if keep is not None:
                (keep / f"{one.number}-{one.kind}").write_bytes(mutants[one.number].data)
        return found

    with ThreadPoolExecutor(threads) as pool:
        for number, found in enumerate(pool.map(parcel, range(start, files, BATCH_FILES)), start=1):
            outcomes += found
            if found and number % 16 == 0:
                print(f"{len(outcomes)} of {files}", flush=True)
    return outcomes


def _fastest_retry(fuzz: FuzzRunner, slow: Outcome, mutant: Mutant) -> Outcome:
    again = [fuzz.run({slow.number: mutant}, slow.whole)[0] for _ in range(3)]
    return min([slow, *again], key=lambda found: found.seconds)


def decode_exposed(fuzz: FuzzRunner) -> int:
    """Decode luring files where the network can be reached, and return how many."""
    luring = (made for number in count() if (made := fuzz.mutations.make(number)).kind in LURE_KINDS)
    for mutant in islice(luring, EXPOSED_FILES):
        if faults := fuzz.exposed(mutant):
            raise SystemExit(f"with a network: {faults}")
    return EXPOSED_FILES


def print_report(outcomes: list[Outcome], fuzz: FuzzRunner, exposed: int) -> bool:
    """Print the figures; True when every one is as it must be."""
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
    """Hunt, then say what was found; end with 1 when there is a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--start", type=int, default=0, help="the first file, to go on where a run ended")
    parser.add_argument("--seed", type=int, default=404)
    parser.add_argument("--minutes", type=float, default=120.0, help="stop after so long")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path, help="a folder for the files at fault")
    args = parser.parse_args()
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as name:
        fuzz = FuzzRunner(Path(name), args.seed)
        fuzz.check_the_canary()
        exposed = decode_exposed(fuzz)
        outcomes = run_files(fuzz, args.start, args.files, args.minutes, args.threads, args.keep)
        fuzz.sandbox.close()
    raise SystemExit(not print_report(outcomes, fuzz, exposed))


if __name__ == "__main__":
    main()
