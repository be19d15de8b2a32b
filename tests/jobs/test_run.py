"""One attempt at a job with the real engine: its steps, how it ends, and what is left behind.

All of it holds both for an engine in this process and for one in another process over HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from app.billing import quota
from app.engine import dispatch
from app.extensions import db, settings
from app.integrations.storage import StorageError, open_store
from app.jobs import failures, measure_step, run, transitions
from app.jobs.lease import Claim
from app.jobs.transitions import Transition
from app.models import Attempt, Job, Sample, Usage, User
from app.models.base import transaction, utcnow
from app.sandbox.errors import EngineCrashed, EngineTimeout
from app.sandbox.runner import Sandbox
from tests.live import EngineProcess, served
from tests.support import Browser, chord, drum_loop, finished_job, kick, uploaded_job, wav
from tests.upload.test_upload import files_kept


@pytest.fixture(params=["here", "served"])
def environ(environ: dict[str, str], request: pytest.FixtureRequest) -> dict[str, str]:
    if request.param == "here":
        return environ
    served: EngineProcess = request.getfixturevalue("engine_process")
    return environ | served.for_workers


@pytest.fixture(autouse=True)
def web(app: Flask) -> Iterator[None]:
    """Serve the files of the disk store to an engine that fetches them by signed links."""
    with served(app) if settings().engine_url else nullcontext():
        yield


def test_a_drum_loop_becomes_a_sample_with_tempo_kind_and_description(as_owner: Browser) -> None:
    job = finished_job(as_owner, "Dusty break.wav", drum_loop(93))
    assert (job.state, job.step, job.error) == ("completed", "ready", None)
    sample = db.session.get_one(Sample, job.sample_id)
    assert sample.name == "Dusty break"
    assert sample.kind == "loop"
    assert sample.bpm == pytest.approx(93, abs=0.5)
    assert sample.key is None
    assert len(sample.bars) == 64
    assert len(sample.features.peaks) == 800
    assert "93 BPM" in sample.vibe["description"]
    assert not sample.vibe["character"], "a loop has none"
    assert sample.features.measured["spectral"]["centroid_hz"]["mean"] > 100


def test_a_chord_becomes_a_sample_with_its_key(as_owner: Browser) -> None:
    sample = db.session.get_one(Sample, finished_job(as_owner, "pad.wav", chord()).sample_id)
    assert sample.key == "C minor"


def test_the_original_is_kept_unchanged_beside_the_units_wav(as_owner: Browser) -> None:
    content = kick()
    job = finished_job(as_owner, "kick.wav", content)
    sample = db.session.get_one(Sample, job.sample_id)
    store = settings().data_dir / "store"
    assert (store / sample.original_key).read_bytes() == content
    info = soundfile.info(store / sample.sp404_key)
    assert (info.samplerate, info.subtype, info.format) == (48000, "PCM_16", "WAV")
    assert sorted(str(path.relative_to(store)) for path in files_kept()) == sorted(
        [sample.original_key, sample.sp404_key]
    )


def zero_channels() -> bytes:
    header = bytearray(kick())
    header[22:24] = b"\0\0"
    return bytes(header)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("truncated.wav", wav(np.random.default_rng(1).uniform(-0.5, 0.5, 500_000))[:9000]),
        ("header only.wav", kick()[:44]),
        ("no channels.wav", zero_channels()),
        ("not numbers.wav", wav(np.full(44100, np.nan, dtype=np.float32), subtype="FLOAT")),
    ],
)
def test_a_bad_file_fails_at_once_with_a_sentence_and_is_not_charged(
    as_owner: Browser, owner: User, name: str, content: bytes
) -> None:
    job = finished_job(as_owner, name, content)
    assert (job.state, job.attempt) == ("failed", 1)
    assert job.error
    assert job.error.endswith(".")
    assert "Traceback" not in job.error
    now = quota.plan_usage(owner)
    assert (now.uploads, now.storage_bytes) == (0, 0)
    assert files_kept() == []
    assert db.session.scalar(select(func.count()).select_from(Sample)) == 0


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        (EngineCrashed("signal 11"), "Processing stopped unexpectedly on this file."),
        (EngineTimeout("300 s"), "It took longer than 300 seconds."),
        (RuntimeError("boom"), "Something went wrong on our side."),
    ],
)
def test_a_job_that_breaks_is_tried_three_times_and_then_fails_uncharged(
    as_owner: Browser, owner: User, monkeypatch: pytest.MonkeyPatch, trouble: Exception, sentence: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise trouble

    monkeypatch.setattr(dispatch, "process_file", broken)
    job = uploaded_job(as_owner, "kick.wav", kick())
    for attempt, wait_s in ((1, 30), (2, 120)):
        before = utcnow()
        ending = run.run_next()
        after = utcnow()
        assert ending is not None
        assert ending.state == "pending"
        db.session.refresh(job)
        assert job.attempt == attempt
        assert before + timedelta(seconds=wait_s * 0.75) <= job.run_at
        assert job.run_at <= after + timedelta(seconds=wait_s * 1.25)
        assert run.run_next() is None  # not before it is due
        with transaction() as session:
            session.execute(update(Job).values(run_at=utcnow() - timedelta(seconds=1)))
    run.run_next()
    db.session.refresh(job)
    assert (job.state, job.attempt) == ("failed", 3)
    assert (job.error or "").startswith(sentence)
    assert quota.plan_usage(owner).uploads == 0
    assert [path.name for path in files_kept()] == [Path(str(job.incoming_key)).name]  # for another try


@pytest.mark.parametrize(
    ("name", "exit_status"), [("segfault", -11), ("hang_with_grandchild", -9), ("hoard", 1)]
)
def test_a_child_that_crashes_costs_one_try_and_leaves_nothing_behind(
    as_owner: Browser, monkeypatch: pytest.MonkeyPatch, name: str, exit_status: int
) -> None:
    """A real child that crashes, hangs or takes too much memory; then the same job by the real engine."""
    job, broken = (
        uploaded_job(as_owner, f"{name}.wav", kick()),
        Sandbox("tests.engine.misbehaving_child:analyse_or_misbehave"),
    )
    soon = settings().model_copy(update={"job_limit_s": 1.0})
    with monkeypatch.context() as patched:
        patched.setattr(dispatch, "WORKER_SANDBOX", broken)
        patched.setattr(run, "settings", lambda: soon)
        patched.setattr(measure_step, "settings", lambda: soon)
        run.run_next()
    broken.close()
    db.session.refresh(job)
    assert (job.state, job.attempt) == ("pending", 1)
    assert db.session.scalars(select(Attempt.exit_status)).one() == exit_status
    assert list((settings().data_dir / "tmp").iterdir()) == []
    with transaction() as session:
        values = {"run_at": utcnow() - timedelta(seconds=1), "filename": "kick.wav"}
        session.execute(update(Job).values(**values))
    run.run_next()
    db.session.refresh(job)
    assert (job.state, job.attempt) == ("completed", 2)


def test_a_retry_does_not_measure_twice(as_owner: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    job = uploaded_job(as_owner, "kick.wav", kick())
    complete = transitions.complete
    monkeypatch.setattr(transitions, "complete", lambda *_: (_ for _ in ()).throw(StorageError("away")))
    run.run_next()
    db.session.refresh(job)
    assert (job.state, job.step) == ("pending", "described")
    assert job.attempt == 0  # the store being away is no fault of the job's
    with transaction() as session:
        session.execute(update(Job).values(run_at=utcnow()))
    monkeypatch.setattr(transitions, "complete", complete)
    monkeypatch.setattr(dispatch, "process_file", lambda *_, **__: pytest.fail("measured again"))
    run.run_next()
    db.session.refresh(job)
    assert job.state == "completed"


def test_a_database_that_restarts_costs_no_try(as_owner: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is away when the job ends, and for the first two attempts to postpone it."""
    job, away = uploaded_job(as_owner, "kick.wav", kick()), OperationalError("COMMIT", {}, Exception("gone"))
    wait, answers = transitions.postpone, iter([away, away, None])

    def sometimes(held: Claim, detail: str) -> Transition:
        if (trouble := next(answers)) is not None:
            raise trouble
        return wait(held, detail)

    monkeypatch.setattr(failures, "DATABASE_PAUSES_S", (0, 0, 0))
    monkeypatch.setattr(transitions, "complete", lambda *_: (_ for _ in ()).throw(away))
    monkeypatch.setattr(transitions, "postpone", sometimes)
    run.run_next()
    db.session.refresh(job)
    assert (job.state, job.step, job.attempt) == ("pending", "described", 0)


