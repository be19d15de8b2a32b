"""The fault that `make mutants ONLY=filters` plants: a query forgets one of its conditions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from cosmic_ray.ast import ast_nodes
from cosmic_ray.operators.operator import Operator
from parso.tree import search_ancestor

Place = tuple[tuple[int, int], tuple[int, int]]

CALLS = ("where", "filter_by", "and_")
TUPLES = ("testlist_star_expr", "testlist", "testlist_comp")


class ForgetFilter(Operator):
    """Leave out one condition of a query, which then finds more rows.

    It is an argument of `.where(…)`, `.filter_by(…)` or `and_(…)`, an operand of `&`, or a member of a tuple
    that a call of them takes apart: `own = a, b` for `.where(*own)`, or `return a, b` for `.where(*own(…))`.
    """

    def mutation_positions(self, node: Any) -> Iterator[Place]:
        for condition in _conditions(node):
            yield condition.start_pos, condition.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        condition = _conditions(node)[index]
        among = condition.parent.children
        place = among.index(condition)
        if condition.parent is node and node.type == "trailer":
            del among[place]
        elif node.type == "and_expr":
            first = max(place - 1, 0)
            del among[first : first + 2]
        else:
            comma = among[1]
            del among[place : place + 2]
            if node.type in TUPLES and len(among) == 1:
                among.append(comma)  # so that a tuple of one is a tuple
            if not among:
                del node.children[1]
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


def _conditions(node: Any) -> list[Any]:
    if node.type == "trailer":
        return [each for each in _arguments(node) if not _has_star(each)]
    if node.type == "and_expr" and _has_queries(node.get_root_node()):
        return list(node.children[::2])
    if node.type in TUPLES and (name := _tuple_name(node)):
        is_taken_apart = name in _names_with_star(node.get_root_node())
        return [each for each in node.children if each != ","] if is_taken_apart else []
    return []


@lru_cache(maxsize=2)
def _has_queries(root: Any) -> bool:
    return "from sqlalchemy" in root.get_code()


def _arguments(trailer: Any) -> list[Any]:
    """Return the arguments in a `(…)` after one of the names, but not of `np.where`."""
    if trailer.children[0] != "(" or len(trailer.children) < 3:
        return []
    called = trailer.get_previous_leaf()
    if called.value not in CALLS:
        return []
    if (dot := called.get_previous_leaf()) == "." and dot.get_previous_leaf().value == "np":
        return []
    inside = trailer.children[1]
    return [each for each in inside.children if each != ","] if inside.type == "arglist" else [inside]


def _has_star(argument: Any) -> bool:
    return bool(argument.type == "argument" and argument.children[0] == "*")


def _tuple_name(node: Any) -> str:
    """Return the name that a tuple is assigned to, or that of the function that returns it."""
    is_in_brackets = node.parent.type == "atom"
    holder = node.parent.parent if is_in_brackets else node.parent
    if len(node.children) < 3 or node.children[1] != ",":
        return ""
    if holder.type == "return_stmt":
        function: Any = search_ancestor(node, "funcdef")  # None where parso can't read its head
        return str(function.name.value) if function is not None else ""
    is_assigned = holder.type == "expr_stmt" and holder.children[-1] in (node, node.parent)
    return _last_name(holder.children[0]) if is_assigned else ""


@lru_cache(maxsize=2)
def _names_with_star(root: Any) -> set[str]:
    """Return the names that the module hands to a query as `*name` or `*name(…)`."""
    arguments = (each for node in ast_nodes(root) if node.type == "trailer" for each in _arguments(node))
    return {_last_name(each.children[1]) for each in arguments if _has_star(each)}


def _last_name(node: Any) -> str:
    """Return `own` of `own`, `own(…)` and `rows.own`."""
    if node.type == "name":
        return str(node.value)
    parts = getattr(node, "children", [])
    named = [part for part in parts if part.type == "name" or part.get_first_leaf() == "."]
    return str(named[-1].get_last_leaf().value) if named else ""
