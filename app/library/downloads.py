"""Links to a sample's bytes, named for where they go."""

from __future__ import annotations

from app.billing import quota
from app.extensions import settings
from app.integrations.storage import open_store
from app.models import Sample
from app.models.base import new_id, transaction
from app.sp404 import pad_names

WAV = "audio/wav"
BINARY = "application/octet-stream"


def audio_url(sample: Sample) -> str:
    """For the player: the unit's own WAV, which every browser plays without a gap."""
    return open_store(settings()).url(sample.sp404_key, content_type=WAV)


def original_url(sample: Sample) -> str:
    """The file exactly as it came, under the name it came with."""
    url = open_store(settings()).url(sample.original_key, content_type=BINARY, download_name=sample.filename)
    _record_export(sample)
    return url


def sp404_url(sample: Sample) -> str:
    """48 kHz, 16 bit, under a name that the unit can show and load."""
    name = f"{pad_names.safe_name(pad_names.append_facts(sample.name, sample.bpm, sample.key))}.wav"
    url = open_store(settings()).url(sample.sp404_key, content_type=WAV, download_name=name)
    _record_export(sample)
    return url


def _record_export(sample: Sample) -> None:
    with transaction():
        quota.record_export(sample, new_id())
