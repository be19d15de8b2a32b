"""Build the app that tasks run in. A worker starts here: huey_consumer app.worker.huey"""

from __future__ import annotations

import tasks
from app import create_app
from app.jobs import task_context
from app.queue import huey

__all__ = ["huey", "tasks"]

task_context.set_app(create_app())
