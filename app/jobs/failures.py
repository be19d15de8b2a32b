"""Decide what a failed attempt leads to: a refusal for good, another try, or a wait that costs no try.

The file's fault is refused at once. Our own fault is tried again, three times in all. When something the job
depends on is away, the job waits and the attempt does not count as a try.
"""

from __future__ import annotations

import logging
import time
import traceback
from contextlib import suppress

from sqlalchemy.exc import OperationalError

from app.audio.errors import UnreadableAudio
from app.extensions import settings
from app.integrations.storage import StorageError
from app.jobs import transitions
from app.jobs.lease import Claim, LeaseLostError
from app.jobs.model_places import ModelsBusyError
from app.jobs.reprocess import SampleGoneError
from app.jobs.transitions import Transition
from app.sandbox.errors import EngineCancelled, EngineError, EngineTimeout, EngineUnavailable

log = logging.getLogger(__name__)

DATABASE_PAUSES_S = (0.5, 2, 5, 10)


def end_failed_attempt(claim: Claim, error: Exception) -> Transition:
    """End the attempt by the kind of its error. Call it while the error is being handled.

    Raises LeaseLostError when the attempt was stopped because another worker has the job.
    """
    match error:
        case SampleGoneError():
            return transitions.end_deleted(claim)
        case EngineCancelled():
            raise LeaseLostError(claim.log_name) from error
        case UnreadableAudio():
            return transitions.refuse(claim, str(error))
        case StorageError() | EngineUnavailable() | ModelsBusyError():
            return transitions.postpone(claim, str(error))
        case OperationalError():
            return _wait_for_database(claim, str(error))
        case EngineError():
            return transitions.retry_or_fail(claim, _engine_sentence(error), str(error), error.exit_status)
    log.exception("broke")
    return transitions.retry_or_fail(claim, "Something went wrong on our side.", traceback.format_exc())


def _engine_sentence(error: EngineError) -> str:
    if isinstance(error, EngineTimeout):
        return f"It took longer than {settings().job_limit_s:g} seconds."
    return "Processing stopped unexpectedly on this file."


def _wait_for_database(claim: Claim, detail: str) -> Transition:
    """Postpone the job without counting a try, retrying for less time than the lease has left."""
    for pause_s in DATABASE_PAUSES_S:
        time.sleep(pause_s)
        with suppress(OperationalError):
            return transitions.postpone(claim, detail)
    return transitions.postpone(claim, detail)
