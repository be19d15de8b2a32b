"""Visit the libraries of many owners, one after another, and watch the memory of the web process."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.library_scale.product import Product
from benchmarks.library_scale.samples import Owner
from benchmarks.library_scale.visitor import Visitor
from benchmarks.tables import Table

EVERY = 10
# How much larger the process may be after all owners than after half of them.
MOST_GROWTH = 1.1
VISITED = ("/samples", "/samples?sort=name", "/samples?ask=dusty+kick")


def memory_curve(product: Product, owners: Sequence[Owner]) -> list[tuple[int, float]]:
    """Return pairs of the number of owners whose pages were visited and the resident memory in MB."""
    curve = [(0, product.memory_mb())]
    for number, owner in enumerate(owners, start=1):
        visitor = Visitor(product, owner)
        for address in VISITED:
            visitor.get(address)
        visitor.close()
        if number % EVERY == 0:
            curve.append((number, product.memory_mb()))
    return curve


def is_bounded(curve: Sequence[tuple[int, float]]) -> bool:
    """Return whether the second half of the owners made the process hardly larger."""
    return curve[-1][1] <= MOST_GROWTH * curve[len(curve) // 2][1]


def curve_table(curve: Sequence[tuple[int, float]]) -> Table:
    """Return the curve as a table."""
    rows = [(owners, f"{memory:.0f}") for owners, memory in curve]
    return Table("Memory of a web process", ("owners visited", "MB resident"), rows)
