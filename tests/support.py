"""Helpers of all tests: clients for pages and API, and generated audio with known tempo and key."""

from __future__ import annotations

import re
from contextvars import Context
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import numpy as np
import soundfile
from flask import Flask
from sqlalchemy import insert
from werkzeug.test import TestResponse

from app.auth import api_tokens
from app.billing import plans
from app.extensions import db
from app.jobs import run
from app.models import Batch, Job, User
from app.models.api_token import ABILITIES
from app.models.base import new_id, transaction, utcnow

PASSWORD = "a quiet long password"
RATE = 44100


class Browser:
    """A client that sends the CSRF token of the page, as a browser would; signed in if a user is given."""

    def __init__(self, app: Flask, user: User | None = None) -> None:
        self.client = app.test_client()
        self.token = self.fresh_token()
        if user is not None:
            answer = self.post("/sign-in", email=user.email, password=PASSWORD)
            assert answer.status_code == 303, answer.text
            self.token = self.fresh_token()

    def fresh_token(self) -> str:
        page = self.get("/sign-in").text
        found = re.search(r'name="csrf-token" content="([^"]+)"', page)
        assert found is not None
        return found.group(1)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self._request("GET", path, **options)

    def post(self, path: str, headers: Any = None, **form: Any) -> TestResponse:
        return self._request("POST", path, data={"csrf_token": self.token, **form}, headers=headers)

    def _request(self, method: str, path: str, **options: Any) -> TestResponse:
        """Send a request in a context of its own, as a server does, so that requests share no state."""
        answer: TestResponse = Context().run(self.client.open, path, method=method, **options)
        db.session.commit()  # so the test's own session sees what the request changed
        return answer

    def upload(self, *files: tuple[str, bytes], **form: Any) -> TestResponse:
        """Upload as the page's script does: one file per request, answered in JSON."""
        audio = [(BytesIO(content), name) for name, content in files]
        return self.post("/upload", {"Accept": "application/json"}, audio=audio, **form)


class ApiScript:
    """A client of the JSON API with a token of a user."""

    def __init__(self, app: Flask, user: User, *abilities: str) -> None:
        self.client = app.test_client(use_cookies=False)
        self.token, self.secret = api_tokens.create_token(user, "script", list(abilities or ABILITIES), None)

    def call(self, method: str, path: str, headers: Any = None, **options: Any) -> TestResponse:
        sent = {"Authorization": f"Bearer {self.secret}"} | (headers or {})
        opened = self.client.open
        answer: TestResponse = Context().run(opened, path, method=method, headers=sent, **options)
        db.session.commit()
        return answer

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def upload(self, name: str, content: bytes, key: str | None = None, **form: str) -> TestResponse:
        headers = {"Idempotency-Key": key} if key is not None else {}
        data = form | {"audio": (BytesIO(content), name)}
        return self.call("POST", "/api/upload", headers, data=data)


def uploaded_job(browser: Browser, name: str, content: bytes) -> Job:
    """Upload a file and return its waiting job."""
    answer = browser.upload((name, content))
    assert answer.status_code == 201, answer.text
    return db.session.get_one(Job, answer.get_json()["job_id"])


def waiting_jobs(user: User, count: int, **values: Any) -> list[str]:
    """Insert waiting jobs, due one after another and without files, and return their ids in order."""
    plan, now = plans.plan_for_user(user), utcnow() - timedelta(hours=1)
    with transaction() as session:
        batch = Batch(id=str(uuid4()), user_id=user.id, expected=count)
        session.add(batch)
        session.flush()
        common = {
            "user_id": user.id,
            "batch_id": batch.id,
            "format": "WAV",
            "size_bytes": 1000,
            "content_sha256": "",
            "tier": plan.tier,
            "priority": plan.priority,
            "results": {},
        }
        rows = [
            common
            | {"id": new_id(), "filename": f"{n}.wav", "incoming_key": f"incoming/{user.id}/{n}.wav"}
            | {"run_at": now + timedelta(milliseconds=n)}
            | values
            for n in range(count)
        ]
        session.execute(insert(Job), rows)
    return [str(row["id"]) for row in rows]


def finished_job(browser: Browser, name: str, content: bytes) -> Job:
    """Upload a file, run its job in the real engine, and return it."""
    job = uploaded_job(browser, name, content)
    run.run_next()
    db.session.refresh(job)
    return job


def wav(samples: np.ndarray[Any, Any], rate: int = RATE, **options: Any) -> bytes:
    """Return samples of -1 to 1 as a WAV file."""
    file = BytesIO()
    soundfile.write(file, samples, rate, **({"format": "WAV", "subtype": "PCM_16"} | options))
    return file.getvalue()


def drum_loop(bpm: float = 93.0, beats: int = 8) -> bytes:
    """Return kick, snare and hats, cut to exactly `beats` beats at `bpm`."""
    length = round(beats * 60 / bpm * RATE)
    loop = np.zeros(length + RATE)
    for eighth in range(2 * beats):
        at = round(eighth * 30 / bpm * RATE)
        hits = [0.25 * noise(0.04, 80)]
        if eighth % 4 == 0:
            hits.append(0.9 * tone(55, 0.25, 14))
        if eighth % 4 == 2:
            hits.append(0.5 * noise(0.15, 25) + 0.4 * tone(190, 0.15, 25))
        for hit in hits:
            loop[at : at + len(hit)] += hit
    return wav(np.clip(loop[:length], -0.99, 0.99))


def chord(frequencies_hz: tuple[float, ...] = (261.63, 311.13, 392.0), seconds: float = 4.0) -> bytes:
    """Return a chord with a few harmonics: by default a C minor triad."""
    made = sum(tone(f * h, seconds, 0.3) / h for f in frequencies_hz for h in (1, 2, 3))
    return wav(0.2 * np.asarray(made))


def kick() -> bytes:
    """Return a one-shot kick drum of 0.3 s."""
    return wav(0.9 * tone(52, 0.3, 12))


def silence(seconds: float = 1.0) -> bytes:
    """Return a silent WAV file."""
    return wav(np.zeros(round(seconds * RATE)))


def tone(frequency_hz: float, seconds: float, decay: float = 0.0) -> np.ndarray[Any, Any]:
    """Return a sine that decays by a factor of e^decay per second."""
    t = np.arange(round(seconds * RATE)) / RATE
    return np.sin(2 * np.pi * frequency_hz * t) * np.exp(-decay * t)


def noise(seconds: float, decay: float = 0.0) -> np.ndarray[Any, Any]:
    """Return the same white noise every time, decaying by a factor of e^decay per second."""
    count = round(seconds * RATE)
    t = np.arange(count) / RATE
    return np.random.default_rng(7).uniform(-1, 1, count) * np.exp(-decay * t)


def row_names(page: str) -> list[str]:
    """Return the names of the samples that a page lists, in their order."""
    return re.findall(r'<tr class="row".*?<a dir="auto"[^>]*>([^<]+)<', page, re.DOTALL)


def change_character(text: str, place: int) -> str:
    """Return the text with another letter at a place; the last letter of a signature has unused bits."""
    index = place % len(text)
    return text[:index] + ("a" if text[index] != "a" else "b") + text[index + 1 :]
