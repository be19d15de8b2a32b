"""The measuring step: one run of the engine over the bytes of a job."""

from __future__ import annotations

from pathlib import Path

from app.audio.errors import UnreadableAudio
from app.audio.result import Measurement
from app.engine import dispatch
from app.engine.contract import EngineOrder, ProgressListener
from app.extensions import settings
from app.integrations.storage import ObjectMissingError, open_store
from app.jobs.purposes import ANALYSIS, Stage, Step, StepInput
from app.models.job import ANALYSED, DECODED

WAV_TYPE = "audio/wav"
ORIGINAL_MISSING = "The original file is no longer in our storage."


def measure_sound(work: StepInput) -> Measurement:
    """Measure the sound and return what was found; put the unit's WAV into the store on the way.

    The WAV is reported as soon as it can be played. The WAV of an existing sample is replaced whole, by one
    rendered from the same bytes, so it is right however the job ends.
    """
    claim = work.claim

    def store_wav(rendered: Path) -> None:
        open_store(settings()).put(claim.wav_key, rendered, WAV_TYPE)
        work.report(DECODED, {"sp404_key": claim.wav_key})

    order = EngineOrder(
        about=claim.job_id,
        name=claim.filename,
        ai_analysis=False,  # the describing step knows which model may be asked, and for how much
        limit_s=settings().job_limit_s,
    )
    listener = ProgressListener(store_wav, lambda _: None, work.is_held)
    try:
        return dispatch.process_file(claim.source_key, work.folder, order, listener).measurement
    except ObjectMissingError as error:
        if claim.incoming_key:
            raise  # an upload's file may still arrive
        raise UnreadableAudio(ORIGINAL_MISSING) from error


MEASURE = Step(
    stages=(
        Stage(DECODED, "Decoding the file."),
        Stage(ANALYSED, "Finding tempo, key and sound type. You can play it already."),
    ),
    result_key=ANALYSIS,
    run=lambda work: measure_sound(work).to_dict(),
)
