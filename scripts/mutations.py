"""The small faults that `make mutants` plants in a module: Cosmic Ray's operators, and three of our own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import parso
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator

from scripts.query_faults import ForgetFilter, Place

OPERATORS = (
    *(f"core/ReplaceBinaryOperator_{pair}" for pair in (
        "Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Mul", "Mod_Mul", "Pow_Mul",
        "BitOr_BitAnd", "BitAnd_BitOr", "BitXor_BitOr", "LShift_RShift", "RShift_LShift",
    )),
    *(f"core/ReplaceComparisonOperator_{pair}" for pair in (
        "Eq_NotEq", "NotEq_Eq", "Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt",
        "GtE_Lt", "Is_IsNot", "IsNot_Is",
    )),
    "core/ReplaceUnaryOperator_USub_UAdd", "core/ReplaceUnaryOperator_Delete_Not",
    "core/AddNot", "core/ReplaceTrueWithFalse", "core/ReplaceFalseWithTrue",
    "core/ReplaceAndWithOr", "core/ReplaceOrWithAnd",
    "core/ReplaceBreakWithContinue", "core/ReplaceContinueWithBreak",
    "core/NumberReplacer", "core/ZeroIterationForLoop",
)  # fmt: skip


class RemoveCall(Operator):
    """Replace a statement that only calls something with `pass`."""

    def mutation_positions(self, node: Any) -> Iterator[Place]:
        if node.type == "simple_stmt" and node.children[0].type in ("atom_expr", "power"):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        nothing = parso.parse("pass").children[0]
        nothing.prefix = node.children[0].get_first_leaf().prefix
        node.children[0] = nothing
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


class InvertMembership(Operator):
    """Turn `in` to `not in`, and `not in` to `in`."""

    def mutation_positions(self, node: Any) -> Iterator[Place]:
        for place in self._places(node):
            yield node.children[place].start_pos, node.children[place].end_pos

    def mutate(self, node: Any, index: int) -> Any:
        place = list(self._places(node))[index]
        turned = " not in" if node.children[place].get_code().split() == ["in"] else " in"
        node.children[place] = parso.parse(turned)
        return node

    @staticmethod
    def _places(node: Any) -> Iterator[int]:
        if node.type == "comparison":
            for place in range(1, len(node.children), 2):
                if node.children[place].get_code().split() in (["in"], ["not", "in"]):
                    yield place

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


class ForgetCondition(Operator):
    """Leave out one side of `and` and `or`: the first operand alone decides."""

    def mutation_positions(self, node: Any) -> Iterator[Place]:
        if node.type in ("and_test", "or_test"):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        del node.children[1:]
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


OUR_OPERATORS = (RemoveCall(), InvertMembership(), ForgetCondition())


@dataclass(frozen=True)
class Mutant:
    """One fault: what was changed on which line, and the whole source with it."""

    operator: str
    line: int
    before: str
    after: str
    source: str

    @property
    def line_of_report(self) -> str:
        return f"line {self.line}, {self.operator}: {self.before}  →  {self.after}"


def make_mutants(source: str, *, only_filters: bool = False) -> list[Mutant]:
    """Return every mutant of a module's source, ordered by line, but none of annotations and log lines.

    Those of `ForgetFilter` are made only when asked for, and then no others.
    """
    nodes = list(ast_nodes(get_ast(source)))
    skipped = _skipped_places(nodes)
    usual = (*(get_operator(name)() for name in OPERATORS), *OUR_OPERATORS)
    made = {
        each.source: each
        for operator in ((ForgetFilter(),) if only_filters else usual)
        for each in _mutants_of(source, operator, nodes, skipped)
    }
    return sorted(made.values(), key=lambda mutant: (mutant.line, mutant.operator))


def _mutants_of(
    source: str, operator: Operator, nodes: Iterable[Any], skipped: list[Place]
) -> Iterator[Mutant]:
    places = [place for node in nodes for place in operator.mutation_positions(node)]
    for occurrence, (start, end) in enumerate(places):
        if any(first <= start and end <= last for first, last in skipped):
            continue
        changed = mutate_code(source, operator, occurrence)
        if changed is None or changed == source or not compiles(changed):
            continue
        line, before, after = first_difference(source, changed)
        yield Mutant(type(operator).__name__, line, before, after, changed)


def _skipped_places(nodes: Iterable[Any]) -> list[Place]:
    """Return where annotations, decorators and log lines stand: a change there is no fault users meet."""
    found: list[Place] = []
    for node in nodes:
        if node.type in ("funcdef", "param") and node.annotation is not None:
            found.append((node.annotation.start_pos, node.annotation.end_pos))
        elif node.type == "decorator":
            found.append((node.start_pos, node.end_pos))
        elif node.type == "annassign":
            found.append((node.children[1].start_pos, node.children[1].end_pos))
        elif node.type == "simple_stmt" and node.get_code().strip().startswith(("log.", "__all__")):
            found.append((node.start_pos, node.end_pos))
    return found


def compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def first_difference(before: str, after: str) -> tuple[int, str, str]:
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    for number, (old, new) in enumerate(pairs, 1):
        if old != new:
            return number, old.strip(), new.strip()
    return 0, "", ""
