"""Counts and checksums of a library as its producer knows it: an upgrade must change none of them."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import psycopg

from benchmarks.library_scale.samples import Owner

# Of the samples that were there before and not in the trash, which is emptied by and by; the producers upload
# others meanwhile.
THESE = "s.user_id = %(owner)s AND s.id < %(newer)s AND s.deleted_at IS NULL"
ROWS = {
    "samples": f"""
        SELECT count(*), md5(string_agg(md5(row(s.id, name, filename, format, size_bytes, content_sha256,
            original_key, sp404_key, duration_s, kind, sound, bpm, bpm_source, key, key_source, bars,
            described::text, corrections::text, liked, created_at)::text), '' ORDER BY s.id))
        FROM samples s WHERE {THESE}""",
    "measurements": f"""
        SELECT count(*), md5(string_agg(md5(row(sample_id, engine_version, sample_rate, channels, f.bpm,
            bpm_confidence, f.key, key_confidence, kind_confidence, loudness_db, brightness, noisiness, peaks,
            measured::text)::text), '' ORDER BY s.id))
        FROM audio_features f JOIN samples s ON s.id = sample_id WHERE {THESE}""",
    "tags": f"""
        SELECT count(*), md5(string_agg(s.id || t.name, '' ORDER BY s.id, t.name))
        FROM sample_tags t JOIN samples s ON s.id = sample_id WHERE {THESE}""",
    "finished jobs": f"""
        SELECT count(*), md5(string_agg(row(j.id, state, attempt, j.finished_at)::text, '' ORDER BY j.id))
        FROM processing_jobs j JOIN samples s ON s.id = sample_id WHERE {THESE}""",
    "charges": f"""
        SELECT count(*), md5(string_agg(row(u.kind, entry_key, quantity)::text, '' ORDER BY entry_key))
        FROM api_usage u JOIN samples s ON s.id = split_part(entry_key, ':', 2) WHERE {THESE}""",
}
LARGEST = """
    SELECT u.id, email, count(*) FROM users u JOIN samples s ON s.user_id = u.id
    GROUP BY u.id, email ORDER BY 3 DESC LIMIT 1"""


class Contents(NamedTuple):
    """How many there are, and one checksum of them all."""

    amount: int
    checksum: str


def largest_library(database_url: str) -> Owner:
    """Return the owner of the largest library."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(LARGEST).fetchone()
    assert row is not None
    return Owner(str(row[0]), str(row[1]), int(row[2]))


def read_library(database_url: str, owner_id: str, newer: str) -> dict[str, Contents]:
    """Return counts and checksums of what the owner had before the sample id `newer`."""
    with psycopg.connect(database_url) as connection:
        found = {}
        for name, statement in ROWS.items():
            row = connection.execute(statement, {"newer": newer, "owner": owner_id}).fetchone()
            assert row is not None
            found[name] = Contents(int(row[0]), str(row[1]))
    return found


def read_store(bucket: Any, prefix: str) -> Contents:
    """Return how many objects are below a prefix, and a checksum of their names and contents."""
    digest, count = hashlib.sha256(), 0
    for each in sorted(bucket.objects.filter(Prefix=prefix), key=lambda found: str(found.key)):
        digest.update(each.key.encode() + each.get()["Body"].read())
        count += 1
    return Contents(count, digest.hexdigest()[:32])
