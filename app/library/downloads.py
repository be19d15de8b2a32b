"""Links to a sample's audio, under the name that its destination can use."""

from __future__ import annotations

from app.billing import quota
from app.extensions import settings
from app.integrations.storage import open_store
from app.library.pad_file_names import assign_pad_name
from app.models import Sample
from app.models.base import new_id, transaction

WAV = "audio/wav"
BINARY = "application/octet-stream"


class TooLongForPadError(Exception):
    """The sample is longer than a pad of the unit holds; the message is for the user."""

    def __init__(self) -> None:
        super().__init__("An SP-404MKII pad holds 16 minutes. Cut this sample into shorter files first.")


def audio_url(sample: Sample) -> str:
    """Return a link for the player: the WAV for the unit, which every browser plays without a gap."""
    return open_store(settings()).url(sample.sp404_key, content_type=WAV)


def original_url(sample: Sample) -> str:
    """Return a download link to the uploaded file under its own name, and record the export."""
    with transaction():
        quota.record_exports(sample.user_id, [new_id()])
    name = sample.filename
    return open_store(settings()).url(sample.original_key, content_type=BINARY, download_name=name)


def sp404_url(sample: Sample) -> str:
    """Return a download link to the WAV for the unit, and record the export.

    The WAV has 48 kHz and 16 bit. Its name is one that the unit shows and loads, and that no other sample of
    the user has. Raises TooLongForPadError.
    """
    if not sample.fits_a_pad:
        raise TooLongForPadError
    with transaction():
        name = f"{assign_pad_name(sample)}.wav"
        quota.record_exports(sample.user_id, [new_id()])
    return open_store(settings()).url(sample.sp404_key, content_type=WAV, download_name=name)
