"""Choose what a job plays: the decoded sound, or the uploaded file while that is not decoded yet."""

from __future__ import annotations

from typing import NamedTuple

from app.audio.decoding.format_sniffer import FORMATS, WAV, AudioFormat
from app.jobs import purposes
from app.models import Job


class PlayableFile(NamedTuple):
    """An object of the store that a browser can play."""

    key: str
    mime: str


def find_playable(job: Job) -> PlayableFile | None:
    """Return what can be played of a job now, or None."""
    if job.playable_key is not None:
        return PlayableFile(job.playable_key, WAV.mime)
    source = _kept_format(job)
    if source is None or not source.plays_in_browsers:
        return None
    return PlayableFile(str(job.incoming_key), source.mime)


def unplayable_format(job: Job) -> str | None:
    """Return the name of the format that keeps a job's file from being played before it is decoded."""
    source = None if job.playable_key is not None else _kept_format(job)
    return source.name if source is not None and not source.plays_in_browsers else None


def _kept_format(job: Job) -> AudioFormat | None:
    """Return the format of the uploaded file while it is kept: until its job ends, or may be retried."""
    if not purposes.find_purpose(job.purpose).has_uploaded_file or not job.incoming_key:
        return None
    return FORMATS.get(job.format or "") if not job.is_finished or job.may_be_retried else None
