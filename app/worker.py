"""Build the app that tasks run in. A worker starts here: huey_consumer app.worker.huey"""

from __future__ import annotations

import os

import tasks
from app import create_app, tracing
from app.config import Settings
from app.jobs import task_context
from app.queue import huey

__all__ = ["huey", "tasks"]

_settings = Settings.from_env(os.environ)
tracing.configure_tracing(_settings, "worker")
task_context.set_app(create_app(_settings))
