"""The live job cards: one poll for all of them, which gets no content while nothing changes, and ends."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO

import pytest
import soundfile
from sqlalchemy import select, update

from app.billing import quota
from app.deduplication.comparison import compare_due_samples
from app.extensions import db
from app.jobs import actions, card_facts, card_list, claims, lease, purposes, run, workers
from app.models import DuplicateGroup, Job, Sample, User
from app.models.base import transaction, utcnow
from app.models.job import COMPLETED, PENDING
from app.reprocessing.reprocess_purposes import ANALYSE, DESCRIBE
from tests.support import Browser, drum_loop, finished_job, kick, uploaded_job, waiting_jobs

HTMX = {"HX-Request": "true", "X-Keeps-Cards": "1"}


def poll_address(page: str) -> str:
    found = re.search(r'id="jobs"[^>]*hx-get="([^"]+)"', page)
    assert found is not None
    return found.group(1).replace("&amp;", "&")


def test_a_poll_has_no_content_until_something_changes(as_owner: Browser) -> None:
    uploaded_job(as_owner, "kick.wav", kick())
    page = as_owner.get("/upload").text
    assert "1 in progress" in page
    address = poll_address(page)
    assert as_owner.get(address, headers=HTMX).status_code == 204
    held = claims.claim_next()
    assert held is not None
    lease.save_step(held, "decoded", {})
    moved = as_owner.get(address, headers=HTMX)
    assert moved.status_code == 200
    assert "Finding tempo, key and sound type." in moved.text
    assert "1 in progress" not in moved.text  # screen readers are not told what they know


def test_a_poll_sends_only_the_cards_that_changed(as_owner: Browser, owner: User) -> None:
    first, second, third = waiting_jobs(owner, 3)
    address = poll_address(as_owner.get("/jobs").text)
    held = claims.claim_next()
    assert held is not None
    moved = as_owner.get(address, headers=HTMX).text
    assert shown_cards(moved) == {first: False, second: True, third: True}
    assert 'id="quota"' not in moved
    lease.save_step(held, "decoded", {"progress": "Half of it."})
    told = as_owner.get(poll_address(moved), headers=HTMX).text
    assert "Half of it." in told
    assert shown_cards(told) == {first: False, second: True, third: True}
    actions.cancel(third)
    ended = as_owner.get(poll_address(told), headers=HTMX).text
    assert shown_cards(ended) == {first: True, second: True, third: False}
    assert 'id="quota"' in ended
    assert "2 in progress, 1 cancelled" in ended
    with transaction() as session:
        session.execute(
            update(Job).where(Job.id == third).values(finished_at=utcnow() - timedelta(minutes=9))
        )
    aged = card_list.load_cards(owner.id, poll_address(ended).partition("version=")[2])
    assert [card.id for drop in aged.drops for card in drop.cards if card.job is not None] == [third]
    assert not any(shown_cards(as_owner.get("/jobs", headers=HTMX).text).values())
    # A page that is open since an older version can't keep a card.
    whole = as_owner.get(address, headers={"HX-Request": "true"}).text
    assert not any(shown_cards(whole).values())


def shown_cards(page: str) -> dict[str, bool]:
    """Return for each card by its job's id whether it is only said to be as the browser shows it."""
    cards = re.findall(r'<article(?: class="card \w+")? id="job-(\w+)"( data-unchanged)?>', page)
    return {job_id: bool(unchanged) for job_id, unchanged in cards}


def test_the_poll_that_shows_the_last_finished_job_stops_polling(as_owner: Browser) -> None:
    uploaded_job(as_owner, "kick.wav", kick())
    address = poll_address(as_owner.get("/upload").text)
    run.run_next()
    compare_due_samples()
    done = as_owner.get(address, headers=HTMX)
    assert done.status_code == 286
    assert "hx-trigger" not in done.text
    assert "SP-404MKII WAV" in done.text


