"""The similarity vectors of one owner as arrays, kept in memory for the owners who searched last.

Only this module and those that compare vectors load numpy, and they are imported when somebody asks for
similar sounds.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select

from app.audio.similarity import layout
from app.extensions import db, settings
from app.models import SampleVector
from app.models.base import utcnow

# PostgreSQL numbers rows when they are inserted, and shows them when they are committed. A row that is not
# yet to be seen has a lower number than one that is, but not for longer than any transaction takes.
SETTLES_AFTER = timedelta(minutes=1)
READ_ROWS = 8192
GROWTH = 1.125
ID_BYTES = 26
ROW_BYTES = 4 * (layout.LENGTH + len(layout.BLOCKS)) + ID_BYTES
MEGABYTE = 10**6
MAX_CHOICES_KEPT = 32  # of one owner
MAX_PLACES_KEPT = 4_000  # of one choice
NAME_BYTES = 8 * layout.LENGTH  # a choice is named by the vector that was compared


@dataclass(frozen=True)
class VectorBlock:
    """Vectors of samples with what a comparison needs of them.

    `ids` are the ids of the samples as bytes, shape (n,); `rows` the vectors, (n, `layout.LENGTH`). Those
    that stay in memory are stored column by column, which halves the time of a product. `norms` are the
    squared lengths of the blocks of each row, (n, blocks). `kept` has the places of rows that comparisons
    chose, until there are other rows.
    """

    ids: npt.NDArray[np.bytes_]
    rows: npt.NDArray[np.float32]
    norms: npt.NDArray[np.float32]
    kept: dict[Hashable, npt.NDArray[np.intp]] = field(default_factory=dict)

    def keep(self, name: Hashable, choose: Callable[[], npt.NDArray[np.intp]]) -> npt.NDArray[np.intp]:
        """Return the places that were chosen under this name, or choose them now. Many are not kept."""
        places = self.kept.get(name)
        if places is None:
            places = choose()
            if len(self.kept) >= MAX_CHOICES_KEPT:
                self.kept.clear()
            if len(places) <= MAX_PLACES_KEPT:
                self.kept[name] = places
        return places


class VectorCache:
    """The vectors of some owners, of which the least recently used go first when `max_bytes` are reached."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._owners: OrderedDict[str, _OwnerVectors] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def used_bytes(self) -> int:
        """How much memory the arrays take."""
        return sum(owner.used_bytes for owner in self._owners.values())

    def read_vectors(self, user_id: str) -> Iterator[VectorBlock]:
        """Yield all vectors of a user, in one block; those of a user with too many to keep, in several."""
        with self._lock:
            owner = self._owners.setdefault(user_id, _OwnerVectors(user_id))
            self._owners.move_to_end(user_id)
        with owner.lock:
            block = owner.bring_up_to_date() if owner.count or self._has_room(owner) else None
        self._make_room()
        yield from [block] if block is not None else map(_as_block, _read_rows(user_id, 0))

    def _has_room(self, owner: _OwnerVectors) -> bool:
        """Say whether the rows of an owner of whom nothing is kept fit, and reserve room for them."""
        rows = _count_rows(owner.user_id)
        if rows * ROW_BYTES > self.max_bytes:
            return False
        owner.reserve(rows)
        return True

    def _make_room(self) -> None:
        """Forget owners until the limit is kept, and those of whom nothing is kept anyway."""
        with self._lock:
            for user_id in [each for each, owner in self._owners.items() if not owner.count]:
                del self._owners[user_id]
            while self.used_bytes > self.max_bytes:
                self._owners.popitem(last=False)


