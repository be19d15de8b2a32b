"""Measure what a thousand samples cost: `python -m benchmarks.sample_cost --files 120`.

Whole jobs of generated sounds, from the stored upload to the finished sample, with the database and the
store in a folder. The processor time is of this process and of the engine's children, the bytes are those
in the store. Descriptions come from rules.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from io import BytesIO
from pathlib import Path
from uuid import uuid4

from flask_migrate import upgrade
from sqlalchemy import func, select

from app import create_app
from app.config import Settings
from app.engine import dispatch
from app.extensions import db
from app.jobs import run
from app.models import Batch, Job, Subscription, User
from app.models.base import transaction
from app.upload import intake
from tests.support import chord, drum_loop, kick

A_BATCH = 20


def main() -> None:
    """Print the figures of each kind of sound, and of their mixture for a thousand samples."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=120)
    count = parser.parse_args().files
    with tempfile.TemporaryDirectory(prefix="sp404-cost-") as folder:
        settings = Settings.from_env({"DATA_DIR": folder, "FREE_TIER_DELAY_S": "0"})
        app = create_app(settings)
        with app.app_context():
            upgrade()
            measure(count, Path(folder))
        dispatch.WORKER_SANDBOX.close()  # its processor time counts once it has ended


def measure(count: int, folder: Path) -> None:
    """Run the jobs and print a table."""
    user = User(email="cost@example.com")
    user.subscription = Subscription(plan="enterprise", status="active")
    with transaction() as session:
        session.add(user)
    dispatch.warm_up()
    upload(user, [("warm.wav", kick())])
    run.run_next()
    print("| 1,000 sounds | seconds of audio each | CPU seconds | elapsed seconds, one slot | GB stored |")
    print("|---|---|---|---|---|")
    kinds = {
        "hits of 0.3 s": (0.3, lambda n: kick() + bytes(2 * n)),
        "loops of 5 s": (8 * 60 / 93, lambda n: drum_loop(80 + n % 60)),
        "chords of 30 s": (30.0, lambda n: chord((220.0 + n, 277.2, 329.6), 30.0)),
    }
    for name, (length_s, make) in kinds.items():
        files = [(f"{name} {n}.wav", make(n)) for n in range(max(count // len(kinds), 1))]
        before, cpu, started = stored_bytes(folder), cpu_s(), time.monotonic()
        upload(user, files)
        while run.run_next() is not None:
            pass
        share = 1000 / len(files)
        spent = f"{(cpu_s() - cpu) * share:,.0f} | {(time.monotonic() - started) * share:,.0f}"
        print(f"| {name} | {length_s:.1f} | {spent} | {(stored_bytes(folder) - before) * share / 1e9:.2f} |")
    done = db.session.scalar(select(func.count()).where(Job.state == "completed"))
    print(f"\n{done} jobs completed.")


def upload(user: User, files: list[tuple[str, bytes]]) -> None:
    """Upload files in batches, as the upload page does."""
    for start in range(0, len(files), A_BATCH):
        batch_id, part = str(uuid4()), files[start : start + A_BATCH]
        with transaction() as session:
            session.add(Batch(id=batch_id, user_id=user.id, expected=len(part)))
        for name, content in part:
            intake.accept_upload(user, BytesIO(content), name, batch_id)


def stored_bytes(folder: Path) -> int:
    """Return the size of every object in the store."""
    return sum(path.stat().st_size for path in (folder / "store").rglob("*") if path.is_file())


def cpu_s() -> float:
    """Return the processor time of this process and of all that it started, also those still running."""
    own, ended = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime + running_children_s(os.getpid())


def running_children_s(pid: int) -> float:
    """Return the processor time of a process's children, with that of the children that they waited for."""
    found = 0.0
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            fields = Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()
            found += sum(int(each) for each in fields[11:15]) / os.sysconf("SC_CLK_TCK")
            found += running_children_s(int(child))
    return found


if __name__ == "__main__":
    main()
