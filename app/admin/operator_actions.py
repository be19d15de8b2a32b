"""Load a job for an operator, and act on one job or on all that match a filter."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.admin import job_search
from app.admin.job_search import JobFilter
from app.billing.quota import QuotaExceededError
from app.extensions import db
from app.jobs import actions
from app.models import AiCall, Attempt, Job, Usage
from app.models.ownership import RowNotFoundError
from app.models.usage import AI

ACTIONS = {"retry": actions.retry, "cancel": actions.cancel, "run-now": actions.run_now}
DONE_WORDS = {"retry": "Queued again:", "cancel": "Cancelled:", "run-now": "Due now:"}
ACTIONS_BY_TAB = {
    "ready": ("cancel",),
    "delayed": ("run-now", "cancel"),
    "running": ("cancel",),
    "failed": ("retry",),
}
MAX_BULK_JOBS = 500


def get_job(job_id: str) -> Job:
    """Return a job with its user; raise RowNotFoundError when there is none."""
    found = db.session.scalar(select(Job).where(Job.id == job_id).options(joinedload(Job.user)))
    if found is None:
        raise RowNotFoundError
    return found


def job_attempts(job: Job) -> list[Attempt]:
    return list(db.session.scalars(select(Attempt).where(Attempt.job_id == job.id).order_by(Attempt.number)))


def job_ai_calls(job: Job) -> list[tuple[Usage, AiCall | None]]:
    """Return the ledger rows of a job's questions to models (keys `ai:<job>…`), each with its call.

    Rows that reserve or return money have no call.
    """
    calls = select(Usage, AiCall).outerjoin(AiCall, AiCall.usage_id == Usage.id)
    own = calls.where(Usage.user_id == job.user_id, Usage.kind == AI)
    rows = db.session.execute(own.where(Usage.entry_key.startswith(f"ai:{job.id}")).order_by(Usage.id))
    return [(entry, call) for entry, call in rows]


def possible_actions(job: Job) -> list[str]:
    """Return the names of the actions that the job's state allows."""
    checks = {
        "retry": job.may_be_retried,
        "run-now": job.is_delayed,
        "cancel": not job.is_finished,
    }
    return [name for name, can in checks.items() if can]


def act_on_job(action: str, job_id: str) -> bool:
    """Do an action to a job; return False when its state no longer allows it."""
    return ACTIONS[action](job_id)


def act_on_matching(action: str, query: JobFilter) -> tuple[int, bool]:
    """Do an action to every matching job, up to MAX_BULK_JOBS.

    Return how many jobs it was done to, and whether more of them match.
    """
    found = job_search.matching_ids(query, MAX_BULK_JOBS + 1)
    done = 0
    for job_id in found[:MAX_BULK_JOBS]:
        with suppress(QuotaExceededError):  # this owner's plan is full; go on with the others
            done += ACTIONS[action](job_id)
    return done, len(found) > MAX_BULK_JOBS
