"""Print tables as Markdown, or put them into a document in the place of older ones of the same name."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

Cell = str | int | float

CONFIDENCE_EDGES = (0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.001)


@dataclass(frozen=True)
class Table:
    """A table, and the name by which a document marks its place: `<!-- name -->` on the line above."""

    name: str
    header: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]

    def markdown(self) -> str:
        """Return the table as Markdown, its figures with one decimal."""
        rule = "|---" * len(self.header) + "|"
        return "\n".join([_line(self.header), rule, *map(_line, self.rows)])


def _line(cells: Sequence[Cell]) -> str:
    """Return one line of a table."""
    return "| " + " | ".join(f"{c:.1f}" if isinstance(c, float) else str(c) for c in cells) + " |"


def add_document_option(parser: argparse.ArgumentParser) -> None:
    """Let a command put its tables into a document."""
    parser.add_argument("--document", type=Path, help="put the tables into this document as well")


def show_tables(tables: Iterable[Table], document: Path | None) -> None:
    """Print the tables that have rows, and put them into the document if there is one."""
    for table in tables:
        if table.rows:
            print(f"\n{table.name}\n\n{table.markdown()}", flush=True)
            if document is not None:
                _replace_table(document, table)


def _replace_table(document: Path, table: Table) -> None:
    """Replace what stands between the table's mark and the next empty line."""
    place = re.compile(rf"(<!-- {re.escape(table.name)} -->\n)(?:\|.*\n)*")
    text, found = place.subn(lambda mark: f"{mark[1]}{table.markdown()}\n", document.read_text())
    if not found:
        print(f"{document} has no place for this table: a line <!-- {table.name} -->.", file=sys.stderr)
    document.write_text(text)


def reliability_rows(sure: Sequence[float], right: Sequence[bool]) -> list[tuple[Cell, ...]]:
    """Return for each span of confidence how many answers it has, their mean confidence, the share right."""
    confidence, fit = np.asarray(sure), np.asarray(right, dtype=bool)
    rows: list[tuple[Cell, ...]] = []
    for low, high in pairwise(CONFIDENCE_EDGES):
        at = (confidence >= low) & (confidence < high)
        if at.any():
            means = (f"{confidence[at].mean():.2f}", f"{fit[at].mean():.2f}")
            rows.append((f"{low:.1f}–{min(high, 1):.1f}", int(at.sum()), *means))
    return rows


def merge_reliability(name: str, parts: dict[str, list[tuple[Cell, ...]]]) -> Table:
    """Return one table of several reliabilities side by side."""
    found = {
        what: {row[0]: ", ".join(map(str, row[1:])) for row in rows} for what, rows in parts.items() if rows
    }
    spans = [f"{low:.1f}–{min(high, 1):.1f}" for low, high in pairwise(CONFIDENCE_EDGES)]
    rows = [(span, *(cells.get(span, "–") for cells in found.values())) for span in spans]
    filled = [row for row in rows if set(row[1:]) - {"–"}]
    return Table(name, ("confidence", *(f"{what}: answers, mean, right" for what in found)), filled)


def confusion_table(name: str, pairs: Sequence[tuple[str, str]], classes: Sequence[str]) -> Table:
    """Return how often each true class was taken for each class, and the share that is right in percent."""
    rows: list[tuple[Cell, ...]] = []
    for truth in classes:
        heard = [other for true, other in pairs if true == truth]
        if heard:
            counts = tuple(heard.count(other) for other in classes)
            rows.append((truth, *(c or "·" for c in counts), 100 * heard.count(truth) / len(heard)))
    return Table(name, ("is \\ heard as", *classes, "right %"), rows)


def macro_percent(pairs: Sequence[tuple[str, str]], classes: Sequence[str]) -> float:
    """Return the mean over the classes that occur of the share that is right, in percent."""
    occurring = [name for name in classes if any(truth == name for truth, _ in pairs)]
    shares = [np.mean([heard == truth for truth, heard in pairs if truth == name]) for name in occurring]
    return float(100 * np.mean(shares))
