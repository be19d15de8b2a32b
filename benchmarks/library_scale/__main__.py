"""Measure every address of the library over HTTP: in a small library alone, and in one database of all sizes.

python -m benchmarks.library_scale [--database postgresql://user@host:port] [--sizes 100,100000,1000000]
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import psycopg

from benchmarks.library_scale import databases, likeness, memory_curve
from benchmarks.library_scale.databases import SQLITE, Place
from benchmarks.library_scale.pages import Figures, measure_pages, pages_table, ratios_table
from benchmarks.library_scale.product import Product
from benchmarks.library_scale.samples import SEED, Owner, make_owners, make_rows
from benchmarks.library_scale.searches import FIRST_PAGE, SEARCHES, Page, Search, expected_pages
from benchmarks.library_scale.sounds import Sound, make_sounds
from benchmarks.library_scale.timing import Schedule, compare
from benchmarks.library_scale.uploads import measure_uploads
from benchmarks.library_scale.visitor import Visitor
from benchmarks.tables import add_document_option, show_tables

SIZES, OTHER_OWNERS = (100, 100_000, 1_000_000), 300
# Times the first page of the small library alone; for its own pages beside the others, times the same page.
MOST, MOST_OF_A_MILLION, MOST_BESIDE, MOST_OF_BEFORE = 1.5, 2.0, 1.2, 0.5
A_MILLION = 1_000_000
FIRST = FIRST_PAGE.address()


@dataclass(frozen=True)
class Libraries:
    """The running product on both databases; the first owner is the same one in both."""

    alone: Product
    shared: Product
    owners: list[Owner]
    sounds: list[Sound]
    searches: list[Search]
    schedule: Schedule

    def pages(self, owner: Owner) -> list[Page]:
        """Return the addresses of an owner with what they should list."""
        return expected_pages(make_rows(owner, self.sounds), self.searches)


def main() -> int:
    """Print the tables; return 1 if an address is too slow or lists wrong rows."""
    options = _parse_options()
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM)
    )  # so that the servers are stopped
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(TemporaryDirectory(prefix="library-scale-")))
        place = Place(folder.resolve(), options.database)
        libraries = stack.enter_context(_running(place, options))
        measured = list(_measure_libraries(libraries))
        measured += _measure_likeness(libraries) if options.likeness else ()
        measured += _measure_uploads(libraries, options.uploads)
        tables = [pages_table(f"Pages, {place.kind}", measured)]
        tables.append(ratios_table(f"Ratios, {place.kind}", measured))
        is_good = all(each.is_good for each in measured)
        if options.before is not None:
            before = _measure_before(place, libraries, options.before.resolve())
            tables.append(pages_table(f"Processor time, {place.kind}", [before]))
            is_good &= before.is_good
        if options.owners:
            curve = memory_curve.memory_curve(libraries.shared, libraries.owners[-options.owners :])
            tables.append(memory_curve.curve_table(curve))
            is_good &= memory_curve.is_bounded(curve)
    show_tables(tables, options.document)
    return 0 if is_good else 1


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--database", default=SQLITE, help="sqlite, or the URL of a PostgreSQL server")
    parser.add_argument(
        "--sizes", type=_parse_sizes, default=SIZES, help="sizes of libraries, the smallest first"
    )
    parser.add_argument("--others", type=int, default=OTHER_OWNERS, help="owners of 100 samples beside those")
    parser.add_argument("--keep", type=Path, help="keep the databases in this folder, and use those in it")
    parser.add_argument("--before", type=Path, help="also measure this checkout of another version")
    parser.add_argument(
        "--likeness", action="store_true", help="also measure the pages of similar samples and of duplicates"
    )
    parser.add_argument("--only", default="", help="only searches with this in their name")
    parser.add_argument("--requests", type=int, default=30, help="of each address")
    parser.add_argument("--seconds", type=float, default=20.0, help="for one address, after 8 requests")
    parser.add_argument("--uploads", type=int, default=30, help="into the smallest and the largest library")
    parser.add_argument(
        "--owners", type=int, default=0, help="visit so many other owners and watch the memory"
    )
    add_document_option(parser)
    options = parser.parse_args()
    if not 0 <= options.owners <= options.others:
        parser.error(f"--owners: there are {options.others} other owners")
    if min(options.requests, options.seconds + 1, options.uploads + 1, options.others + 1) < 1:
        parser.error("--requests must be at least 1; --seconds, --uploads and --others at least 0")
    if options.before is not None and not (options.before / "Procfile").exists():
        parser.error(f"--before: {options.before} is no checkout of the product")
    if options.database != SQLITE:
        _check_server(parser, options.database)
    return options


def _check_server(parser: argparse.ArgumentParser, url: str) -> None:
    """End the run when no PostgreSQL server answers at the URL."""
    try:
        psycopg.connect(f"{url.rstrip('/')}/postgres", connect_timeout=5).close()
    except psycopg.Error as error:
        parser.error(f"--database: no PostgreSQL server answers at {url} ({str(error).splitlines()[0]})")


def _parse_sizes(text: str) -> tuple[int, ...]:
    """Read `100,100000`."""
    sizes = tuple(int(part) if part.isdecimal() else 0 for part in text.split(","))
    if len(sizes) < 2 or list(sizes) != sorted(set(sizes)) or sizes[0] < 1:
        raise argparse.ArgumentTypeError("name two sizes or more, the smallest first: 100,100000")
    return sizes


@contextmanager
def _running(place: Place, options: argparse.Namespace) -> Iterator[Libraries]:
    """Make or open both databases, and yield the product running on them."""
    owners, sounds = make_owners(options.sizes, options.others), make_sounds(Random(SEED))
    shared_name = "_".join(["shared", *map(str, options.sizes)])
    alone = databases.open_database(place, "alone", owners[:1], sounds)
    shared = databases.open_database(place, shared_name, owners, sounds)
    if options.likeness:
        databases.add_likeness(alone, owners[:1], sounds)
        databases.add_likeness(shared, owners, sounds)
    searches = [each for each in SEARCHES if options.only in each.name]
    schedule = Schedule(options.requests, options.seconds)
    with alone, shared:
        yield Libraries(alone, shared, owners, sounds, searches, schedule)
    if options.keep is None:
        databases.drop_database(alone)
        databases.drop_database(shared)


def _measure_libraries(libraries: Libraries) -> Iterator[Figures]:
    """Measure every address of each library."""
    small, schedule = libraries.owners[0], libraries.schedule
    alone, pages = Visitor(libraries.alone, small), libraries.pages(small)
    yield from measure_pages(f"{small.size:,} alone", pages, (alone, FIRST), alone, MOST, schedule)
    beside = Visitor(libraries.shared, small)
    yield from measure_pages(f"{small.size:,} beside", pages, (alone, None), beside, MOST_BESIDE, schedule)
    for owner in _large_owners(libraries):
        most = MOST if owner.size < A_MILLION else MOST_OF_A_MILLION
        visitor, pages = Visitor(libraries.shared, owner), libraries.pages(owner)
        yield from measure_pages(f"{owner.size:,}", pages, (alone, FIRST), visitor, most, schedule)


def _measure_likeness(libraries: Libraries) -> Iterator[Figures]:
    """Measure the pages of similar samples and of duplicates, of libraries that have vectors."""
    alone, small = Visitor(libraries.alone, libraries.owners[0]), libraries.owners[0]
    places = [(f"{small.size:,} alone", libraries.alone, small)]
    places += [(f"{owner.size:,}", libraries.shared, owner) for owner in _large_owners(libraries)]
    for name, product, owner in places:
        if owner.size <= likeness.MOST_SAMPLES:
            pages = likeness.expected_pages(owner, libraries.sounds)
            visitor = Visitor(product, owner)
            yield from measure_pages(name, pages, (alone, FIRST), visitor, MOST, libraries.schedule)


def _measure_uploads(libraries: Libraries, count: int) -> list[Figures]:
    """Measure uploads into the largest library beside those into the small one alone."""
    if not count:
        return []
    largest = _large_owners(libraries)[-1]
    small, large = Visitor(libraries.alone, libraries.owners[0]), Visitor(libraries.shared, largest)
    return measure_uploads(f"{largest.size:,}", small, large, count)


def _large_owners(libraries: Libraries) -> list[Owner]:
    smallest = libraries.owners[0].size
    named = [owner for owner in libraries.owners if owner.email.startswith("of-")]
    return [owner for owner in named if owner.size > smallest]


def _measure_before(place: Place, libraries: Libraries, checkout: Path) -> Figures:
    """Compare the processor time of the first page with that of another version."""
    small = libraries.owners[0]
    product = databases.open_database(place, "before", [small], libraries.sounds, checkout)
    with product:
        other, own = Visitor(product, small), Visitor(libraries.alone, small)
        times = compare((other, FIRST), (own, FIRST), libraries.schedule)
    name, ratio = f"{small.size:,} alone", times.processor_ratio
    return Figures(name, "list", times.wall_ms, times.processor_ms, ratio, ratio, MOST_OF_BEFORE)


if __name__ == "__main__":
    sys.exit(main())