def test_the_cards_wait_for_a_new_sample_to_be_compared_and_tell_of_duplicates(as_owner: Browser) -> None:
    finished_job(as_owner, "first.wav", kick())
    compare_due_samples()
    finished_job(as_owner, "again.wav", kick())
    page = as_owner.get("/jobs").text
    assert 'hx-trigger="every 3s"' in page
    assert "already in your library" not in page
    address = poll_address(page)
    assert as_owner.get(address, headers=HTMX).status_code == 204
    compare_due_samples()
    told = as_owner.get(address, headers=HTMX)
    assert told.status_code == 286
    assert re.search(r"1</span> of these is already in your library", told.text)
    (group_id,) = db.session.scalars(select(DuplicateGroup.id)).all()
    assert told.text.count(f'href="/duplicates/{group_id}"') == 1  # not on the card of the first one
    assert "1 already in your library" in told.text  # for screen readers


def test_the_cards_stop_waiting_for_a_comparison_after_two_minutes(as_owner: Browser) -> None:
    job = finished_job(as_owner, "kick.wav", kick())
    assert 'hx-trigger="every 3s"' in as_owner.get("/jobs").text
    with transaction():
        job.finished_at = utcnow() - timedelta(minutes=2, seconds=1)
    assert 'hx-trigger="every' not in as_owner.get("/jobs").text


