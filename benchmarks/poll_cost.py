"""Measure what a poll of the job cards costs beside a ping, `/healthz`, in the same web process.

python -m benchmarks.poll_cost [--database postgresql://…] [--seconds 2] [--rounds 5] [--document …]
"""

from __future__ import annotations

import argparse
import re
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from app.auth import login_sessions
from app.models import User
from benchmarks.claim_time import SECRET, add_member, open_app
from benchmarks.tables import Table, add_document_option, show_tables
from benchmarks.web_rates import KeptConnection, requests_per_s, web_process
from tests.support import waiting_jobs

FEW_JOBS, MANY_JOBS = 5, 50
POLL = {"HX-Request": "true"}
VERSION = re.compile(rb"/jobs\?version=(\w+)")


def main() -> None:
    """Print and document requests a second, each beside the ping of the same round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5)
    add_document_option(parser)
    options = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        with open_app(folder, options.database) as app:
            cookies = {jobs: _sign_in(app, jobs) for jobs in (FEW_JOBS, MANY_JOBS)}
        own = {"DATA_DIR": name, "SECRET_KEY": SECRET, "WEB_CONCURRENCY": "1"}
        own |= {"DATABASE_URL": options.database} if options.database else {}
        with web_process(folder, **own) as url:
            rows = _measure(url, cookies, options.seconds, options.rounds)
    backend = "PostgreSQL" if options.database else "SQLite"
    header = (backend, "requests a second", "ping in the same round", "ratio")
    show_tables([Table(f"polls-{backend.lower()}", header, rows)], options.document)


def _measure(
    url: str, cookies: dict[int, str], seconds: float, rounds: int
) -> list[tuple[str, float, float, str]]:
    """Return for each kind of request the medians of its rate, of the ping's and of their ratio."""
    asked: dict[str, tuple[str, dict[str, str]]] = {}
    for jobs, cookie in cookies.items():
        signed_in = {"Cookie": cookie}
        with KeptConnection(url) as connection:
            found = VERSION.search(connection.get("/jobs", signed_in)[1])
        assert found is not None
        version = found[1].decode()
        asked[f"poll, {jobs} jobs, unchanged"] = f"/jobs?version={version}", signed_in | POLL
        asked[f"poll, {jobs} jobs, changed"] = "/jobs?version=other", signed_in | POLL
        asked[f"whole page, {jobs} jobs"] = "/jobs", signed_in
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
    for _ in range(rounds):
        for name, (path, headers) in asked.items():
            ping = requests_per_s(url, "/healthz", {}, seconds)
            requests_per_s(url, path, headers, 0.1)  # the process has seen these cards
            rates[name].append((requests_per_s(url, path, headers, seconds), ping))
    return [
        (
            name,
            statistics.median(rate for rate, _ in found),
            statistics.median(ping for _, ping in found),
            f"{statistics.median(rate / ping for rate, ping in found):.2f}",
        )
        for name, found in rates.items()
    ]


def _sign_in(app: Flask, jobs: int) -> str:
    """Add a member with waiting jobs, and return the cookie of their browser."""
    member: User = add_member(f"{jobs}-jobs")
    waiting_jobs(member, jobs)
    session = {"_user_id": login_sessions.start_session(member, "127.0.0.1", "a browser"), "_fresh": True}
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    return f"session={serializer.dumps(session)}"


if __name__ == "__main__":
    main()
