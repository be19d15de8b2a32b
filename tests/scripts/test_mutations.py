"""The faults that `make mutants` plants, and how they are put into a loaded module."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from scripts.module_swap import swap_module
from scripts.mutations import make_mutants


@pytest.mark.parametrize(
    ("line", "faults"),
    [
        ("x = a + 1", {"x = a - 1", "x = a + 2", "x = a + 0"}),
        ("y = a if b < c else d", {f"y = a if {b} c else d" for b in ("not b <", "b <=", "b >=")}),
        ("z = a in b and c", {"z = a not in b and c", "z = a in b or c", "z = a in b"}),
        ("lock(a)", {"pass"}),
        ("log.info(a + b)", set()),
        ("n: int | None = None", set()),
    ],
)  # fmt: skip
def test_each_fault_is_one_change_of_one_line(line: str, faults: set[str]) -> None:
    source = f"def f() -> int | None:\n    {line}\n    return x\n"
    made = make_mutants(source)
    assert {" ".join(mutant.after.split()) for mutant in made} == faults
    assert all(mutant.line == 2 and mutant.before == line for mutant in made)
    for mutant in made:
        compile(mutant.source, "mutant", "exec")


def test_other_modules_of_the_app_get_what_they_imported_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = ModuleType("app.first"), ModuleType("app.second")
    first.__file__ = "first.py"
    for module in (first, second):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    exec("LIMIT = 1000\ndef limit(): return LIMIT", vars(first))
    exec("from app.first import LIMIT, limit", vars(second))
    swap_module(first, "LIMIT = 1001\ndef limit(): return LIMIT")
    assert (vars(second)["LIMIT"], vars(second)["limit"]()) == (1001, 1001)
