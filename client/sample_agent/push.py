"""Push a folder: what the service has already, or has on its way, is not sent again."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from unicodedata import normalize

from sample_agent.folders import Sound, hash_file
from sample_agent.service import Service, ServiceError, Upload

REFUSED = 422
FOR_ONE_FILE = ("", "size")  # whatever else the plan lacks, it lacks for the next files too
Told = Callable[[], None]


@dataclass
class Pushed:
    """What became of the sounds of a folder."""

    sent: int = 0
    known: int = 0
    same: int = 0  # sounds with the bytes of another one in the folder
    refused: list[tuple[Sound, str]] = field(default_factory=list)
    left: int = 0
    stopped: str = ""  # why the rest was not sent


@dataclass(frozen=True)
class Hashed:
    """A sound with the SHA-256 of its file."""

    sound: Sound
    sha256: str


def hash_sounds(sounds: Sequence[Sound], jobs: int, told: Told) -> tuple[list[Hashed], Pushed]:
    """Return each different sound of a folder once; unreadable ones are refused."""
    done, seen, hashed = Pushed(), set[str](), []
    with ThreadPoolExecutor(jobs) as pool:
        for sound, future in [(each, pool.submit(hash_file, each.path)) for each in sounds]:
            try:
                sha256 = future.result()
            except OSError as error:
                done.refused.append((sound, f"It can't be read: {error.strerror}."))
            else:
                done.same += sha256 in seen
                if sha256 not in seen:
                    hashed.append(Hashed(sound, sha256))
                seen.add(sha256)
            told()
    return hashed, done


def leave_known(service: Service, hashed: Sequence[Hashed], done: Pushed) -> list[Hashed]:
    """Return the sounds that the service does not know."""
    known = service.find_known([each.sha256 for each in hashed])
    done.known += len(known)
    return [each for each in hashed if each.sha256 not in known]


class Push:
    """Sends sounds into a collection, several at once."""

    def __init__(self, service: Service, collection: str, stopping: threading.Event) -> None:
        self.service, self.collection, self.stopping = service, normalize("NFC", collection), stopping
        self._answers: dict[Hashed, str] = {}  # the job of each upload
        self._stale: dict[Hashed, str] = {}  # those that no longer stand for anything

    def send(self, hashed: Sequence[Hashed], jobs: int, done: Pushed, told: Told) -> None:
        """Send until everything is there, the plan is full or the service can't be reached.

        A repeated upload gets the answer of the first one, also when that was cancelled, failed or deleted
        since. What the service does not know afterwards is sent once more, as a new upload.
        """
        self._send_all(hashed, jobs, done, told)
        known = self.service.find_known([each.sha256 for each in self._answers])
        stale = {each: job for each, job in self._answers.items() if each.sha256 not in known}
        if stale and not done.stopped:
            done.sent -= len(stale)
            self._stale = stale
            self._send_all(list(stale), jobs, done, lambda: None)

    def _send_all(self, hashed: Sequence[Hashed], jobs: int, done: Pushed, told: Told) -> None:
        waiting, running = list(reversed(hashed)), dict[Future[str], Hashed]()
        with ThreadPoolExecutor(jobs) as pool, self._stopped_by_keyboard():
            while running or (waiting and not done.stopped):
                while waiting and not done.stopped and len(running) < jobs:
                    each = waiting.pop()
                    running[pool.submit(self._send, each)] = each
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    self._note(running.pop(future), future, done)
                    told()
        done.left += len(waiting)

    @contextmanager
    def _stopped_by_keyboard(self) -> Iterator[None]:
        """End the waits of all threads on Ctrl-C; what is being sent is sent."""
        try:
            yield
        except KeyboardInterrupt:
            self.stopping.set()
            raise

    def _send(self, hashed: Hashed) -> str:
        sound = hashed.sound
        return self.service.upload(Upload(sound.path, self.collection, sound.folder, self._key(hashed)))

    def _key(self, hashed: Hashed) -> str:
        """Return the same key for the same file at the same place, whenever and wherever it is pushed."""
        name = normalize("NFC", hashed.sound.path.name)
        place = "\0".join(
            (hashed.sha256, self.collection, hashed.sound.folder, name, self._stale.get(hashed, ""))
        )
        return f"push-{hashlib.sha256(place.encode(errors='surrogateescape')).hexdigest()}"

    def _note(self, hashed: Hashed, future: Future[str], done: Pushed) -> None:
        try:
            self._answers[hashed] = future.result()
        except OSError as error:
            done.refused.append((hashed.sound, f"It can't be read: {error.strerror}."))
        except ServiceError as error:
            if error.status == REFUSED and error.limit in FOR_ONE_FILE:
                done.refused.append((hashed.sound, str(error)))
            else:
                done.stopped, done.left = done.stopped or str(error), done.left + 1
        else:
            done.sent += 1
