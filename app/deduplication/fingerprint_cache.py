"""The fingerprints of the libraries that were compared last, kept in memory by the process that compares."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from app.audio.similarity import layout
from app.extensions import db
from app.models import SampleVector
from app.models.base import utcnow

# Rows are numbered when they are inserted and seen when they are committed, which takes less than this.
SETTLES_AFTER = timedelta(minutes=1)
READ_ROWS = 8192
ID_BYTES = 26
MAX_ROWS = 250_000  # in all: 30 MB. A larger library is read again for each batch.

Prints = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.bytes_]


@dataclass(frozen=True)
class PrintBlock:
    """Fingerprints, shape (n, `layout.FINGERPRINT_LENGTH`), with the ids of their samples, shape (n,)."""

    ids: Ids
    prints: Prints
    last_number: int


class FingerprintCache:
    """The settled rows of some users; of those used least recently the rows go first."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self.max_rows = max_rows
        self._settled: OrderedDict[str, PrintBlock] = OrderedDict()
        self._lock = threading.Lock()

    def read_blocks(self, user_id: str) -> Iterator[PrintBlock]:
        """Yield all fingerprints of a user. A sample that was measured again is in them twice for a while."""
        kept = self._settled.get(user_id)
        first = kept.last_number if kept is not None else 0
        settled_until = _last_settled(user_id)
        new: list[PrintBlock] = []
        for block in _read_rows(user_id, first, settled_until):
            yield block
            if self._fits(kept, new):
                new.append(block)
        if kept is not None:
            yield kept
        yield from _read_rows(user_id, settled_until, None)
        self._keep(user_id, [*([kept] if kept is not None else []), *new])

    def _fits(self, kept: PrintBlock | None, new: list[PrintBlock]) -> bool:
        rows = sum(len(block.ids) for block in new) + (len(kept.ids) if kept is not None else 0)
        return rows + READ_ROWS <= self.max_rows

    def _keep(self, user_id: str, blocks: list[PrintBlock]) -> None:
        if not blocks:
            return
        ids, prints = (
            np.concatenate(each) for each in zip(*((b.ids, b.prints) for b in blocks), strict=True)
        )
        with self._lock:
            self._settled[user_id] = PrintBlock(ids, prints, max(block.last_number for block in blocks))
            self._settled.move_to_end(user_id)
            while sum(len(block.ids) for block in self._settled.values()) > self.max_rows:
                self._settled.popitem(last=False)


def _last_settled(user_id: str) -> int:
    """Return the highest number below which no row is still to be committed."""
    old = SampleVector.user_id == user_id, SampleVector.created_at < utcnow() - SETTLES_AFTER
    number = select(SampleVector.number).where(*old).order_by(SampleVector.number.desc()).limit(1)
    return db.session.scalar(number) or 0


def _read_rows(user_id: str, after: int, until: int | None) -> Iterator[PrintBlock]:
    """Yield rows in the order of their numbers, without those of silence and of other versions."""
    columns = SampleVector.number, SampleVector.sample_id, SampleVector.version, SampleVector.fingerprint
    wanted = select(*columns).where(SampleVector.user_id == user_id)
    if until is not None:
        wanted = wanted.where(SampleVector.number <= until)
    wanted = wanted.order_by(SampleVector.number).limit(READ_ROWS)
    while rows := db.session.execute(wanted.where(SampleVector.number > after)).all():
        after = rows[-1].number
        usable = [row for row in rows if is_usable(row.version, row.fingerprint)]
        prints = np.frombuffer(b"".join(row.fingerprint for row in usable), np.uint8)
        ids = np.array([row.sample_id.encode() for row in usable], dtype=f"S{ID_BYTES}")
        yield PrintBlock(ids, prints.reshape(len(usable), layout.FINGERPRINT_LENGTH), after)


def is_usable(version: int, stored: bytes | None) -> bool:
    """Return whether a stored fingerprint can be compared."""
    is_whole = stored is not None and len(stored) == layout.FINGERPRINT_LENGTH
    return is_whole and version == layout.SIMILARITY_VERSION