def test_a_job_whose_file_is_away_for_days_fails(as_owner: Browser, owner: User) -> None:
    job = uploaded_job(as_owner, "kick.wav", kick())
    open_store(settings()).delete(str(job.incoming_key))
    assert run.run_next() is not None
    db.session.refresh(job)
    assert (job.state, job.attempt) == ("pending", 0)
    with transaction() as session:
        session.execute(update(Job).values(run_at=utcnow(), created_at=utcnow() - timedelta(days=4)))
    run.run_next()
    db.session.refresh(job)
    assert (job.state, job.error) == (
        "failed",
        "We couldn't get the file back from our storage. Upload it again.",
    )
    assert quota.plan_usage(owner).uploads == 0


@pytest.mark.parametrize("format_", ["WAV", "AIFF", "FLAC", "MP3", "OGG"])
def test_every_format_gives_the_same_sample(as_owner: Browser, format_: str) -> None:
    samples, rate = soundfile.read(BytesIO(drum_loop(93)))
    file = BytesIO()
    soundfile.write(file, samples, rate, format=format_)
    job = finished_job(as_owner, f"loop.{format_.lower()}", file.getvalue())
    assert job.state == "completed", job.error
    sample = db.session.get_one(Sample, job.sample_id)
    assert sample.bpm == pytest.approx(93, abs=0.5)
    assert sample.kind == "loop"


def test_every_upload_is_one_row_of_usage(as_owner: Browser, owner: User) -> None:
    for number in range(3):
        finished_job(as_owner, f"{number}.wav", kick())
    count = select(func.count()).where(Usage.user_id == owner.id, Usage.kind == "upload")
    assert db.session.scalar(count) == 3
