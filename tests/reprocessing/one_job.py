"""A worker process that runs one job as soon as a line comes in."""

from __future__ import annotations

import sys

from app import create_app
from app.jobs import run

if __name__ == "__main__":
    with create_app().app_context():
        print("ready", flush=True)
        sys.stdin.readline()
        run.run_next()
