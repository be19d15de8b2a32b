"""The slips of a tired engineer that `make mutants ONLY=slips` plants."""

from __future__ import annotations

import pytest

from scripts.mutants import MAKERS
from scripts.signatures import Signatures, read_signatures
from scripts.slips import make_slips

CALLED = """
def send(to, text, copy=None, *, at=0, by): ...
def cut(name: str, start: int, end: int): ...
class Pads:
    def swap(self, one, other=1): ...
@dataclass(frozen=True)
class Pad:
    name: str
    level: int = 127
"""
NOTHING_KNOWN = Signatures()


def _after(line: str, signatures: Signatures = NOTHING_KNOWN, operator: str = "") -> set[str]:
    source = f"def f():\n    {line}\n"
    made = [each for each in make_slips(source, signatures) if operator in ("", each.operator)]
    assert all(mutant.line == 2 and mutant.before == line for mutant in made)
    return {" ".join(mutant.after.split()) for mutant in made}


@pytest.mark.parametrize(
    ("line", "faults"),
    [
        ("send(a, b, c, at=d, by=e)", {"send(a, b, at=d, by=e)", "send(a, b, c, by=e)"}),
        ("send(a, b, at=d, by=e)", {"send(a, b, by=e)"}),
        ("pads.swap(a, b)", {"pads.swap(a)"}),
        ("pads.swap(a)", set()),
        ("Pad(name=a, level=b)", {"Pad(name=a)"}),
        ("Pad(a, b)", {"Pad(a)"}),
        ("unknown(a, b=c)", {"unknown(a)"}),
    ],
)
def test_arguments_are_left_out_that_the_called_may_do_without(line: str, faults: set[str]) -> None:
    assert _after(line, read_signatures([CALLED]), "forget_argument") == faults


@pytest.mark.parametrize(
    ("line", "faults"),
    [
        ("cut(a, b, c)", {"cut(a, c, b)"}),
        ("cut(name=a, start=b, end=c)", {"cut(name=a, start=c, end=b)"}),
        ("unknown(a, b)", set()),
        ("return a, b", {"return b, a"}),
        ("cut(a, b, *c)", set()),
    ],
)
def test_neighbours_of_one_type_are_exchanged(line: str, faults: set[str]) -> None:
    assert _after(line, read_signatures([CALLED]), "exchange_values") == faults


@pytest.mark.parametrize(
    ("line", "faults"),
    [
        ("if a: return b", {"if (a) and False: return b"}),
        ("if a: raise b", {"if (a) and False: raise b"}),
        ("if a is None: return b", set()),
        ("if a: b = 1", set()),
        ("x = [a, b, c]", {"x = [b, c]", "x = [a, c]", "x = [a, b]"}),
        ("x = {'é': b, c: d}", {"x = {c: d}", "x = {'é': b}"}),
        ("x = a in (b, c)", {"x = a in (b,)", "x = a in (c,)"}),
        ("x, y = a, b", set()),
        ("x = timedelta(hours=a)", {"x = timedelta(minutes=a)"}),
        ("x = a // 100", {"x = a"}),
        ("x = 60 * a", {"x = a"}),
        ("x = a * 7", set()),
        ("x = a + 1", {"x = a"}),
        ("x = max(a)", {"x = min(a)"}),
        ("x = any(a)", {"x = all(a)"}),
        ("x = a <= b", {"x = a >= b"}),
        ("x = a[0]", {"x = a[-1]"}),
        ("x = a[b:c]", {"x = a[:c]", "x = a[b:]"}),
        ("x = a.casefold()", {"x = a"}),
        ("x = order(a.desc())", {"x = order(a)", "x = order(a.asc())"}),
        ("x = sorted(a)", {"x = list(a)"}),
        ("x = file.key + file.wav_key", {"x = file.wav_key + file.wav_key", "x = file.key + file.key"}),
        ("x = row.key + file.wav_key", set()),
        ("x = RATE_HZ / SX_RATE_HZ", {"x = SX_RATE_HZ / SX_RATE_HZ", "x = RATE_HZ / RATE_HZ"}),
        ("log.info(a, sorted(b))", set()),
    ],
)
def test_each_slip_is_one_change_of_one_line(line: str, faults: set[str]) -> None:
    assert _after(line) == faults


def test_a_parameter_stands_where_another_of_its_type_is_meant() -> None:
    source = "def f(old: Kit, new: Kit, name: str) -> Kit:\n    return old.named(name)\n"
    made = make_slips(source, NOTHING_KNOWN)
    assert [mutant.after for mutant in made] == ["return new.named(name)"]


def test_slips_are_planted_only_when_asked_for() -> None:
    source = "def f(a):\n    return sorted(a)\n"
    assert [mutant.after for mutant in MAKERS["slips"](source)] == ["return list(a)"]
    assert not MAKERS[""](source)
    assert not MAKERS["filters"](source)
