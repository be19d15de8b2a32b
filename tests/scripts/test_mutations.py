"""The faults that `make mutants` plants, and how they are put into a loaded module."""

from __future__ import annotations

import json
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import pytest

from scripts.module_swap import forget_kept, swap_module
from scripts.mutant_lines import LineRecorder, TestChoice
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


@pytest.mark.parametrize(
    ("line", "faults"),
    [
        ("x = q.where(a == b, c)", {"x = q.where( c)", "x = q.where(a == b,)"}),
        ("x = q.where(a).where(*b)", {"x = q.where().where(*b)"}),
        ("x = q.filter_by(a=1, b=2)", {"x = q.filter_by( b=2)", "x = q.filter_by(a=1,)"}),
        ("x = q.order_by(and_(a, b))", {"x = q.order_by(and_( b))", "x = q.order_by(and_(a,))"}),
        ("x = a & b & c", {"x = b & c", "x = a & c", "x = a & b"}),
        ("x = np.where(a) + or_(a, b)", set()),
    ],
)  # fmt: skip
def test_conditions_of_queries_are_left_out_one_at_a_time_and_only_when_asked(
    line: str, faults: set[str]
) -> None:
    source = f"from sqlalchemy import select\ndef f():\n    {line}\n    return x\n"
    made = make_mutants(source, only_filters=True)
    assert {" ".join(mutant.after.split()) for mutant in made} == faults
    assert not faults & {mutant.after for mutant in make_mutants(source)}


def test_conditions_are_left_out_of_tuples_that_a_query_takes_apart() -> None:
    source = (
        "def f():\n    own = a, b\n    other = c, d\n    return q.where(*own, *g())\n"
        "def g():\n    return (\n        e,\n        f,\n    )\n"
    )
    made = [" ".join(mutant.source.split()) for mutant in make_mutants(source, only_filters=True)]
    whole = " ".join(source.split())
    assert made == [
        whole.replace("own = a, b", "own = b,"),
        whole.replace("own = a, b", "own = a,"),
        whole.replace("( e, f, )", "( f, )"),
        whole.replace("( e, f, )", "( e, )"),
    ]


def test_other_modules_of_the_app_get_what_they_imported_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = ModuleType("app.first"), ModuleType("app.second")
    first.__file__ = "first.py"
    for module in (first, second):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    exec("LIMIT = 1000\ndef limit(): return LIMIT", vars(first))
    exec("from app.first import LIMIT, limit", vars(second))
    swap_module(first, "LIMIT = 1001\ndef limit(): return LIMIT")
    assert (vars(second)["LIMIT"], vars(second)["limit"]()) == (1001, 1001)


def test_a_fault_is_shown_to_the_tests_that_run_its_statement(tmp_path: Path) -> None:
    source = (
        "def f(x):\n    if x:\n        return [\n            1,\n            x,\n        ]\n    return 1\n"
    )
    module, names = tmp_path / "module.py", dict[str, object]()
    module.write_text(source)
    exec(compile(source, str(module), "exec"), names)
    f, recorder = names["f"], LineRecorder(module)
    assert callable(f)
    before = sys.gettrace()
    for test, x in (("true", 1), ("false", 0)):
        with recorder.recording(test):
            f(x)
    sys.settrace(before)
    recorder.write(tmp_path / "lines.json")
    choice = TestChoice(source, tmp_path / "lines.json")
    assert [choice.tests_for(line) for line in (4, 5, 7)] == [["true"], ["true"], ["false"]]
    both = set(choice.tests_for(2))
    assert both == set(choice.tests_for(1)) == {"true", "false"}, (
        "an import runs line 1, and no test is seen to"
    )


def test_a_fault_in_what_tests_share_is_shown_to_all_of_them(tmp_path: Path) -> None:
    """Only the first test of those that share a fixture is seen to run what makes it."""
    noted = {
        "first": {"lines": [1, 2], "seconds": 1.0, "shared": ["a.py::card"]},
        "second": {"lines": [2], "seconds": 2.0, "shared": ["a.py::card"]},
        "other": {"lines": [2], "seconds": 3.0, "shared": []},
    }
    (tmp_path / "lines.json").write_text(json.dumps(noted))
    choice = TestChoice("made = 1\nused = made\n", tmp_path / "lines.json")
    assert choice.tests_for(1) == ["first", "second"]
    assert choice.tests_for(2) == ["first", "second", "other"]


def test_what_a_module_keeps_is_made_again_for_each_test() -> None:
    made: list[int] = []
    module = ModuleType("kept")
    statement = vars(module)["statement"] = lru_cache(lambda: made.append(1))
    for _ in range(2):
        statement()
        forget_kept(module)
    assert len(made) == 2
