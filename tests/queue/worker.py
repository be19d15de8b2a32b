"""A real worker whose engine is a test function: huey_consumer tests.queue.worker.huey"""

from __future__ import annotations

import os

from app.engine import dispatch
from app.sandbox.runner import Sandbox
from app.worker import huey

__all__ = ["huey"]

dispatch.WORKER_SANDBOX = Sandbox(f"tests.queue.entries:{os.environ['QUEUE_TEST_ENTRY']}")