def test_cards_are_of_unfinished_jobs_and_of_those_that_ended_lately(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = utcnow()
    waiting_jobs(owner, 1, purpose=next(iter(purposes.preview_names())))
    shown = waiting_jobs(owner, 1)
    for minutes_ago in (29, 31):
        ended = {"state": COMPLETED, "finished_at": now - timedelta(minutes=minutes_ago)}
        shown += waiting_jobs(owner, 1, **ended)
    facts = card_facts.find_facts(owner.id)
    assert [row.id for row in facts] == shown[:2]
    monkeypatch.setattr(card_facts, "MAX_CARDS", 2)  # there may be more than the list has
    assert card_facts.count_states(owner.id, facts) == {PENDING: 1, COMPLETED: 1}


def test_a_page_without_unfinished_jobs_does_not_poll(as_owner: Browser) -> None:
    assert 'hx-trigger="every' not in as_owner.get("/upload").text


def test_a_page_with_only_delayed_jobs_polls_once_a_minute(as_freeloader: Browser) -> None:
    uploaded_job(as_freeloader, "kick.wav", kick())
    assert 'hx-trigger="every 60s"' in as_freeloader.get("/upload").text


def test_cards_show_only_the_users_own_jobs(as_owner: Browser, as_stranger: Browser) -> None:
    uploaded_job(as_owner, "secret.wav", kick())
    assert "secret.wav" not in as_stranger.get("/upload").text


def test_a_decoded_sound_can_be_played_before_its_job_is_finished(
    as_owner: Browser, as_stranger: Browser
) -> None:
    job = uploaded_job(as_owner, "kick.aif", encoded("AIFF"))
    assert as_owner.get(f"/jobs/{job.id}/audio").status_code == 404
    assert "Browsers can't play AIFF: it plays here once it is decoded." in as_owner.get("/jobs").text
    held = claims.claim_next()
    assert held is not None
    lease.save_step(held, "decoded", {"sp404_key": held.sp404_key})
    assert as_owner.get(f"/jobs/{job.id}/audio").status_code == 302
    assert as_stranger.get(f"/jobs/{job.id}/audio").status_code == 404


@pytest.mark.parametrize(
    ("kind", "mime"), [("WAV", "audio/wav"), ("FLAC", "audio/flac"), ("OGG", "audio/ogg")]
)
def test_a_waiting_file_plays_as_it_was_uploaded(
    as_freeloader: Browser, as_stranger: Browser, kind: str, mime: str
) -> None:
    content = encoded(kind)
    job = uploaded_job(as_freeloader, f"kick.{kind}", content)
    address = f"/jobs/{job.id}/audio"
    page = as_freeloader.get("/upload").text
    assert f'data-src="{address}"' in page
    assert "You can play it now." in page
    media = as_freeloader.get(as_freeloader.get(address).headers["Location"])
    assert (media.data, media.mimetype) == (content, mime)
    assert as_stranger.get(address).status_code == 404
    as_freeloader.post(f"/jobs/{job.id}/cancel")
    assert as_freeloader.get(address).status_code == 404


def encoded(kind: str) -> bytes:
    samples, rate = soundfile.read(BytesIO(kick()))
    file = BytesIO()
    soundfile.write(file, samples, rate, format=kind)
    return file.getvalue()


def test_one_press_cancels_what_is_left_of_a_drop(
    as_owner: Browser, as_stranger: Browser, owner: User
) -> None:
    batch = {"batch": "2b0d7b3d-7f6c-4a44-9a0e-0d8a2b9f4a10", "batch_files": 3}
    for number in range(3):
        as_owner.upload((f"{number}.wav", drum_loop(90 + number)), **batch)
    other = uploaded_job(as_owner, "other.wav", kick())
    run.run_next()
    page = as_owner.get("/jobs").text
    assert page.count('aria-label="Finished files"') == 1
    address = f"/jobs/batches/{batch['batch']}/cancel"
    assert f'hx-post="{address}"' in page
    assert as_stranger.post(address).status_code == 404
    for _ in range(2):
        assert as_owner.post(address).status_code == 303
    jobs = db.session.scalars(select(Job).order_by(Job.id)).all()
    assert [job.state for job in jobs] == ["completed", "cancelled", "cancelled", "pending"]
    assert jobs[-1].id == other.id
    assert quota.plan_usage(owner).uploads == 2


def test_a_file_keeps_its_place_in_the_list_of_its_drop(as_owner: Browser) -> None:
    batch = {"batch": "2b0d7b3d-7f6c-4a44-9a0e-0d8a2b9f4a10", "batch_files": 3}
    for number in range(3):
        as_owner.upload((f"file {number}.wav", kick() + bytes(number)), **batch)
    before = re.findall(r"Play (file \d)", as_owner.get("/jobs").text)
    run.run_next()
    assert re.findall(r"Play (file \d)", as_owner.get("/jobs").text) == before
    assert before == ["file 0", "file 1", "file 2"]


def test_each_card_says_what_its_job_did_and_when(as_owner: Browser) -> None:
    job = finished_job(as_owner, "kick.wav", kick())
    sample = db.session.get_one(Sample, job.sample_id)
    with transaction():
        sample.correct(description="A short thump.")
    for purpose in (ANALYSE, DESCRIBE):
        as_owner.post("/again/jobs", purpose=purpose, sample=sample.id)
    assert told(as_owner) == [
        "New analysis requested, just now",
        "New description requested, just now",
        "Uploaded, just now",
    ]
    with transaction() as session:
        then = utcnow() - timedelta(minutes=12)
        session.execute(update(Job).where(Job.id == job.id).values(finished_at=then))
    run.run_next()
    run.run_next()
    assert told(as_owner) == [
        "Analysed again, just now",
        "Described again, just now",
        "Uploaded, 12 minutes ago",
    ]
    page = as_owner.get("/jobs").text
    assert page.count("A short thump.") == 1
    assert page.count("one-shot · kick") == 2
    assert re.search(r'<time datetime="20\d\d-[^"]+" title="\d+ [A-Z][^"]+">12 minutes ago</time>', page)


def told(browser: Browser) -> list[str]:
    lines = re.findall(r'<p class="hint">(.*?</time>)</p>', browser.get("/jobs").text)
    return sorted(re.sub(r"<[^>]+>", "", line).replace(" · ", ", ") for line in lines)


def test_a_waiting_card_says_what_the_job_waits_for(as_owner: Browser, owner: User) -> None:
    uploaded_job(as_owner, "kick.wav", kick())
    assert "Processing is paused right now." in as_owner.get("/jobs").text
    workers.send_heartbeat()
    page = as_owner.get("/jobs").text
    assert "Starting up." in page
    address = poll_address(page)
    assert as_owner.get(address, headers=HTMX).status_code == 204
    waiting_jobs(owner, 1, state="processing")
    assert "Waiting for its turn." in as_owner.get(address, headers=HTMX).text


def test_a_delayed_card_says_nothing_about_workers(as_freeloader: Browser) -> None:
    uploaded_job(as_freeloader, "kick.wav", kick())
    page = as_freeloader.get("/jobs").text
    assert "On the Free plan, uploads wait" in page
    assert "Processing is paused" not in page
