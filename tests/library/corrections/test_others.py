"""Another possible tempo or key is one click away."""

from __future__ import annotations

import re

import pytest

from app.models import Sample
from app.models.base import transaction
from tests.library.corrections.forms import corrected, page_of
from tests.support import Browser


class TestAlternatives:
    @pytest.fixture
    def heard(self, loop: Sample) -> Sample:
        with transaction():
            loop.features.measured = loop.features.measured | {
                "bpm": 93.0, "bpm_candidates": [[92.9, 0.6], [186.1234, 0.2], [46.5, 0.15], [120.0, 0.01]],
                "key": "A minor", "key_candidates": [["A minor", 0.5], ["C major", 0.3], ["F# minor", 0.2]],
            }  # fmt: skip
            loop.revert()
        return loop

    def test_each_is_one_click_and_changes_nothing_else(self, as_owner: Browser, heard: Sample) -> None:
        corrected(as_owner, heard, name="Mine", tags="dusty")
        assert others(as_owner, heard) == [
            ("bpm", "186.12"), ("bpm", "46.50"), ("key", "C major"), ("key", "F# minor"),
        ]  # fmt: skip
        for name, value in (("bpm", "186.12"), ("key", "C major")):
            assert as_owner.post(f"/samples/{heard.id}", **{name: value}).status_code == 303
        assert heard.corrections == {"bpm": 186.12, "key": "C major"}
        assert (heard.name, heard.tag_names) == ("Mine", ["dusty"])

    def test_current_and_measured_values_are_not_listed(self, as_owner: Browser, heard: Sample) -> None:
        corrected(as_owner, heard, bpm="186", key="C major")
        assert others(as_owner, heard) == [("bpm", "46.50"), ("key", "F# minor")]


def others(browser: Browser, sample: Sample) -> list[tuple[str, str]]:
    section = page_of(browser, sample).partition('id="other-title"')[2].partition("</section>")[0]
    return re.findall(r'name="(bpm|key)" value="([^"]+)"', section)
