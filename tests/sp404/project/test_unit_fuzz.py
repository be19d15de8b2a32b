"""Damaged files of the unit are read in part or refused; `benchmarks.unit_fuzz` takes more of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.unit_fuzz import PARTIAL, REFUSED, WHOLE, run_mutants

BATCHES = [range(first, first + 60) for first in range(0, 300, 60)]


@pytest.mark.parametrize("numbers", BATCHES, ids=lambda numbers: f"{numbers.start}-{numbers.stop}")
def test_nothing_damaged_crashes_a_reader(numbers: range, tmp_path: Path) -> None:
    report = run_mutants(numbers, tmp_path)
    assert report.faults == []
    verdicts = {verdict for _kind, verdict in report.verdicts}
    assert verdicts == {WHOLE, PARTIAL, REFUSED}
    assert {kind for kind, _verdict in report.verdicts} == {
        "folder", "zip", "padconf", "pattern", "midi", "picture",
    }  # fmt: skip
