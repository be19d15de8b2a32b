"""Rate limits are counted in Redis, so any number of web processes share one count."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from app import create_app
from app.auth import guess_limits
from app.auth.guess_limits import Guess, TooManyGuessesError
from app.config import Settings
from tests.live import ROOT, Producer, Product, free_port
from tests.support import PASSWORD

pytestmark = pytest.mark.services
SECRET = "a secret for tests, long enough to be taken"
ALLOWED = 8


@pytest.fixture
def product(tmp_path: Path, postgres_url: str, redis_url: str) -> Iterator[Product]:
    settings = {"API_REQUESTS_PER_MINUTE": str(ALLOWED), "SECRET_KEY": SECRET}
    redis.Redis.from_url(redis_url).flushall()
    with Product(tmp_path / "data", DATABASE_URL=postgres_url, REDIS_URL=redis_url, **settings) as served:
        yield served


@pytest.fixture
def second_url(product: Product) -> Iterator[str]:
    """Start another web process with the same settings, as on another machine."""
    port = free_port()
    command = [str(Path(sys.executable).parent / "gunicorn"), "--bind", f"127.0.0.1:{port}", "wsgi:app"]
    with product.log_path.open("ab") as log:
        web = subprocess.Popen(command, cwd=ROOT, env=product.env, stdout=log, stderr=log)
    url, until = f"http://127.0.0.1:{port}", time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz").status_code == 200:
                break
        time.sleep(0.1)
    yield url
    os.kill(web.pid, signal.SIGTERM)
    web.wait(20)


def token(product: Product) -> str:
    producer = Producer(product)
    producer.post("/register", email="p@example.com", password=PASSWORD, timezone="UTC")
    page = producer.post("/settings/tokens", name="t", days="30", abilities="samples:read")
    return str(re.findall(r"sp404_\w{36}", page.text)[0])


def test_two_web_processes_share_one_count(product: Product, second_url: str) -> None:
    headers = {"Authorization": f"Bearer {token(product)}"}
    answers = [
        httpx.get(f"{url}/api/usage", headers=headers) for _ in range(5) for url in (product.url, second_url)
    ]
    assert [answer.status_code for answer in answers] == [200] * ALLOWED + [429] * 2
    left = [re.fullmatch(r'"default";r=(\d+);t=(\d+)', answer.headers["RateLimit"]) for answer in answers]
    assert [int(found.group(1)) for found in left if found] == [*range(ALLOWED - 1, -1, -1), 0, 0]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {f'"default";q={ALLOWED};w=60'}
    for answer, found in zip(answers[ALLOWED:], left[ALLOWED:], strict=True):
        assert found is not None
        assert answer.headers["Retry-After"] == found.group(2)
        assert 1 <= int(found.group(2)) <= 60
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_sign_in_is_throttled_across_all_processes(product: Product, second_url: str) -> None:
    codes = []
    for number in range(12):
        url = (product.url, second_url)[number % 2]
        with httpx.Client(base_url=url) as browser:
            page = browser.get("/sign-in").text
            found = re.search(r'name="csrf-token" content="([^"]+)"', page)
            assert found is not None
            form = {"csrf_token": found.group(1), "email": "owner@example.com", "password": "wrong"}
            codes.append(browser.post("/sign-in", data=form).status_code)
    assert codes == [422] * 10 + [429] * 2


def test_a_right_code_is_given_back_in_redis(tmp_path: Path, redis_url: str) -> None:
    redis.Redis.from_url(redis_url).flushall()
    app = create_app(
        Settings.from_env({"DATA_DIR": str(tmp_path), "REDIS_URL": redis_url, "SECRET_KEY": SECRET})
    )
    guess = Guess(guess_limits.CODE_GUESS, "someone", "192.0.2.1", None)
    with app.app_context():
        for _ in range(20):
            guess_limits.reserve(guess)
            guess_limits.forgive(guess)
        for _ in range(10):
            guess_limits.reserve(guess)
        with pytest.raises(TooManyGuessesError):
            guess_limits.reserve(guess)
        guess_limits.forgive(guess)
        guess_limits.reserve(guess)
    store: Any = redis.Redis.from_url(redis_url)
    assert min(store.ttl(key) for key in store.keys("*")) > 0
