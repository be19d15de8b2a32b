"""Measure how long a claim takes with 100 and with 100,000 waiting jobs, and print its query plan.

Beside each claim, one `UPDATE … RETURNING` by the primary key of the same table is timed in the same way.

python -m benchmarks.claim_time [--database postgresql://…] [--rows 100000]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import event, text

from app import create_app
from app.config import Settings
from app.extensions import db
from app.jobs import claims
from app.models import Job, Subscription, User
from app.models.base import transaction, utcnow
from benchmarks.tables import Table, add_document_option, show_tables
from tests.support import waiting_jobs

FEW_JOBS, MANY_JOBS, TIMED_CLAIMS = 100, 100_000, 60
SECRET = "a secret for measuring, long enough to be taken"
ONE_UPDATE = text("UPDATE processing_jobs SET state = 'cancelled' WHERE id = :job_id RETURNING id")
Times = tuple[float, float]  # in ms: a claim, and one update


def main() -> None:
    """Print and document the medians of each situation and their ratios, and print the plans."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database")
    parser.add_argument("--rows", type=int, default=MANY_JOBS)
    add_document_option(parser)
    options = parser.parse_args()
    backend = "PostgreSQL" if options.database else "SQLite"
    with TemporaryDirectory() as folder, open_app(Path(folder), options.database):
        rows = []
        for name, measure in CASES.items():
            (few, _), (many, update_ms) = (measure(count) for count in (FEW_JOBS, options.rows))
            ratios = f"{many / few:.2f}", f"{many / update_ms:.1f}"
            rows.append((name, few, many, ratios[0], update_ms, ratios[1]))
            print(rows[-1], flush=True)
        header = (backend, "100 waiting, ms", "100,000, ms", "ratio", "one UPDATE, ms", "claim : UPDATE")
        show_tables([Table(f"claims-{backend.lower()}", header, rows)], options.document)
        print("\n".join(claim_query_plans()))


@contextmanager
def open_app(folder: Path, database: str | None) -> Iterator[Flask]:
    """Yield an app on a migrated database of its own."""
    values = {"DATA_DIR": str(folder), "SECRET_KEY": SECRET}
    values |= {"DATABASE_URL": database} if database else {}
    app = create_app(Settings.from_env(values))
    with app.app_context():
        upgrade()
        yield app
        db.session.remove()
        db.engine.dispose()


def one_user(rows: int) -> Times:
    """Time claims when all waiting jobs are one user's."""
    add_waiting_jobs(add_member("one"), rows)
    return _median_ms()


def a_hundred_users(rows: int) -> Times:
    """Time claims when a hundred users wait with equally many jobs."""
    for number in range(100):
        add_waiting_jobs(add_member(str(number)), max(rows // 100, 2))
    return _median_ms()


def behind_a_full_user(rows: int) -> Times:
    """Time claims when a user at the limit has nearly every waiting job, all due before the others'."""
    full = add_member("full")
    add_waiting_jobs(full, rows - 50)
    while claims.claim_next() is not None:
        pass
    for number in range(50):
        waiting_jobs(add_member(str(number)), 5)
    return _median_ms()


def all_delayed(rows: int) -> Times:
    """Time claims when all free jobs are due in twelve hours and a few paid ones are due now."""
    add_waiting_jobs(add_member("free", None), rows, run_at=utcnow() + timedelta(hours=12))
    waiting_jobs(add_member("paid"), TIMED_CLAIMS + 10)
    return _median_ms()


CASES = {
    "one user": one_user,
    "a hundred users": a_hundred_users,
    "behind a full user": behind_a_full_user,
    "all but a few delayed": all_delayed,
}


def add_waiting_jobs(user: User, count: int, **values: Any) -> None:
    """Add many waiting jobs, copied from one by the database: sending 100,000 rows would take a minute."""
    (job_id,) = waiting_jobs(user, 1, **values)
    names = [column.name for column in Job.__table__.columns if column.name != "id"]
    columns = ", ".join(names)
    copies = (
        "WITH RECURSIVE numbers(number) AS "
        "(SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < :count) "
        f"INSERT INTO processing_jobs (id, {columns}) "
        f"SELECT substr(id, 1, 18) || CAST(10000000 + number AS VARCHAR(8)), {columns} "
        "FROM processing_jobs, numbers WHERE id = :job_id"
    )
    if db.engine.dialect.name == "postgresql":  # the two want the WITH clause in different places
        head, _, rest = copies.partition("INSERT INTO")
        into, _, select_ = rest.partition("SELECT substr")
        copies = f"INSERT INTO{into}{head}SELECT substr{select_}"
    with transaction() as session:
        session.execute(text(copies), {"count": count - 1, "job_id": job_id})


def add_member(name: str, plan: str | None = "pro") -> User:
    """Add a user on a plan, or without a subscription."""
    user = User(email=f"{name}@example.com")
    user.subscription = Subscription(plan=plan, status="active") if plan else None
    with transaction() as session:
        session.add(user)
    return user


def _median_ms() -> Times:
    """Return the medians of claims in a row and of the updates between them, and empty the tables.

    After each claim its job is moved out of the way by the update.
    """
    _analyze()
    taken: list[float] = []
    updates: list[float] = []
    for number in range(TIMED_CLAIMS + 5):
        start = time.perf_counter()
        held = claims.claim_next()
        ended = time.perf_counter()
        assert held is not None
        update_start = time.perf_counter()
        with transaction() as session:
            session.execute(ONE_UPDATE, {"job_id": held.job_id}).one()
        update_end = time.perf_counter()
        if number >= 5:
            taken.append(1000 * (ended - start))
            updates.append(1000 * (update_end - update_start))
    with transaction() as session:
        for table in ("job_attempts", "processing_jobs", "batches", "api_usage", "subscriptions", "users"):
            session.execute(text(f"DELETE FROM {table}"))
    return statistics.median(taken), statistics.median(updates)


def _analyze() -> None:
    """Let the database count its rows, so that it plans for them, and forget those of the case before."""
    db.session.commit()
    statement = "VACUUM ANALYZE" if db.engine.dialect.name == "postgresql" else "ANALYZE"
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))


def claim_query_plans() -> list[str]:
    """Return the plan of every query that a claim makes behind a full user with many waiting jobs."""
    add_waiting_jobs(add_member("full"), 5_000)
    while claims.claim_next() is not None:
        pass
    waiting_jobs(add_member("other"), 5)
    _analyze()
    seen: list[tuple[str, object]] = []

    def see(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        """Remember a query."""
        if statement.startswith(("SELECT", "WITH", "UPDATE")):
            seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", see)
    claims.claim_next()
    event.remove(db.engine, "before_cursor_execute", see)
    explain = "EXPLAIN QUERY PLAN " if db.engine.dialect.name == "sqlite" else "EXPLAIN "
    lines = []
    with db.engine.connect() as connection:
        for statement, parameters in seen:
            lines.append("\n" + " ".join(statement.split())[:300])
            rows = connection.exec_driver_sql(explain + statement, parameters)
            lines += [f"    {row[-1]}" for row in rows]
    return lines


if __name__ == "__main__":
    main()
