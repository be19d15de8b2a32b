"""Samples with made-up similarity vectors, whose distances are known."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from app.audio.similarity import layout
from app.extensions import db
from app.models import Job, Sample, User
from app.models.base import new_id, transaction
from app.search.sample_query import SampleQuery
from app.search.similar_samples import SimilarQuery, SimilarSample, find_similar, read_source
from app.upload.upload_purpose import build_sample
from tests.measurements import loop_measurement

HIT: dict[str, Any] = {"kind": "one-shot", "sound": "kick", "bpm": None, "key": None, "duration_s": 0.4}


def vector(**places: float) -> tuple[float, ...]:
    """Return a vector that is zero but for the first number of each block named."""
    made = [0.0] * layout.LENGTH
    for block, value in places.items():
        made[layout.BLOCKS["class" if block == "class_" else block].start] = value
    return tuple(made)


def random_vector(seed: int) -> tuple[float, ...]:
    """Return the same vector for the same seed on every machine, with values that float32 holds exactly."""
    made = random.Random(seed)
    return tuple(made.randrange(-64, 64) / 128 for _ in range(layout.LENGTH))


def shelve_vectors(
    owner: User, vectors: Mapping[str, tuple[float, ...]], **figures: Any
) -> dict[str, Sample]:
    """Add a one-shot for each name, measured with that vector and these figures."""
    made = {}
    with transaction() as session:
        for name, numbers in vectors.items():
            job = Job(id=new_id(), user_id=owner.id, filename=f"{name}.wav", format="WAV", size_bytes=1)
            job.content_sha256, job.incoming_key = "", f"incoming/{owner.id}/{job.id}.wav"
            measured = loop_measurement(**(HIT | {"similarity": numbers} | figures))
            made[name] = build_sample(job, measured, {})
            session.add(made[name])
    return made


def similar(
    owner: User, *sources: Sample, limit: int = 50, search: SampleQuery | None = None, **wanted: str
) -> list[SimilarSample]:
    """Return what is most like some samples."""
    ids = [each.id for each in sources]
    query = SimilarQuery(search=search or SampleQuery(), **wanted)
    return find_similar(owner, read_source(owner, ids), query, ids, limit)


def names(hits: list[SimilarSample]) -> list[str]:
    return [db.session.get_one(Sample, hit.sample_id).name for hit in hits]
