"""Measure what a poll of the job cards costs beside a ping, `/healthz`, in the same web process.

python -m benchmarks.poll_cost [--database postgresql://…] [--seconds 2] [--rounds 5] [--document …]
"""

from __future__ import annotations

import argparse
import hashlib
import re
import statistics
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from app.auth import login_sessions
from app.jobs.card_facts import VERSION_CHARS
from app.models import User
from benchmarks.claim_time import SECRET, add_member, open_app
from benchmarks.tables import Table, add_document_option, show_tables
from benchmarks.web_rates import KeptConnection, requests_per_s, web_process
from tests.support import waiting_jobs

FEW_JOBS, MANY_JOBS = 5, 50
POLL = {"HX-Request": "true", "X-Keeps-Cards": "1"}
VERSION = re.compile(rb"/jobs\?version=(\w+)")
OTHER = "0" * VERSION_CHARS
PAGE = "whole page"
# What the browser says that it shows, of the summary, of what stands around the cards, and of each card.
ADDRESSES: dict[str, Callable[[list[str]], list[str]]] = {
    "poll, nothing changed": lambda shown: shown,
    "poll, one job moved on": lambda shown: [*shown[:2], OTHER, *shown[3:]],
    "poll, one job ended": lambda shown: [OTHER, OTHER, OTHER, *shown[3:]],
    "poll, every card new": lambda _: [OTHER],
    PAGE: lambda _: [],
}


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
    rates: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for jobs, cookie in cookies.items():
            for name in ADDRESSES:
                ping = requests_per_s(url, "/healthz", {}, seconds)
                path, headers = _request(url, name, cookie)
                requests_per_s(url, path, headers, 0.1)  # the process has seen these cards
                rate = requests_per_s(url, path, headers, seconds)
                rates.setdefault(f"{name}, {jobs} jobs", []).append((rate, ping))
    return [
        (
            name,
            statistics.median(rate for rate, _ in found),
            statistics.median(ping for _, ping in found),
            f"{statistics.median(rate / ping for rate, ping in found):.2f}",
        )
        for name, found in rates.items()
    ]


def _request(url: str, name: str, cookie: str) -> tuple[str, dict[str, str]]:
    """Return the address and headers of one kind of request, for the cards as they are now.

    A card is told apart by its age too, so the version is asked for again in each round.
    """
    signed_in = {"Cookie": cookie}
    if name == PAGE:
        return "/jobs", signed_in
    with KeptConnection(url) as connection:
        found = VERSION.search(connection.get("/jobs", signed_in)[1])
    assert found is not None
    version = found[1].decode()
    hashes = [version[start : start + VERSION_CHARS] for start in range(0, len(version), VERSION_CHARS)]
    return "/jobs?version=" + "".join(ADDRESSES[name](hashes)), signed_in | POLL


def _sign_in(app: Flask, jobs: int) -> str:
    """Add a member with waiting jobs, and return the cookie of their browser."""
    member: User = add_member(f"{jobs}-jobs")
    waiting_jobs(member, jobs)
    secret = login_sessions.start_session(member, "127.0.0.1", "a browser")
    session = {"_user_id": secret, "_fresh": False, "csrf_token": hashlib.sha1(secret.encode()).hexdigest()}
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    return f"session={serializer.dumps(session)}"


if __name__ == "__main__":
    main()
