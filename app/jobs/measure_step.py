"""The step that listens: one run of the engine over the bytes of a job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.audio.errors import UnreadableAudio
from app.engine import dispatch
from app.engine.contract import EngineOrder, Measurement, ProgressListener
from app.extensions import settings
from app.integrations.storage import ObjectMissingError, open_store
from app.jobs import claims
from app.jobs.claims import Claim
from app.models.job import ANALYSED, DECODED

WAV_TYPE = "audio/wav"
ORIGINAL_MISSING = "Its original is not in our store any more."


def measure_sound(claim: Claim, folder: Path, still_ours: Callable[[], bool]) -> None:
    """Measure, and render the unit's WAV; each step is remembered as soon as it is done.

    The WAV of a sample that is there is replaced whole, by one of the same bytes: it is right however the
    job ends.
    """

    def decoded(rendered: Path) -> None:
        open_store(settings()).put(claim.wav_key, rendered, WAV_TYPE)
        claims.save_step(claim, DECODED, sp404_key=claim.wav_key)

    def measured(measurement: Measurement) -> None:
        if not claim.content_sha256:
            claims.save_content_hash(claim, measurement.file_sha256)
        claims.save_step(claim, ANALYSED, analysis=measurement.to_dict())

    order = EngineOrder(
        about=claim.job_id,
        name=claim.filename,
        ai_analysis=False,  # who may be asked, and for how much, is known here
        limit_s=settings().job_limit_s,
    )
    try:
        dispatch.process_file(
            claim.source_key, folder, order, ProgressListener(decoded, measured, still_ours)
        )
    except ObjectMissingError as error:
        if claim.is_upload:
            raise  # its file may be late
        raise UnreadableAudio(ORIGINAL_MISSING) from error
