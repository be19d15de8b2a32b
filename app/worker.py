"""Build the app that tasks run in. A worker starts here: huey_consumer app.worker.huey"""

from __future__ import annotations

import tasks
from app import create_app
from app.queue import huey

__all__ = ["huey"]

tasks.set_app(create_app())
