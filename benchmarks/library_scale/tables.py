"""The rows that a sample has in the product's tables: itself, its measurement, tags, job and charges."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from benchmarks.library_scale.samples import Owner, Row

# Each table's columns in the order of the values below. A parent comes before its children.
COLUMNS = {
    "users": (
        "id", "email", "email_verified_at", "is_admin", "timezone", "key_notation", "autoplay",
        "mail_on_completion", "ai_allowed", "session_epoch", "created_at",
    ),
    "subscriptions": (
        "id", "user_id", "plan", "status", "asked", "applied", "created_at", "updated_at",
    ),
    "user_sessions": ("id", "secret_sha256", "user_id", "address", "agent", "created_at", "seen_at"),
    "samples": (
        "id", "user_id", "name", "filename", "format", "size_bytes", "content_sha256", "original_key",
        "sp404_key", "duration_s", "kind", "sound", "bpm", "bpm_source", "key", "key_source", "bars",
        "described", "corrections", "folded_text", "search_text", "liked", "created_at", "deleted_at",
    ),
    "audio_features": (
        "sample_id", "engine_version", "sample_rate", "channels", "bpm", "bpm_confidence", "key",
        "key_confidence", "kind_confidence", "loudness_db", "brightness", "noisiness", "peaks", "measured",
    ),
    "sample_tags": ("sample_id", "name"),
    "batches": ("id", "user_id", "expected", "refused", "settled_at", "touched_at", "created_at"),
    "processing_jobs": (
        "id", "user_id", "batch_id", "sample_id", "purpose", "filename", "format", "size_bytes",
        "content_sha256", "incoming_key", "state", "step", "tier", "priority", "run_at", "attempt", "retries",
        "export_sp404", "ai_analysis", "ai_allowed", "results", "created_at", "started_at", "finished_at",
    ),
    "api_usage": (
        "user_id", "kind", "entry_key", "quantity", "cost_usd", "effective_at", "created_at",
    ),
    "sample_vectors": ("sample_id", "user_id", "version", "vector", "created_at"),
    "duplicate_groups": (
        "id", "user_id", "anchor_id", "kept_id", "is_chosen", "told_apart", "samples", "spare_bytes",
    ),
    "duplicate_members": ("sample_id", "group_id"),
}  # fmt: skip
SIZE_BYTES = 88_244
UPLOADED_TOGETHER = 20
Values = tuple[Any, ...]


def session_secret(owner: Owner) -> str:
    """Return the secret of the owner's session; it may not contain a dot."""
    return hashlib.sha256(owner.email.encode()).hexdigest()


def owner_rows(owners: Iterable[Owner], now: datetime) -> dict[str, list[Values]]:
    """Return the rows of accounts on the largest plan, each with a live session."""
    rows: dict[str, list[Values]] = {"users": [], "subscriptions": [], "user_sessions": []}
    for id_, email, size in owners:
        digest = hashlib.sha256(session_secret(Owner(id_, email, size)).encode()).hexdigest()
        rows["users"].append((id_, email, now, False, "UTC", "musical", True, False, True, 0, now))
        rows["subscriptions"].append((id_, id_, "enterprise", "active", 0, 0, now, now))
        rows["user_sessions"].append((id_, digest, id_, "127.0.0.1", "Firefox on Linux", now, now))
    return rows


def sample_rows(samples: Sequence[Row]) -> dict[str, list[Values]]:
    """Return the rows of some samples in every table they have one in."""
    return {
        "samples": [_sample(each) for each in samples],
        "audio_features": [_features(each) for each in samples],
        "sample_tags": [(each.id, tag) for each in samples for tag in each.tags],
        "batches": [_batch(each) for each in samples if _starts_batch(each)],
        "processing_jobs": [_job(each) for each in samples],
        "api_usage": [charge for each in samples for charge in _charges(each)],
    }


def _sample(row: Row) -> Values:
    analysis, text = row.measured.analysis, row.search_text
    folder = f"samples/{row.owner}/{row.id}"
    bpm_source = analysis.bpm_source if row.bpm == analysis.bpm else "user"
    return (
        row.id, row.owner, row.name, row.filename, "WAV", SIZE_BYTES, _digest(row), f"{folder}/original.wav",
        f"{folder}/sp404.wav", row.duration_s, analysis.kind, analysis.sound, row.bpm, bpm_source,
        analysis.key, analysis.key_source, _heights(row, 64), row.measured.described_json, row.corrections,
        text, text, row.liked, row.created_at, row.deleted_at,
    )  # fmt: skip


def _features(row: Row) -> Values:
    analysis = row.measured.analysis
    return (
        row.id, analysis.engine_version, analysis.sample_rate, analysis.channels, analysis.bpm,
        analysis.bpm_confidence, analysis.key, analysis.key_confidence, analysis.kind_confidence,
        analysis.loudness_db, analysis.brightness, analysis.noisiness, _heights(row, 800), row.measured_json,
    )  # fmt: skip


def _starts_batch(row: Row) -> bool:
    return row.number % UPLOADED_TOGETHER == 0


def _batch(row: Row) -> Values:
    times = (row.created_at,) * 3
    return (_batch_id(row), row.owner, UPLOADED_TOGETHER, 0, *times)


def _batch_id(row: Row) -> str:
    first = row.number - row.number % UPLOADED_TOGETHER
    return str(UUID(hashlib.md5(f"{row.owner} {first}".encode(), usedforsecurity=False).hexdigest()))


def _job(row: Row) -> Values:
    done_at = row.created_at + timedelta(seconds=2)
    return (
        row.id, row.owner, _batch_id(row), row.id, "upload", row.filename, "WAV", SIZE_BYTES, _digest(row),
        f"incoming/{row.owner}/{row.id}.wav", "completed", "ready", "pro-tier", 10, row.created_at, 1, 0,
        True, True, True, "{}", row.created_at, row.created_at, done_at,
    )  # fmt: skip


def _charges(row: Row) -> list[Values]:
    """Return the charges of an upload, and what a deletion gave back."""
    times = (row.created_at,) * 2
    charges: list[Values] = [
        (row.owner, "upload", f"upload:{row.id}", 1, 0, *times),
        (row.owner, "storage", f"storage:{row.id}", SIZE_BYTES, 0, *times),
    ]
    if row.deleted_at is not None:
        back = f"deleted:{row.id}:{row.deleted_at.timestamp()}"
        charges.append((row.owner, "storage", back, -SIZE_BYTES, 0, row.deleted_at, row.deleted_at))
    return charges


def _digest(row: Row) -> str:
    return hashlib.sha256(row.id.encode()).hexdigest()


def _heights(row: Row, count: int) -> bytes:
    """Return a waveform: noise below an envelope, which does not compress better than a real one."""
    return _waveforms(count)[row.number % 97]


@cache
def _waveforms(count: int) -> list[bytes]:
    rng = random.Random(count)
    return [bytes(int(rng.random() * 255 * (1 - place / count)) for place in range(count)) for _ in range(97)]
