"""The pages of similar samples and of duplicates: what the libraries need for them, and what they list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from app.audio.similarity import layout
from app.music.sound_classes import LOOP
from benchmarks.library_scale.filling import Target
from benchmarks.library_scale.samples import SEED, Owner, Row, make_rows
from benchmarks.library_scale.searches import PAGE_SIZE, Page
from benchmarks.library_scale.sounds import Sound
from benchmarks.library_scale.tables import SIZE_BYTES, Values

MOST_SAMPLES = 100_000  # larger libraries have no vectors here
SHARE_OF_PAIRS = 0.05  # of the samples begin a pair of duplicates
SHOWN_GROUPS = 20
FAR_FROM_REAL_SOUNDS = 10.0  # an uploaded file's vector is near none of these
Vectors = npt.NDArray[np.float32]


def fill(target: Target, owners: Sequence[Owner], sounds: Sequence[Sound]) -> None:
    """Give the samples of each owner a vector, and some of them a duplicate."""
    now = datetime.now(UTC)
    for owner in owners:
        rows = _live_rows(owner, sounds)
        vectors = _make_vectors(owner, len(rows))
        target.insert("sample_vectors", (_vector(*each, now) for each in zip(rows, vectors, strict=True)))
        pairs = _make_pairs(rows)
        target.insert("duplicate_groups", (_group(place, pair) for place, pair in enumerate(pairs)))
        members = ((row.id, pair[0].id) for pair in pairs for row in pair)
        target.insert("duplicate_members", members)
    target.finish()


def expected_pages(owner: Owner, sounds: Sequence[Sound]) -> Iterator[Page]:
    """Yield the addresses with what they should list; a page says no number of results."""
    rows = _live_rows(owner, sounds)
    vectors = _make_vectors(owner, len(rows))
    source = next(place for place, row in enumerate(rows) if row.measured.kind == LOOP)
    is_loop = np.array([row.measured.kind == LOOP for row in rows])
    address = f"/samples/{rows[source].id}/similar"
    every = np.ones(len(rows), dtype=bool)
    first_looks = [f"/samples/{row.id}/similar" for row in rows]
    for name, arguments, preset, allowed, others in (
        ("similar", "", layout.BALANCED, every, ()),
        ("similar, a first look", "", layout.BALANCED, every, first_looks),
        ("similar, a preset", "?preset=timbre", layout.TIMBRE, every, ()),
        ("similar, loops", "?kind=loop", layout.BALANCED, is_loop, ()),
    ):
        nearest = _nearest(vectors, source, preset, allowed)
        ids = [rows[place].id for place in (source, *nearest)]
        yield Page(name, address + arguments, ids, None, others)
    last = _make_pairs(rows)[: -SHOWN_GROUPS - 1 : -1]
    yield Page("duplicates", "/duplicates", [row.id for pair in last for row in pair], None)


def _live_rows(owner: Owner, sounds: Sequence[Sound]) -> list[Row]:
    return [row for row in make_rows(owner, sounds) if row.deleted_at is None]


def _make_vectors(owner: Owner, count: int) -> Vectors:
    rng = np.random.default_rng([SEED, owner.size, *owner.id.encode()])
    return rng.normal(FAR_FROM_REAL_SOUNDS, size=(count, layout.LENGTH)).astype("<f4")


def _nearest(vectors: Vectors, source: int, preset: str, allowed: npt.NDArray[np.bool_]) -> list[int]:
    """Return the places of the nearest vectors, found by comparing each with the source."""
    apart = (vectors.astype(float) - vectors[source]) * np.array(layout.preset_weights(preset))
    distances = np.where(allowed, np.sum(apart**2, axis=1), np.inf)
    distances[source] = np.inf
    nearest = np.argsort(distances)[:PAGE_SIZE]
    return [int(place) for place in nearest if np.isfinite(distances[place])]


def _make_pairs(rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    return [(rows[2 * place], rows[2 * place + 1]) for place in range(int(len(rows) * SHARE_OF_PAIRS))]


def _vector(row: Row, vector: Vectors, now: datetime) -> Values:
    return (row.id, row.owner, layout.SIMILARITY_VERSION, vector.tobytes(), now)


def _group(place: int, pair: tuple[Row, Row]) -> Values:
    """Return the row of a group. Each has a little more to free than the one before."""
    kept, _ = pair
    return (kept.id, kept.owner, kept.id, kept.id, True, None, 2, SIZE_BYTES + place)
