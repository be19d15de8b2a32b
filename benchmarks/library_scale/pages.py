"""Measure the pages of a library beside a yardstick, and check the rows they list."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter

from benchmarks.library_scale.searches import Page
from benchmarks.library_scale.timing import Schedule, compare
from benchmarks.library_scale.visitor import Visit, Visitor
from benchmarks.tables import Cell, Table

FOUND = re.compile(r'<p id="found"[^>]*>\s*<span class="num">([\d,]+)(\+?)</span>')
HEADER = ("library", "address", "ms", "processor ms", "× time", "× processor", "most", "rows", "verdict")


@dataclass(frozen=True)
class Figures:
    """The measurements of one address."""

    library: str
    address: str
    wall_ms: float
    processor_ms: float
    ratio: float  # of the time that is judged
    processor_ratio: float
    most: float
    problem: str = ""

    @property
    def is_good(self) -> bool:
        return self.ratio <= self.most and not self.problem

    def cells(self) -> tuple[Cell, ...]:
        """Return a row of the table."""
        verdict = "ok" if self.is_good else "**too slow**" if self.ratio > self.most else "**wrong**"
        figures = f"{self.wall_ms:.0f}", f"{self.processor_ms:.0f}", f"{self.ratio:.2f}"
        bounds = f"{self.processor_ratio:.2f}", f"{self.most:g}"
        return (self.library, self.address, *figures, *bounds, self.problem or "as expected", verdict)


def measure_pages(
    library: str,
    pages: Iterable[Page],
    yardstick: tuple[Visitor, str | None],
    visitor: Visitor,
    most: float,
    schedule: Schedule,
) -> Iterator[Figures]:
    """Yield the figures of each page. A yardstick without an address is the same page of another library.

    What takes too long is timed twice more, and the run in the middle counts: a machine may slow one process
    down for a while.
    """
    other, address = yardstick
    for page in pages:
        pair = (other, address or page.address), (visitor, page.address)
        runs = [compare(*pair, schedule, page.others)]
        if runs[0].wall_ratio > most:
            runs += [compare(*pair, schedule, page.others) for _ in range(2)]
        times = sorted(runs, key=attrgetter("wall_ratio"))[len(runs) // 2]
        fault = next(filter(None, (find_fault(each.last, page) for each in runs)), "")
        ratios = times.wall_ratio, times.processor_ratio
        found = Figures(library, page.name, times.wall_ms, times.processor_ms, *ratios, most, fault)
        print("  ".join(map(str, found.cells())), file=sys.stderr, flush=True)
        yield found


def find_fault(visit: Visit, page: Page) -> str:
    """Say what is wrong with the rows of a page or with the number it says were found; empty when nothing is.

    A page may say of a large number only that it is more than some other.
    """
    said = FOUND.search(visit.page)
    if said is None and page.total is not None:  # nothing was found: what is listed is only close
        return "" if not page.sample_ids else "no number of results"
    listed = visit.sample_ids
    if listed != page.sample_ids:
        pairs = list(zip(listed, page.sample_ids, strict=False))
        at = next((place for place, (one, other) in enumerate(pairs) if one != other), len(pairs))
        return f"row {at + 1} of {len(page.sample_ids)} differs, {len(listed)} listed"
    if said is None or page.total is None:
        return ""
    number, is_more = int(said[1].replace(",", "")), bool(said[2])
    is_right = page.total >= number if is_more else page.total == number
    return "" if is_right else f"says {said[1]}{said[2]} of {page.total:,}"


def ratios_table(name: str, measured: Iterable[Figures]) -> Table:
    """Return the ratios of each address, of its time and its processor time, a column for each library."""
    every = list(measured)
    libraries = list(dict.fromkeys(each.library for each in every))
    ratios: dict[str, dict[str, str]] = {}
    for each in every:
        found = f"{each.ratio:.2f} ({each.processor_ratio:.2f}){' **wrong**' if each.problem else ''}"
        ratios.setdefault(each.address, {})[each.library] = found
    rows = [(address, *(by.get(each, "–") for each in libraries)) for address, by in ratios.items()]
    return Table(name, ("address", *libraries), rows)


def pages_table(name: str, measured: Iterable[Figures]) -> Table:
    """Return all figures as a table."""
    return Table(name, HEADER, [each.cells() for each in measured])
