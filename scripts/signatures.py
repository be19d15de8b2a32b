"""Which arguments the functions and classes of the app take, and which of them they can do without."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Signatures:
    """Arguments by the name of what is called. Of several with one name, each says something."""

    required: set[tuple[str, str]] = field(default_factory=set)
    with_default: set[tuple[str, int]] = field(default_factory=set)  # by their place, without `self`
    types: dict[str, dict[str, str]] = field(default_factory=dict)

    def is_required(self, called: str, argument: str) -> bool:
        return (called, argument) in self.required

    def type_of(self, called: str, argument: int | str) -> str:
        """Return the type of an argument, by its place or its name, as far as it is known."""
        types = self.types.get(called, {})
        if isinstance(argument, int):
            return [*types.values()][argument] if argument < len(types) else ""
        return types.get(argument, "")

    def has_default(self, called: str, place: int) -> bool:
        return (called, place) in self.with_default


def read_signatures(sources: Iterable[str]) -> Signatures:
    found = Signatures()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                _add_function(found, node)
            elif isinstance(node, ast.ClassDef) and _has_only_fields(node):
                _add_fields(found, node)
    return found


def _add_function(found: Signatures, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    every = (*node.args.posonlyargs, *node.args.args)
    taken = [each for each in every if each.arg not in ("self", "cls")]
    names = [each.arg for each in taken]
    every_type = {each.arg: _type(each.annotation) for each in (*taken, *node.args.kwonlyargs)}
    found.types[node.name] = every_type
    first_default = len(names) - len(node.args.defaults)
    found.required.update((node.name, name) for name in names[:first_default])
    found.with_default.update((node.name, place) for place in range(first_default, len(names)))
    for each, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        if default is None:
            found.required.add((node.name, each.arg))


def _type(annotation: ast.expr | None) -> str:
    return ast.unparse(annotation) if annotation is not None else ""


def _has_only_fields(node: ast.ClassDef) -> bool:
    """Whether it is a data class or a named tuple: their fields are the arguments."""
    said = [ast.unparse(each) for each in (*node.decorator_list, *node.bases)]
    return any(each.startswith(("dataclass", "NamedTuple")) for each in said)


def _add_fields(found: Signatures, node: ast.ClassDef) -> None:
    fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
    found.types[node.name] = {ast.unparse(each.target): _type(each.annotation) for each in fields}
    for place, each in enumerate(fields):
        if each.value is None:
            found.required.add((node.name, ast.unparse(each.target)))
        else:
            found.with_default.add((node.name, place))
