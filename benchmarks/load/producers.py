"""The simulated producers, for Locust. It needs nothing of the product: it only speaks HTTP.

LOAD_PLAN names a JSON file with the sessions, and the file for the figures.
"""

from __future__ import annotations

import hashlib
import html
import itertools
import json
import os
import random
import re
import time
from http.cookiejar import Cookie
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import gevent
from locust import FastHttpUser, constant, events

from benchmarks.load import activities
from benchmarks.load.activities import ACTIVITIES, THINK_S
from benchmarks.load.forms import encode_form, make_wav

PLAN = json.loads(Path(os.environ["LOAD_PLAN"]).read_text())
TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
ROW = re.compile(r'id="sample-(\w+)"')
NEWS = re.compile(r'data-url="([^"]*/news\?[^"]*)"')
REVISION = re.compile(r'name="revision" value="(\d+)"')
POLL = re.compile(
    r'id="(?:jobs|card-progress)"[^>]*?hx-get="([^"]*)"[^>]*?hx-trigger="every (\d+)s"', re.DOTALL
)
CARD = re.compile(r'href="(/exports/\w+)"')
HTMX = {"HX-Request": "true"}
JSON = {"Accept": "application/json"}
SEEK = "bytes=20000-59999"
numbers = itertools.count()


class Producer(FastHttpUser):
    """A signed-in producer at the library."""

    weight = 1
    concurrency = 4
    network_timeout = connection_timeout = 60.0

    def wait_time(self) -> float:
        """Return the time until the next activity: many people together come at random."""
        return random.expovariate(1 / PLAN.get("think_s", THINK_S))

    def on_start(self) -> None:
        """Open the library with a session that was made before, from an address of one's own."""
        number = next(numbers)
        session = PLAN["sessions"][number % len(PLAN["sessions"])]
        self.client.cookiejar.set_cookie(_cookie("session", session))
        self.own = {"X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}
        self.kit, self.news = "", ""
        self.waves: dict[str, str] = {}
        self.rows: list[str] = []
        self.open_library()

    def ask(self, method: str, path: str, name: str, expected: tuple[int, ...] = (200,), **rest: Any) -> Any:
        """Send a request as the page's scripts do, and count an unexpected status as an error."""
        headers = {**self.own, **rest.pop("headers", {})}
        with self.client.request(
            method, path, name=name, headers=headers, allow_redirects=False, catch_response=True, **rest
        ) as answer:
            if answer.status_code in expected:
                answer.success()
            else:
                answer.failure(f"{answer.status_code} {(answer.text or '')[:160]}")
        return answer

    def post_form(self, path: str, label: str, expected: tuple[int, ...] = (303,), **form: str) -> Any:
        """Send a form of a page."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        pairs = {"csrf_token": self.token, **form}
        body = "&".join(f"{quote(key)}={quote(value)}" for key, value in pairs.items())
        return self.ask("POST", path, label, expected, data=body, headers=kind)

    def open_library(self) -> None:
        page = self.ask("GET", "/samples", "library: page").text or ""
        self.token = (TOKEN.findall(page) or [""])[0]
        self._read_list(page)

    def search(self) -> None:
        sentence = random.choice(activities.SENTENCES)
        address = f"/samples?ask={quote(sentence)}"
        self._read_list(self.ask("GET", address, "search by a sentence", headers=HTMX).text or "")

    def scroll(self) -> None:
        if self.rows:
            self.ask("GET", f"/samples?after={self.rows[-1]}", "library: next rows", headers=HTMX)

    def poll_library(self) -> None:
        if self.news:
            answer = self.ask("GET", self.news, "library: what is new", (200, 204), headers=HTMX)
            if answer.status_code == 200 and (found := NEWS.search(answer.text or "")):
                self.news = html.unescape(found[1])

    def audition(self) -> None:
        """Play a row: waveform and link, then the sound from wherever it is stored."""
        if self.rows:
            chosen = random.choice(self.rows)
            known = {"If-None-Match": self.waves[chosen]} if chosen in self.waves else {}
            wave = self.ask(
                "GET", f"/samples/{chosen}/peaks", "audition: waveform", (200, 304), headers=known
            )
            self.waves[chosen] = wave.headers.get("ETag", "") if wave.headers else ""
            self._play(chosen, "bytes=0-")

    def seek(self) -> None:
        if self.rows:
            self._play(random.choice(self.rows), SEEK)

    def open_sample(self) -> None:
        if self.rows:
            self.ask("GET", f"/samples/{random.choice(self.rows)}", "sound: page")

    def like(self) -> None:
        if self.rows:
            path = f"/samples/{random.choice(self.rows)}/like"
            self.ask("POST", path, "like", (200, 204, 303), headers={**HTMX, "X-CSRFToken": self.token})

    def open_dashboard(self) -> None:
        self.ask("GET", "/dashboard", "dashboard")

    def upload_folder(self) -> None:
        """Send a folder as the page does, file by file, then watch the job cards."""
        batch, folder = str(uuid4()), f"pack {uuid4().hex[:6]}"
        for number in range(activities.FOLDER_FILES):
            sound, name = make_wav(), f"sound {number:02}.wav"
            digest = hashlib.sha256(sound).hexdigest()
            self.ask("GET", f"/upload/known/{digest}", "upload: known?")
            form = {"batch": batch, "batch_files": str(activities.FOLDER_FILES)}
            form |= {"collection": "Load", "folder": folder}
            self._send_direct(form, name, sound) if PLAN["direct"] else self._send(form, name, sound)
        self._watch(self.ask("GET", "/jobs", "jobs: page"), "jobs: poll of the cards")

    def fill_kit(self) -> None:
        """Fill a bank by a sentence; the first time make the kit."""
        if not self.kit:
            made = self.post_form("/kits", "kit: create", name="Load", tempo="90", tempo_source="project")
            self.kit = (made.headers or {}).get("Location", "").split("?")[0]
        if self.kit:
            page = self.ask("GET", self.kit, "kit: page").text or ""
            revision = (REVISION.findall(page) or ["0"])[0]
            fill = {"revision": revision, "sentence": random.choice(activities.KIT_SENTENCES)}
            self.post_form(f"{self.kit}/banks/A/fill", "kit: fill", (303, 409), **fill)
            self.ask("GET", self.kit, "kit: page")

    def export_card(self) -> None:
        """Have a card made, watch it, and download it."""
        if not self.kit:
            self.fill_kit()
        self.ask("GET", f"{self.kit}/card", "card: page")
        order = {"target": "import", "project_number": "1", "chosen": "1"}
        ordered = self.post_form(f"{self.kit}/exports", "card: order", (303,), **order)
        where = (ordered.headers or {}).get("Location", "")
        if where:
            page = self._watch(self.ask("GET", where, "card: progress page"), "card: poll")
            if found := CARD.search(page):
                link = self.ask("GET", found[1], "card: link", (302,)).headers["Location"]
                self.ask("GET", link, "card: download")

    def _play(self, sample_id: str, span: str) -> None:
        link = self.ask("GET", f"/samples/{sample_id}/audio", "audition: link", (302,))
        if link.status_code == 302:
            self.ask("GET", link.headers["Location"], "audition: sound", (206,), headers={"Range": span})

    def _send(self, form: dict[str, str], name: str, sound: bytes) -> None:
        body, kind = encode_form(form, ("audio", name, sound))
        headers = {**JSON, "X-CSRFToken": self.token, "Content-Type": kind}
        self.ask("POST", "/upload", "upload: file", (201,), data=body, headers=headers)

    def _send_direct(self, form: dict[str, str], name: str, sound: bytes) -> None:
        """Send a file straight to the object store by a link, as the page does where there is one."""
        body, kind = encode_form({**form, "filename": name, "size_bytes": str(len(sound))})
        headers = {**JSON, "X-CSRFToken": self.token, "Content-Type": kind}
        link = self.ask("POST", "/upload/links", "upload: link", (201,), data=body, headers=headers)
        if link.status_code == 201:
            told = json.loads(link.text)
            self.ask("PUT", told["url"], "upload: file to the store", data=sound, headers=told["headers"])
            done = {**JSON, "X-CSRFToken": self.token}
            self.ask("POST", told["job_url"], "upload: job", (201,), data=b"", headers=done)

    def _watch(self, page: Any, name: str) -> str:
        """Poll as htmx does until the fragment no longer asks for it; return the last fragment."""
        text, until = page.text or "", time.monotonic() + activities.WATCH_S
        while (found := POLL.search(text)) and time.monotonic() < until:
            address, pause_s = html.unescape(found[1]), int(found[2])
            while time.monotonic() < until:
                gevent.sleep(pause_s)
                answer = self.ask("GET", address, name, (200, 204, 286), headers=HTMX)
                if answer.status_code != 204:
                    text = answer.text or ""
                    break
        return text

    def _read_list(self, page: str) -> None:
        self.rows = ROW.findall(page) or self.rows
        if found := NEWS.search(page):
            self.news = html.unescape(found[1])


CHOSEN = [each for each in ACTIVITIES if PLAN.get("only") in (None, each.name)]
Producer.tasks = [getattr(Producer, each.name) for each in CHOSEN for _ in range(each.weight)]


class Pinger(FastHttpUser):
    """Somebody who asks a view that does nothing, in the product and in a bare Flask app beside it."""

    fixed_count = 1
    wait_time = constant(0.25)

    def ping(self) -> None:
        self.client.get("/healthz", name="ping: /healthz")
        self.client.get(PLAN["bare_url"], name="ping: bare Flask app")

    tasks = [ping]  # noqa: RUF012  # Locust wants a list


@events.quitting.add_listener  # type: ignore[untyped-decorator]  # Locust has no types
def write_figures(environment: Any, **_: Any) -> None:
    """Write what was measured since everybody was there."""
    stats = environment.stats
    found = {
        entry.name: {
            "count": entry.num_requests,
            "failures": entry.num_failures,
            "mean_ms": entry.avg_response_time,
            "median_ms": entry.median_response_time,
            "p95_ms": entry.get_response_time_percentile(0.95),
        }
        for entry in stats.entries.values()
    }
    errors = [f"{each.name}: {each.error} ({each.occurrences})" for each in stats.errors.values()]
    errors += [
        f"exception: {each['msg']} ({each['count']})" for each in environment.runner.exceptions.values()
    ]
    figures = {"start": stats.start_time, "end": time.time(), "requests": found, "errors": errors}
    Path(PLAN["figures"]).write_text(json.dumps(figures))


def _cookie(name: str, value: str) -> Cookie:
    return Cookie(
        0, name, value, None, False, "127.0.0.1", False, False, "/", True, False, None, False, None, None, {}
    )
