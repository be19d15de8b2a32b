"""The note of a sample as its page shows it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.library.measurement_facts import _note_text
from tests.measurements import LOOP


@pytest.mark.parametrize(
    ("note", "cents", "end", "shown"),
    [
        ("A2", None, None, "A2"),
        ("F#3", -12.0, None, "F♯3 −12 cents"),
        ("G1", 3.0, "D#2", "G1 +3 cents → D♯2"),
    ],
)
def test_a_glide_shows_both_its_ends(note: str, cents: float | None, end: str | None, shown: str) -> None:
    assert _note_text(replace(LOOP, note=note, note_cents=cents, note_end=end)) == shown
