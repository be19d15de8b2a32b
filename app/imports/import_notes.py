"""What a job that brings a project back has made so far: megabytes, in the store and not in the job's row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.extensions import settings
from app.integrations.storage import ObjectMissingError, open_store
from app.jobs.purposes import StepInput

JSON_MIME = "application/json"
RETRIES = "retries"  # how often a person had queued the job again when they were written
MEASURED = "measured"  # the samples to make, by the digests of their files
KIT, KNOWN, PROBLEMS = "kit", "known", "problems"  # there once the step is done


def write_notes(work: StepInput, notes: Mapping[str, Any]) -> None:
    """Store the notes of a job in place of earlier ones."""
    file = work.folder / "notes.json"
    file.write_text(json.dumps(notes))
    open_store(settings()).put(work.claim.made_key, file, JSON_MIME)


def read_notes(work: StepInput) -> dict[str, Any]:
    """Return the notes of a job; nothing where there are none."""
    file = work.folder / "earlier.json"
    try:
        open_store(settings()).fetch(work.claim.made_key, file)
    except ObjectMissingError:
        return {}
    return dict(json.loads(file.read_text()))


def are_stored(*keys: str) -> bool:
    """Return whether all of these files are in the store."""
    try:
        return all(open_store(settings()).read(key, 0, 1) for key in keys)
    except ObjectMissingError:
        return False
