"""The mails, written when they are sent from what is true then."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import render_template
from sqlalchemy import select

from app.extensions import db
from app.integrations.mailer import Mail
from app.models import Job, OutboxMessage, User
from app.models.job import COMPLETED, FAILED
from app.notify.external_urls import external_url

MAX_LISTED = 20


class BatchWording(NamedTuple):
    """What was done to the things of a batch, and what to the others could not be."""

    thing: str
    done: str
    failed: str


# Filled from the table of job purposes, see `app.jobs.purposes`.
WORDING_BY_PURPOSE: dict[str, BatchWording] = {}


def compose(message: OutboxMessage) -> Mail | None:
    """The mail for a message; None when there is nothing left to tell."""
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
    words = WORDING_BY_PURPOSE[jobs[0].purpose]  # a batch has one
    context: dict[str, Any] = {
        "words": words,
        "done": done,
        "failed": failed,
        "is_there": lambda job: job.sample is not None and job.sample.deleted_at is None,
        "most_listed": MAX_LISTED,
        "link": external_url,
        "library_url": external_url("library.index"),
        "settings_url": external_url("auth.account_settings"),
    }
    return Mail(
        to=user.email,
        subject=_subject(words, done, failed),
        text=render_template("emails/batch_done.txt", **context),
        html=render_template("emails/batch_done.html", **context),
        unsubscribe_url=external_url("auth.account_settings"),
        key=message.key,
    )


def _subject(words: BatchWording, done: list[Job], failed: list[Job]) -> str:
    """Figures only: a file's name is somebody's text, and a subject is read before anything is trusted."""
    if not failed:
        one = len(done) == 1
        return f"Your sample is {words.done}" if one else f"{len(done)} samples are {words.done}"
    if not done:
        return f"{len(failed)} {words.thing}{'' if len(failed) == 1 else 's'} could not be {words.failed}"
    return f"{len(done)} {words.done}, {len(failed)} could not be {words.failed}"
