"""A flood of sign-ins at the real web process slows down nothing but sign-ins."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import pytest

from app.auth.hashing_queue import NETWORK_MAX
from tests.services.sign_in_flood import AT_ONCE, ConnectionWatch, SignInForm, flood, web_on_postgres
from tests.support import PASSWORD

pytestmark = pytest.mark.services
MOST_CONNECTIONS = 10


def test_a_flood_of_sign_ins_takes_few_connections_and_stops_nobody_else(
    tmp_path: Path, postgres_url: str
) -> None:
    healthy: list[int] = []
    with web_on_postgres(tmp_path, postgres_url) as url:
        over = threading.Event()

        def ask_for_health() -> None:
            while not over.is_set():
                healthy.append(httpx.get(f"{url}/healthz", timeout=60).status_code)

        asker = threading.Thread(target=ask_for_health)
        asker.start()
        with ConnectionWatch(postgres_url) as watch:
            statuses = flood(url)
        over.set()
        asker.join()
        after = SignInForm(url).send("p@example.com", PASSWORD)
    assert statuses.total() == AT_ONCE
    assert set(statuses) <= {303, 503}
    assert statuses[303] >= NETWORK_MAX  # all went to one of the two processes at worst
    assert watch.looks > 0
    assert watch.most <= MOST_CONNECTIONS
    assert set(healthy) == {200}
    assert after.status_code == 303
