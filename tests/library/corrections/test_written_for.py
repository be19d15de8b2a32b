"""The page says what a description was written for once those figures have changed."""

from __future__ import annotations

import re

import pytest

from app.models import Sample
from app.models.base import transaction
from app.models.corrections import SOUND_FIELDS
from tests.library.corrections.forms import DESCRIBED, corrected, page_of
from tests.support import Browser


class TestOutdatedDescription:
    @pytest.fixture
    def told(self, loop: Sample) -> Sample:
        figures = {name: getattr(loop, name) for name in SOUND_FIELDS}
        with transaction():
            loop.describe(DESCRIBED | {"figures": figures})
        return loop

    def test_a_newer_correction_is_named_with_a_link_to_describe_again(
        self, as_owner: Browser, told: Sample
    ) -> None:
        assert "written for" not in page_of(as_owner, told)
        corrected(as_owner, told, bpm="186", key="A minor", kind="one-shot", sound="tom")
        page = page_of(as_owner, told)
        notice = page[page.index("written for") :]
        sentence = " ".join(notice.partition("</p>")[0].split())
        assert sentence == (
            "written for 93 BPM, no key, loop, drums. The sample's values have changed since then."
        )
        link = re.search(r'href="([^"]+)">Describe again', notice)
        assert link is not None
        assert as_owner.get(link.group(1)).status_code == 200
        as_owner.post(f"/samples/{told.id}/revert")
        assert "written for" not in page_of(as_owner, told)

    def test_a_running_description_is_named_instead_of_the_link(
        self, as_owner: Browser, told: Sample
    ) -> None:
        corrected(as_owner, told, bpm="186")
        as_owner.post("/again/jobs", purpose="describe", sample=told.id)
        notice = page_of(as_owner, told).partition("written for")[2].partition("</div>")[0]
        assert "It is being described again" in notice
        assert "Describe again" not in notice

    def test_a_difference_too_small_to_show_is_ignored(self, as_owner: Browser, told: Sample) -> None:
        with transaction():
            told.correct(bpm=(told.bpm or 0) + 0.01)
        assert "written for" not in page_of(as_owner, told)

    def test_descriptions_without_figures_are_never_outdated(self, as_owner: Browser, loop: Sample) -> None:
        corrected(as_owner, loop, bpm="186")
        assert "written for" not in page_of(as_owner, loop)
