"""Insert the job of an export: a file that is made on request and kept for some days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from app.billing import plans
from app.extensions import db
from app.jobs import purposes, reprocess, scheduler
from app.jobs.purposes import Purpose
from app.models import Batch, Job, User


def insert_job(user: User, purpose: Purpose, filename: str, choices: Mapping[str, Any]) -> Job:
    """Return an unfinished job with these choices, or a new one, in the caller's transaction.

    The caller has locked the account, and wakes a worker. Raises DailyLimitError.
    """
    for job in reprocess.unfinished_jobs_for(user, purpose.name):
        if job.choices == choices:
            return job
    plan = plans.plan_for_user(user)
    reprocess.check_daily_limit(user, plan, purpose, 1)
    batch = Batch(id=str(uuid4()), user_id=user.id, expected=1)
    db.session.add(batch)
    db.session.flush()
    job = Job(
        purpose=purpose.name,
        user_id=user.id,
        batch_id=batch.id,
        filename=filename,
        tier=plan.tier,
        priority=purposes.priority_for(plan, purpose),
        run_at=scheduler.first_run_time(plan, purpose),
        export_sp404=False,
        choices=dict(choices),
    )
    db.session.add(job)
    return job
