"""Count downloads of shaped sounds that nobody has ordered for good: hearing is free, having is not."""

from __future__ import annotations

import hashlib

from sqlalchemy import select

from app.billing import plans, quota
from app.extensions import db
from app.jobs import purposes, reprocess
from app.models import Job, Render, Usage, User
from app.models.base import new_id, transaction, utcnow
from app.models.usage import RENDER
from app.shaping.render_purposes import RENDER_LIMIT, RENDER_PURPOSE


def count_download(user: User, render: Render) -> None:
    """Count the download of a render as a shaped sound, unless it is counted already.

    Raises DailyLimitError when the plan allows no more today.
    """
    with transaction():
        quota.lock_account(user.id)  # of two downloads at once, one is counted
        if not is_counted(user, render):
            reprocess.check_daily_limit(user, plans.plan_for_user(user), RENDER_PURPOSE, 1)
            quota.add_usage(user.id, RENDER, f"{_key(render)}:{new_id()}", 1)


def is_counted(user: User, render: Render) -> bool:
    """Return whether a download costs nothing.

    So it is when a counted job was for the same, or when equal audio with the same recipe was downloaded in
    the last 24 hours.
    """
    counted = Job.user_id == user.id, Job.purpose.in_(purposes.sharing_limit(RENDER_LIMIT))
    orders = db.session.scalars(select(Job.choices).where(Job.sample_id == render.sample_id, *counted))
    if any((choices or {}).get("recipe_sha256") == render.recipe_sha256 for choices in orders):
        return True
    recent = Usage.kind == RENDER, Usage.effective_at > utcnow() - reprocess.LIMIT_WINDOW
    same = Usage.user_id == user.id, Usage.entry_key.startswith(f"{_key(render)}:")
    return db.session.scalar(select(Usage.id).where(*same, *recent).limit(1)) is not None


def _key(render: Render) -> str:
    """Return what all entries of the ledger about equal audio and the same recipe begin with."""
    both = f"{render.sample.content_sha256}:{render.recipe_sha256}"
    return f"{RENDER}:{hashlib.sha256(both.encode()).hexdigest()[:32]}"
