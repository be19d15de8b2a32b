"""The one queue. A message in it only wakes a worker, which claims the best ready job from the database."""

from __future__ import annotations

import os

from huey import Huey, PriorityRedisExpireHuey, SqliteHuey

from app.config import Settings

# The highest runs first. Housekeeping takes moments and wakes delayed jobs, so no backlog may hold it up.
HOUSE_PRIORITY, PAID_PRIORITY, FREE_PRIORITY = 1000, 100, 10


def build_queue(settings: Settings) -> Huey:
    """Build the queue: on Redis where it is set up, otherwise in a SQLite file of its own."""
    if settings.redis_url:
        return PriorityRedisExpireHuey("sp404", url=settings.redis_url, results=False)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return SqliteHuey("sp404", filename=str(settings.data_dir / "queue.db"), strict_fifo=True, results=False)


huey = build_queue(Settings.from_env(os.environ))
