"""The public API of the service, with its own waits: rate limits, restarts and requests that run already."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from sample_agent.account import Account

TRIES = 8
LONGEST_PAUSE_S = 60.0
HASHES_AT_ONCE = 500
PAGE = 100
OUT_OF_REACH = "The service can't be reached. Run the command again later."
AGAIN = {429, 502, 503, 504, 507}
TIMEOUT = httpx.Timeout(30, read=300, write=300)


class ServiceError(Exception):
    """The service refused something; the message is its own sentence.

    `limit` is "uploads" or "storage" when the plan has no room, and "size" when it takes no file so large.
    """

    def __init__(self, sentence: str, status: int = 0, limit: str = "") -> None:
        super().__init__(sentence)
        self.status, self.limit = status, limit


@dataclass(frozen=True)
class Upload:
    """A file to send, and where it belongs."""

    path: Path
    collection: str
    folder: str
    key: str  # the same for the same file at the same place


class Service:
    """A service that takes the token of an account. It may be used by several threads at once."""

    def __init__(self, account: Account, stopping: threading.Event | None = None) -> None:
        headers = {"Authorization": f"Bearer {account.token}", "User-Agent": "sample-agent/1.0"}
        self._http = httpx.Client(
            base_url=f"{account.url}/api", headers=headers, timeout=TIMEOUT, follow_redirects=True
        )
        self._stopping = stopping or threading.Event()

    def usage(self) -> dict[str, Any]:
        """Return what the plan allows and what is used."""
        return self._json("GET", "/usage")

    def find_known(self, hashes: Sequence[str]) -> set[str]:
        """Return which of these SHA-256 the account has already, or has on its way."""
        found: set[str] = set()
        for start in range(0, len(hashes), HASHES_AT_ONCE):
            body = {"sha256": hashes[start : start + HASHES_AT_ONCE]}
            found |= {each["sha256"] for each in self._json("POST", "/uploads/known", json=body)["known"]}
        return found

    def upload(self, upload: Upload) -> str:
        """Send a file and return the id of its job; the same key sends nothing twice."""

        def send() -> httpx.Response:
            with upload.path.open("rb") as audio:
                return self._http.post(
                    "/upload",
                    data={"collection": plain_text(upload.collection), "folder": plain_text(upload.folder)},
                    files={"audio": (plain_text(upload.path.name), audio)},
                    headers={"Idempotency-Key": upload.key},
                )

        # 409: the same request, cut off a moment ago, has not ended yet.
        return str(_answer(self._until_sent(send, AGAIN | {409}))["job_id"])

    def samples(self, **query: Any) -> Iterator[dict[str, Any]]:
        """Return the samples that match, page by page."""
        after = None
        while True:
            asked = {name: value for name, value in query.items() if value}
            asked |= {"limit": PAGE} | ({"after": after} if after else {})
            page = self._json("GET", "/samples", params=asked)
            yield from page["samples"]
            after = page["next_after"]
            if after is None:
                return

    def collections(self) -> list[dict[str, Any]]:
        """Return the collections."""
        return list(self._json("GET", "/collections")["collections"])

    @contextmanager
    def download(self, sample_id: str, *, unit: bool) -> Iterator[Iterable[bytes]]:
        """Give the bytes of a sample: the original, or the WAV for the unit."""
        form = {"format": "sp404"} if unit else {}
        asked = self._http.build_request("GET", f"/samples/{sample_id}/download", params=form)
        sent = self._until_sent(lambda: self._http.send(asked, stream=True, follow_redirects=True), AGAIN)
        try:
            if sent.is_error:
                sent.read()
                _answer(sent)
            yield sent.iter_bytes()
        finally:
            sent.close()

    def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        return _answer(self._until_sent(lambda: self._http.request(method, path, **request), AGAIN))

    def _until_sent(self, send: Callable[[], httpx.Response], again: Collection[int]) -> httpx.Response:
        """Send until there is an answer. Between two tries, wait as the service says, or longer each time."""
        for attempt in range(TRIES):
            pause_s = min(2.0**attempt, LONGEST_PAUSE_S) * random.uniform(0.5, 1)  # noqa: S311 - no secret
            with suppress(httpx.TransportError):
                sent = send()
                if sent.status_code not in again:
                    return sent
                sent.close()
                wanted = sent.headers.get("Retry-After", "")
                pause_s = min(float(wanted), LONGEST_PAUSE_S) if wanted.isdigit() else pause_s
            self._pause(pause_s)
        raise ServiceError(OUT_OF_REACH)

    def _pause(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise ServiceError("Stopped.")


def _answer(sent: httpx.Response) -> dict[str, Any]:
    """Return the JSON of an answer. Raises ServiceError with the sentence of the service."""
    if sent.is_success:
        return dict(sent.json())
    try:
        problem = sent.json()
        limits = [each["message"] for each in problem["errors"] if each["field"] == "plan"]
        raise ServiceError(str(problem["detail"]), sent.status_code, "".join(limits))
    except (ValueError, KeyError, TypeError) as error:
        raise ServiceError(f"The service answered {sent.status_code}.", sent.status_code) from error


def plain_text(name: str) -> str:
    """Return a name of a file system as text, with signs in place of bytes that are none."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
