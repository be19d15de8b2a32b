"""Looking into a file costs little memory and time, whatever is packed into it."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import pytest

from app.sp404.errors import UnitFileError
from app.sp404.importing.kit_sources import MAX_KITS, look_into
from app.sp404.pad_places import PADS, pattern_file
from app.sp404.project.pattern_files import MAX_PATTERN_BYTES, RECORD_BYTES, make_ending
from tests.sp404.project.made_files import small_project, zipped

MAX_PEAK_BYTES = 8 << 20
LONGEST = bytes(MAX_PATTERN_BYTES - 2 * RECORD_BYTES) + make_ending(64, "4/4")
FULL = small_project() | {pattern_file(number): LONGEST for number in range(PADS)}


def test_160_full_patterns_are_counted_without_their_records(tmp_path: Path) -> None:
    sent = tmp_path / "sent.zip"
    sent.write_bytes(zipped(FULL, "P/"))
    tracemalloc.start()
    try:
        [found] = look_into(sent, "sent")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (found.patterns, found.problems) == (PADS, ())
    assert peak < MAX_PEAK_BYTES


def test_more_than_a_card_of_patterns_or_kits_is_refused(tmp_path: Path) -> None:
    sent = tmp_path / "sent.zip"
    several = {f"{number}/{path}": data for number in range(2) for path, data in FULL.items()}
    sent.write_bytes(zipped(several | {"loosely packed": random.Random(1).randbytes(1 << 20)}))
    with pytest.raises(UnitFileError, match="patterns have more than 64 MB together"):
        look_into(sent, "sent")
    sent.write_bytes(zipped({f"{number}/kit.json": b"{}" for number in range(MAX_KITS + 1)}))
    with pytest.raises(UnitFileError, match=r"more than 32 kit\.json"):
        look_into(sent, "sent")
