"""The live job cards: one poll for all, unchanged answers nothing, the last one stops."""

from __future__ import annotations

import re

from app.jobs import claim, run
from tests.support import Browser, kick, uploaded_job

HTMX = {"HX-Request": "true"}


def poll_address(page: str) -> str:
    found = re.search(r'id="jobs"[^>]*hx-get="([^"]+)"', page)
    assert found is not None
    return found.group(1).replace("&amp;", "&")


def test_a_poll_answers_nothing_until_something_changed_and_then_ends(as_owner: Browser) -> None:
    uploaded_job(as_owner, "kick.wav", kick())
    address = poll_address(as_owner.get("/upload").text)
    assert as_owner.get(address, headers=HTMX).status_code == 204
    held = claim.next_job()
    assert held is not None
    claim.remember(held, "decoded")
    moved = as_owner.get(address, headers=HTMX)
    assert moved.status_code == 200
    assert "Listening for tempo, key and sound." in moved.text
    assert "1 in progress" in moved.text


def test_the_last_answer_stops_the_polling(as_owner: Browser) -> None:
    uploaded_job(as_owner, "kick.wav", kick())
    address = poll_address(as_owner.get("/upload").text)
    run.run_next()
    done = as_owner.get(address, headers=HTMX)
    assert done.status_code == 286
    assert "hx-trigger" not in done.text
    assert "SP-404 WAV" in done.text


def test_nothing_in_progress_polls_nothing(as_owner: Browser) -> None:
    assert 'hx-trigger="every' not in as_owner.get("/upload").text


def test_only_delayed_jobs_are_asked_for_seldom(as_freeloader: Browser) -> None:
    uploaded_job(as_freeloader, "kick.wav", kick())
    assert 'hx-trigger="every 60s"' in as_freeloader.get("/upload").text


def test_cards_show_only_ones_own_jobs(as_owner: Browser, as_stranger: Browser) -> None:
    uploaded_job(as_owner, "secret.wav", kick())
    assert "secret.wav" not in as_stranger.get("/upload").text


def test_what_is_decoded_can_be_played_before_it_is_finished(as_owner: Browser, as_stranger: Browser) -> None:
    job = uploaded_job(as_owner, "kick.wav", kick())
    assert as_owner.get(f"/jobs/{job.id}/audio").status_code == 404
    held = claim.next_job()
    assert held is not None
    claim.remember(held, "decoded", sp404_key=held.sp404_key)
    assert as_owner.get(f"/jobs/{job.id}/audio").status_code == 302
    assert as_stranger.get(f"/jobs/{job.id}/audio").status_code == 404
