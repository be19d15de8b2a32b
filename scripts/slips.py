"""The faults that `make mutants ONLY=slips` plants: what a tired engineer gets wrong, one slip at a time."""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from itertools import chain, pairwise
from pathlib import Path

from scripts.mutations import Mutant, compiles, first_difference
from scripts.signatures import Signatures, read_signatures
from scripts.slip_source import Module, Slip, last_name, next_of

APP = Path(__file__).resolve().parent.parent / "app"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
UNITS = ("seconds", "minutes", "hours", "days", "weeks")
FACTORS = (10, 24, 60, 100, 1000, 1024, 3600, 1_000_000, 1_000_000_000)
PAIRS = (
    ("min", "max"), ("any", "all"), ("asc", "desc"), ("floor", "ceil"), ("start", "end"), ("first", "last"),
    ("startswith", "endswith"), ("removeprefix", "removesuffix"), ("lstrip", "rstrip"), ("left", "right"),
    ("before", "after"), ("source", "target"), ("old", "new"), ("union", "intersection"),
)  # fmt: skip
OPPOSITES = {one: other for pair in PAIRS for one, other in (pair, pair[::-1])}
UNFORGOTTEN = (None, "strict", "execution_options", "compare", "default_factory", *UNITS)
SAID = ("log.", "super().__init__(")
WRAPPING_FUNCTIONS = ("sorted", "reversed", "set", "frozenset", "abs", "round")
WRAPPING_METHODS = (
    "casefold", "lower", "upper", "strip", "lstrip", "rstrip", "desc", "distinct", "limit", "offset",
    "with_for_update", "execution_options",
)  # fmt: skip
TURNED: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", ">"), ast.Gt: (">", "<"), ast.LtE: ("<=", ">="), ast.GtE: (">=", "<="),
}  # fmt: skip


def forget_argument(node: ast.AST, module: Module) -> Iterator[Slip]:
    """Leave out a keyword argument, or the last one without a keyword, which the called may do without."""
    if not isinstance(node, ast.Call):
        return
    name = last_name(node.func)
    spans = module.spans([*node.args, *node.keywords])
    for keyword in node.keywords:
        if keyword.arg not in UNFORGOTTEN and not module.signatures.is_required(name, keyword.arg):
            yield module.leave_out(spans.index((module.start(keyword), module.end(keyword))), spans)
    has_more = bool(node.args) and not isinstance(node.args[-1], ast.Starred)
    if has_more and module.signatures.has_default(name, len(node.args) - 1):
        last = node.args[-1]
        yield module.leave_out(spans.index((module.start(last), module.end(last))), spans)


def exchange_values(node: ast.AST, module: Module) -> Iterator[Slip]:
    """Exchange two arguments of a call, or two members of a tuple that is returned."""
    groups: list[list[tuple[ast.expr, str]]] = []
    if isinstance(node, ast.Call):
        type_of = partial(module.signatures.type_of, last_name(node.func))
        groups = [
            [(each, type_of(place)) for place, each in enumerate(node.args)],
            [(each.value, type_of(each.arg)) for each in node.keywords if each.arg],
        ]
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        groups = [[(each, "any") for each in node.value.elts]]
    for (one, its_type), (other, other_type) in chain.from_iterable(map(pairwise, groups)):
        is_whole = not isinstance(one, ast.Starred) and not isinstance(other, ast.Starred)
        if its_type and its_type == other_type and is_whole:
            yield module.exchange(one, other)


def forget_guard(node: ast.AST, module: Module) -> Iterator[Slip]:
    """Go on where an `if` would have ended it. Without `is None`, whose loss mypy notices."""
    if not isinstance(node, ast.If) or node.orelse or len(node.body) != 1:
        return
    ends = isinstance(node.body[0], ast.Return | ast.Raise | ast.Continue | ast.Break)
    if ends and not module.code(node.test).endswith(" is None"):
        yield module.replace(node.test, f"({module.code(node.test)}) and False")


def forget_entry(node: ast.AST, module: Module) -> Iterator[Slip]:
    """Leave out an entry of a dict, an element of a list, or one of a tuple of any length."""
    if isinstance(node, ast.Dict):
        keys = [key for key in node.keys if key is not None]
        if len(keys) == len(node.values):
            pairs = zip(keys, node.values, strict=True)
            spans = [(module.start(key), module.end(value)) for key, value in pairs]
            yield from (module.leave_out(place, spans) for place in range(len(spans)))
        return
    for several in _collections(node):
        if isinstance(several, ast.Tuple) and len(several.elts) == 2:
            yield from (module.replace(several, f"({module.code(only)},)") for only in several.elts)
        elif len(several.elts) > 1:
            spans = module.spans(several.elts)
            yield from (module.leave_out(place, spans) for place in range(len(spans)))


def _collections(node: ast.AST) -> Iterator[ast.List | ast.Tuple | ast.Set]:
    if isinstance(node, ast.List | ast.Set) and not isinstance(getattr(node, "ctx", None), ast.Store):
        yield node
    held: list[ast.expr | None] = []
    if isinstance(node, ast.Compare):
        held = list(node.comparators)
    elif isinstance(node, ast.For | ast.comprehension):
        held = [node.iter]
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        held = [node.value]
    yield from (each for each in held if isinstance(each, ast.Tuple))


