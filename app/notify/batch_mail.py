"""Compose the mail about a finished batch, from what is true when it is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from flask import render_template
from sqlalchemy import select

from app.extensions import db
from app.integrations.mailer import Mail
from app.models import Job, OutboxMessage, User
from app.models.base import utcnow
from app.models.job import COMPLETED, FAILED
from app.notify.external_urls import external_url
from app.plurals import pluralize

MAX_LISTED = 20


class BatchWording(NamedTuple):
    """The words for one purpose of jobs: "2 samples are ready", "1 file could not be processed"."""

    noun: str
    done: str
    failed: str
    verbs: tuple[str, str] = ("is", "are")
    min_wait_s: float = 0.0  # jobs that took less long are not told by mail
    made: str = "sample"  # what finished jobs are called
    address: Callable[[Job], str] | None = None  # of what a finished job made, other than a sample
    is_told: Callable[[Job], bool] = lambda _: True  # whether no other mail tells of this job
    sentences: Callable[[Job], Sequence[str]] = lambda _: ()  # what came of a finished job


# Filled from the table of job purposes, see `app.jobs.purposes`.
WORDING_BY_PURPOSE: dict[str, BatchWording] = {}


def is_told_by_mail(job: Job) -> bool:
    """Return whether a mail tells of the end of such jobs."""
    wording = WORDING_BY_PURPOSE.get(job.purpose)
    if wording is None or not wording.is_told(job):
        return False
    took_s = ((job.finished_at or utcnow()) - job.created_at).total_seconds()
    return took_s >= wording.min_wait_s


def compose(message: OutboxMessage) -> Mail | None:
    """Return the mail for a message, or None if the batch has nothing left to report."""
    jobs = list(
        db.session.scalars(
            select(Job).where(Job.batch_id == message.payload["batch_id"]).order_by(Job.id)
        ).unique()
    )
    done = [job for job in jobs if job.state == COMPLETED]
    failed = [job for job in jobs if job.state == FAILED]
    if not done and not failed:
        return None
    user = db.session.get_one(User, message.user_id)
    wording = WORDING_BY_PURPOSE[jobs[0].purpose]  # all jobs of a batch have the same purpose
    context: dict[str, Any] = {
        "headline": _done_sentence(wording, len(done)),
        "wording": wording,
        "done": done,
        "failed": failed,
        "is_there": lambda job: job.sample is not None and job.sample.deleted_at is None,
        "max_listed": MAX_LISTED,
        "link": external_url,
        "library_url": external_url("library.index"),
        "settings_url": external_url("auth.account_settings"),
    }
    return Mail(
        to=user.email,
        subject=_subject(wording, len(done), len(failed)),
        text=render_template("emails/batch_done.txt", **context),
        html=render_template("emails/batch_done.html", **context),
        unsubscribe_url=external_url("auth.account_settings"),
        key=message.key,
    )


def _subject(wording: BatchWording, done: int, failed: int) -> str:
    """Return a subject made of counts only: file names are users' text, and a subject is trusted."""
    if not failed:
        return _done_sentence(wording, done)
    if not done:
        return f"{pluralize(failed, wording.noun)} could not be {wording.failed}"
    verb = wording.verbs[done != 1]
    return f"{pluralize(done, wording.made)} {verb} {wording.done}, {pluralize(failed, wording.noun)} failed"


def _done_sentence(wording: BatchWording, count: int) -> str:
    one, many = wording.verbs
    if count == 1:
        return f"Your {wording.made} {one} {wording.done}"
    return f"{pluralize(count, wording.made)} {many} {wording.done}"
