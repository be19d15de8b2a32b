"""A real consumer whose engine is another function: huey_consumer tests.queue.worker.huey"""

from __future__ import annotations

import os

import tasks  # noqa: F401 - every task has to be known to the consumer
from app.audio.sandbox import Sandbox
from app.jobs import engine
from app.queue import huey

__all__ = ["huey"]

engine.SANDBOX = Sandbox(f"tests.queue.entries:{os.environ['QUEUE_TEST_ENTRY']}")