def use_wrong_unit(node: ast.AST, module: Module) -> Iterator[Slip]:
    """Use the next smaller unit of time, or forget a factor such as 60, 100 or 1024."""
    if isinstance(node, ast.Call) and last_name(node.func) == "timedelta":
        for keyword in node.keywords:
            if keyword.arg in UNITS[1:]:
                unit = UNITS[UNITS.index(str(keyword.arg)) - 1]
                yield module.replace(keyword, f"{unit}={module.code(keyword.value)}")
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.FloorDiv):
        if _is_number(node.right, FACTORS):
            yield module.replace(node, module.code(node.left))
        elif _is_number(node.left, FACTORS) and isinstance(node.op, ast.Mult):
            yield module.replace(node, module.code(node.right))


def forget_one(node: ast.AST, module: Module) -> Iterator[Slip]:
    """Forget `+ 1` and `- 1`."""
    if (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Add | ast.Sub)
        and _is_number(node.right, (1,))
    ):
        yield module.replace(node, module.code(node.left))


def use_opposite(node: ast.AST, module: Module) -> Iterator[Slip]:
    """Use `max` for `min`, `all` for `any`, the last for the first, `<` for `>`."""
    if isinstance(node, ast.Attribute | ast.Name) and (name := last_name(node)) in OPPOSITES:
        if isinstance(node, ast.Attribute) or hasattr(builtins, name):
            yield Slip(module.end(node) - len(name), module.end(node), OPPOSITES[name])
    elif isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in TURNED:
        sign, turned = TURNED[type(node.ops[0])]
        between = module.source[module.end(node.left) : module.start(node.comparators[0])].decode()
        yield Slip(module.end(node.left), module.start(node.comparators[0]), between.replace(sign, turned))
    elif isinstance(node, ast.Subscript) and module.code(node.slice) in ("0", "-1"):
        yield module.replace(node.slice, "-1" if module.code(node.slice) == "0" else "0")


def forget_limit(node: ast.AST, module: Module) -> Iterator[Slip]:
    """Let a slice begin at the very start, or go on to the very end."""
    if isinstance(node, ast.Slice):
        yield from (module.replace(limit, "") for limit in (node.lower, node.upper) if limit is not None)


def forget_wrapper(node: ast.AST, module: Module) -> Iterator[Slip]:
    """Forget `.strip()`, `.desc()`, `sorted(…)` and their like."""
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Attribute) and node.func.attr in WRAPPING_METHODS:
        yield module.replace(node, module.code(node.func.value))
    elif isinstance(node.func, ast.Name) and node.func.id in WRAPPING_FUNCTIONS and node.args:
        inner = module.code(node.args[0])
        yield module.replace(node, f"({inner})" if node.func.id in ("abs", "round") else f"list({inner})")


def use_sibling(node: ast.AST, module: Module) -> Iterator[Slip]:
    """Use another of the same kind: `key` for `wav_key`, a constant or a parameter for the next one."""
    if isinstance(node, FUNCTIONS):
        yield from _use_other_parameters(node, module)
    elif isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
        name = last_name(node)
        is_meant = isinstance(node, ast.Attribute) or (name.isupper() and len(name) > 1)
        if is_meant and (sibling := module.sibling(node)):
            yield Slip(module.end(node) - len(name.encode()), module.end(node), sibling)


def _use_other_parameters(function: ast.FunctionDef | ast.AsyncFunctionDef, module: Module) -> Iterator[Slip]:
    """Use a parameter where another one of the same type is meant."""
    by_type: dict[str, list[str]] = defaultdict(list)
    types: dict[str, str] = {}
    for each in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs):
        if each.annotation is not None:
            types[each.arg] = module.code(each.annotation)
            by_type[types[each.arg]].append(each.arg)
    for inside in ast.walk(function):
        if isinstance(inside, ast.Name) and isinstance(inside.ctx, ast.Load) and inside.id in types:
            other = next_of(inside.id, by_type[types[inside.id]])
            if other:
                yield module.replace(inside, other)


SLIPS: tuple[Callable[[ast.AST, Module], Iterator[Slip]], ...] = (
    forget_argument, exchange_values, forget_guard, forget_entry, use_wrong_unit, forget_one, use_opposite,
    forget_limit, forget_wrapper, use_sibling,
)  # fmt: skip


def make_slips(source: str, signatures: Signatures | None = None) -> list[Mutant]:
    """Return every slip of a module's source, ordered by line, but none of annotations and log lines."""
    known = signatures if signatures is not None else _signatures_of_app()
    module = Module(source.encode(), known)
    made: dict[str, Mutant] = {}
    for node in _nodes(ast.parse(source)):
        for operator in SLIPS:
            for slip in operator(node, module):
                rest = module.source[: slip.start], slip.text.encode(), module.source[slip.end :]
                changed = b"".join(rest).decode()
                if changed != source and compiles(changed):
                    line, before, after = first_difference(source, changed)
                    made.setdefault(changed, Mutant(operator.__name__, line, before, after, changed))
    return sorted(made.values(), key=lambda mutant: (mutant.line, mutant.operator))


@lru_cache
def _signatures_of_app() -> Signatures:
    return read_signatures(path.read_text() for path in sorted(APP.rglob("*.py")))


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a tree's nodes without annotations, decorators, log lines and the messages of exceptions."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            is_said = isinstance(child, ast.Expr) and ast.unparse(child).startswith(SAID)
            if isinstance(child, ast.AST) and not is_said:
                yield from _nodes(child)


def _is_number(node: ast.expr, among: tuple[int, ...]) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value in among
