"""A module's source for `scripts/slips.py`: where its nodes stand, and how one of them is changed."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from scripts.signatures import Signatures


@dataclass(frozen=True)
class Slip:
    """A stretch of the source, counted in bytes, and what stands there instead."""

    start: int
    end: int
    text: str


@dataclass
class Module:
    """A module's source, with where its nodes stand in it."""

    source: bytes
    signatures: Signatures = field(default_factory=Signatures)

    def __post_init__(self) -> None:
        self._lines = [0, *(match.end() for match in re.finditer(rb"\n", self.source))]
        self.alike: dict[tuple[str, str], set[str]] = defaultdict(set)
        for node in ast.walk(ast.parse(self.source)):
            if isinstance(node, ast.Attribute | ast.Name):
                self.alike[group(node)].add(last_name(node))

    def start(self, node: ast.expr | ast.keyword) -> int:
        return self._lines[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.keyword) -> int:
        return self._lines[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)

    def code(self, node: ast.expr | ast.keyword) -> str:
        return self.source[self.start(node) : self.end(node)].decode()

    def replace(self, node: ast.expr | ast.keyword, text: str) -> Slip:
        return Slip(self.start(node), self.end(node), text)

    def exchange(self, one: ast.expr, other: ast.expr) -> Slip:
        between = self.source[self.end(one) : self.start(other)].decode()
        return Slip(self.start(one), self.end(other), self.code(other) + between + self.code(one))

    def leave_out(self, place: int, among: Sequence[tuple[int, int]]) -> Slip:
        """Leave out one of several that stand between commas."""
        start, end = among[place]
        if place + 1 < len(among):
            return Slip(start, among[place + 1][0], "")
        return Slip(among[place - 1][1] if place else start, end, "")

    def spans(self, nodes: Iterable[ast.expr | ast.keyword]) -> list[tuple[int, int]]:
        return sorted((self.start(node), self.end(node)) for node in nodes)

    def sibling(self, node: ast.Attribute | ast.Name) -> str:
        return next_of(last_name(node), self.alike[group(node)])


def last_name(node: ast.expr) -> str:
    """Return `b` of `b` and `a.b`."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def group(node: ast.Attribute | ast.Name) -> tuple[str, str]:
    """Return what a name belongs to, and its last word: names that share both are easily mistaken."""
    if isinstance(node, ast.Attribute):
        return ast.unparse(node.value), node.attr.rpartition("_")[2]
    return ("constants" if node.id.isupper() else "names"), node.id.rpartition("_")[2] * ("_" in node.id)


def next_of(name: str, among: Iterable[str]) -> str:
    """Return the name after this one in alphabetical order, after the last the first; "" without another."""
    ordered = sorted({*among, name})
    return ordered[(ordered.index(name) + 1) % len(ordered)] if len(ordered) > 1 else ""
