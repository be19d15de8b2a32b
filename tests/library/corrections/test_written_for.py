"""A description says what figures it was written for, once they have changed."""

from __future__ import annotations

import re

import pytest

from app.models import Sample
from app.models.base import transaction
from app.models.sample import SOUND_FIELDS
from tests.library.corrections.forms import DESCRIBED, corrected, page_of
from tests.support import Browser


class TestWhatTheDescriptionSpeaksOf:
    @pytest.fixture
    def told(self, loop: Sample) -> Sample:
        figures = {name: getattr(loop, name) for name in SOUND_FIELDS}
        with transaction():
            loop.describe(DESCRIBED | {"figures": figures})
        return loop

    def test_a_correction_that_it_does_not_know_is_told_with_the_way_to_a_new_one(
        self, as_owner: Browser, told: Sample
    ) -> None:
        assert "Written for" not in page_of(as_owner, told)
        corrected(as_owner, told, bpm="186", key="A minor", kind="one-shot", sound="tom")
        page = page_of(as_owner, told)
        notice = page[page.index("Written for") :]
        sentence = " ".join(notice.partition("</p>")[0].split())
        assert sentence == "Written for 93 BPM, no key, loop, no sound type. That has changed since."
        link = re.search(r'href="([^"]+)">Describe again', notice)
        assert link is not None
        assert as_owner.get(link.group(1)).status_code == 200
        as_owner.post(f"/samples/{told.id}/revert")
        assert "Written for" not in page_of(as_owner, told)

    def test_while_it_is_being_described_again_that_is_said(self, as_owner: Browser, told: Sample) -> None:
        corrected(as_owner, told, bpm="186")
        as_owner.post("/again/jobs", purpose="describe", sample=told.id)
        notice = page_of(as_owner, told).partition("Written for")[2].partition("</div>")[0]
        assert "It is being described again" in notice
        assert "Describe again" not in notice

    def test_a_difference_that_no_page_shows_is_none(self, as_owner: Browser, told: Sample) -> None:
        with transaction():
            told.correct(bpm=(told.bpm or 0) + 0.01)
        assert "Written for" not in page_of(as_owner, told)

    def test_a_description_of_before_does_not_know(self, as_owner: Browser, loop: Sample) -> None:
        corrected(as_owner, loop, bpm="186")
        assert "Written for" not in page_of(as_owner, loop)
