"""Resetting corrections can be undone."""

from __future__ import annotations

import re

from app.extensions import db
from app.models import Sample
from tests.library.corrections.forms import corrected, described, page_of
from tests.support import Browser, finished_job, kick


class TestUndo:
    def test_undo_restores_every_reset_correction(self, as_owner: Browser, loop: Sample) -> None:
        corrected(as_owner, loop, bpm="186", key="A minor")
        described(as_owner, loop, {"description": "Ein Schlag, über alles. " * 8, "moods-0": "sunny"})
        before = dict(loop.corrections)
        as_owner.post(f"/samples/{loop.id}/revert")
        assert loop.corrections == {}
        undo = undo_of(page_of(as_owner, loop))
        assert as_owner.post(undo).status_code == 303
        assert loop.corrections == before
        as_owner.post(f"/samples/{loop.id}/revert", field="bpm")
        as_owner.post(undo_of(page_of(as_owner, loop)))
        assert loop.corrections == before

    def test_a_newer_correction_stays(self, as_owner: Browser, loop: Sample) -> None:
        corrected(as_owner, loop, bpm="186", key="A minor")
        as_owner.post(f"/samples/{loop.id}/revert")
        undo = undo_of(page_of(as_owner, loop))
        corrected(as_owner, loop, bpm="100")
        as_owner.post(undo)
        assert loop.corrections == {"bpm": 100.0, "key": "A minor"}

    def test_undo_works_once_and_only_for_its_sample(
        self, as_owner: Browser, as_stranger: Browser, loop: Sample
    ) -> None:
        other = db.session.get_one(Sample, finished_job(as_owner, "Deep kick.wav", kick()).sample_id)
        corrected(as_owner, loop, bpm="186")
        as_owner.post(f"/samples/{loop.id}/revert")
        as_owner.post(f"/samples/{loop.id}/revert")  # a second click resets nothing and forgets nothing
        as_owner.post(f"/samples/{other.id}/corrections")
        assert "This can't be undone any more" in page_of(as_owner, other)
        as_owner.post(f"/samples/{loop.id}/corrections")
        assert "Your corrections are back." in page_of(as_owner, loop)
        assert (loop.corrections, other.corrections) == ({"bpm": 186.0}, {})
        as_owner.post(f"/samples/{loop.id}/revert", field="bpm")
        as_owner.post(f"/samples/{loop.id}/corrections")
        as_owner.post(f"/samples/{loop.id}/corrections")
        assert "This can't be undone any more" in page_of(as_owner, loop)
        assert as_stranger.post(f"/samples/{loop.id}/corrections").status_code == 404


def undo_of(page: str) -> str:
    found = re.search(r'action="([^"]+)"\s*>\s*<input[^>]*>\s*<button>Undo</button>', page)
    assert found is not None
    return found.group(1)


def test_undo_restores_a_deleted_sample(as_owner: Browser, loop: Sample) -> None:
    as_owner.post(f"/samples/{loop.id}/delete")
    assert as_owner.post(undo_of(as_owner.get("/samples").text)).status_code == 303
    assert as_owner.get(f"/samples/{loop.id}").status_code == 200