class _OwnerVectors:
    """The vectors of one owner. Arrays have room for more rows, and rows that are there never change."""

    def __init__(self, user_id: str) -> None:
        self.lock = threading.Lock()
        self.count = 0
        self.user_id = user_id
        self._block = _as_block([])
        self._kept: dict[Hashable, npt.NDArray[np.intp]] = {}
        self._settled = 0  # every row up to this number was seen
        self._recent: dict[int, datetime] = {}  # those above it that were seen

    @property
    def used_bytes(self) -> int:
        kept = sum(places.nbytes + NAME_BYTES for places in list(self._kept.values()))
        return kept + sum(each.nbytes for each in _arrays(self._block))

    def bring_up_to_date(self) -> VectorBlock:
        """Read the rows that were added since, and return all."""
        if (first := self._first_unseen()) is not None:
            before, self._kept = self.count, {}
            for rows in _read_rows(self.user_id, first - 1):
                new = [row for row in rows if row.number not in self._recent]
                self._recent |= {row.number: row.created_at for row in new}
                self._append(_as_block(new))
            self._drop_replaced(before)
        settled = [number for number, made in self._recent.items() if made < utcnow() - SETTLES_AFTER]
        self._settled = max(settled, default=self._settled)
        self._recent = {number: at for number, at in self._recent.items() if number > self._settled}
        ids, vectors, norms = (each[: self.count] for each in _arrays(self._block))
        return VectorBlock(ids, vectors, norms, self._kept)

    def reserve(self, rows: int) -> None:
        """Make room for this many rows in all."""
        self._move(np.ones(self.count, dtype=bool), rows)

    def _first_unseen(self) -> int | None:
        numbers = select(SampleVector.number).where(
            SampleVector.user_id == self.user_id, SampleVector.number > self._settled
        )
        if not self._settled and not self._recent:
            return db.session.scalar(numbers.order_by(SampleVector.number).limit(1))
        return min(set(db.session.scalars(numbers)) - self._recent.keys(), default=None)

    def _append(self, new: VectorBlock) -> None:
        end = self.count + len(new.ids)
        if end > len(self._block.ids):
            self.reserve(max(end, int(self.count * GROWTH)))
        for kept, added in zip(_arrays(self._block), _arrays(new), strict=True):
            kept[self.count : end] = added
        self.count = end

    def _drop_replaced(self, before: int) -> None:
        """Of samples with several rows keep the last one; rows from `before` on are new."""
        ids = self._block.ids[: self.count]
        is_kept = np.zeros(self.count, dtype=bool)
        is_kept[:before] = ~np.isin(ids[:before], ids[before:])
        _, last = np.unique(ids[before:][::-1], return_index=True)
        is_kept[self.count - 1 - last] = True
        if not is_kept.all():
            self._move(is_kept, self.count)

    def _move(self, is_kept: npt.NDArray[np.bool_], room: int) -> None:
        """Move rows to new arrays: somebody may still be comparing those in the old ones."""
        moved = [np.empty((room, *each.shape[1:]), each.dtype, order="F") for each in _arrays(self._block)]
        count = int(is_kept.sum())
        for new, old in zip(moved, _arrays(self._block), strict=True):
            new[:count] = old[: self.count][is_kept]
        ids, rows, norms = moved
        self._block, self.count = VectorBlock(ids, rows, norms), count


def vector_cache() -> VectorCache:
    """Return the cache of this process."""
    global _cache
    max_bytes = settings().similar_cache_mb * MEGABYTE
    if _cache is None or _cache.max_bytes != max_bytes:
        _cache = VectorCache(max_bytes)
    return _cache


_cache: VectorCache | None = None


def _count_rows(user_id: str) -> int:
    counted = select(func.count()).select_from(SampleVector).where(SampleVector.user_id == user_id)
    return db.session.scalar(counted) or 0


def _read_rows(user_id: str, after: int) -> Iterator[list[Any]]:
    """Yield the rows of a user above a number in their order, some thousand at a time."""
    columns = SampleVector.number, SampleVector.sample_id, SampleVector.created_at, SampleVector.version
    wanted = select(*columns, SampleVector.vector).where(SampleVector.user_id == user_id)
    wanted = wanted.order_by(SampleVector.number).limit(READ_ROWS)
    while rows := list(db.session.execute(wanted.where(SampleVector.number > after))):
        yield rows
        after = rows[-1].number


def _as_block(rows: list[Any]) -> VectorBlock:
    """Return the arrays of rows, without those of another version, which can't be compared."""
    size = len(layout.to_bytes([0.0] * layout.LENGTH))
    usable = [row for row in rows if row.version == layout.SIMILARITY_VERSION and len(row.vector) == size]
    vectors = np.frombuffer(b"".join(row.vector for row in usable), dtype="<f4")
    vectors = vectors.reshape(len(usable), layout.LENGTH)
    norms = [np.sum(vectors[:, place] ** 2, axis=1) for place in layout.BLOCKS.values()]
    ids = np.array([row.sample_id.encode() for row in usable], dtype=f"S{ID_BYTES}")
    return VectorBlock(ids, vectors, np.stack(norms, axis=1))


def _arrays(block: VectorBlock) -> tuple[npt.NDArray[Any], ...]:
    return block.ids, block.rows, block.norms
