"""One attempt at one job: fetch, analyse in a child process, describe, finish; or fail well."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy.exc import OperationalError

from app import logs
from app.audio.errors import UnreadableAudio
from app.engine.contract import Measurement
from app.extensions import settings
from app.integrations.storage import StorageError, open_store
from app.jobs import claims, describe_step, measure_step, reprocess, transitions
from app.jobs.claims import Claim, LeaseLostError
from app.jobs.transitions import Transition
from app.models.job import ANALYSED, DESCRIBED, STEPS
from app.sandbox.errors import EngineCancelled, EngineError, EngineTimeout, EngineUnavailable

log = logging.getLogger(__name__)

DATABASE_PAUSES_S = (0.5, 2, 5, 10)


def run_next() -> Transition | None:
    """Run the best ready job; None when there is none."""
    claim = claims.claim_next()
    if claim is None:
        return None
    with logs.log_context(claim.log_name):
        log.info("started: %s", ascii(claim.filename))
        try:
            ending = _run_attempt(claim)
        except LeaseLostError as error:
            killed = error.__cause__
            ending = transitions.end_lost(
                claim, killed.exit_status if isinstance(killed, EngineError) else None
            )
        log.info("ended: %s", ending)
    return ending


def _run_attempt(claim: Claim) -> Transition:
    try:
        with claims.keep_lease(claim) as still_ours, _workspace(claim) as folder:
            return _run_steps(claim, folder, still_ours)
    except LeaseLostError:
        raise
    except reprocess.SampleGoneError:
        return transitions.end_deleted(claim)
    except EngineCancelled as error:
        raise LeaseLostError(claim.log_name) from error
    except UnreadableAudio as verdict:
        return transitions.refuse(claim, str(verdict))
    except (StorageError, EngineUnavailable) as error:
        return transitions.postpone(claim, str(error))
    except OperationalError as error:
        return _wait_for_database(claim, str(error))
    except EngineTimeout as error:
        sentence = f"It took longer than {settings().job_limit_s:g} seconds."
        return transitions.retry_or_fail(claim, sentence, str(error), error.exit_status)
    except EngineError as error:
        sentence = "The analysis stopped unexpectedly on this file."
        return transitions.retry_or_fail(claim, sentence, str(error), error.exit_status)
    except Exception:
        log.exception("broke")
        return transitions.retry_or_fail(claim, "Something on our side broke.", traceback.format_exc())


def _wait_for_database(claim: Claim, detail: str) -> Transition:
    """A database that restarts costs no try: it is asked again for less time than the lease has left."""
    for pause_s in DATABASE_PAUSES_S:
        time.sleep(pause_s)
        with suppress(OperationalError):
            return transitions.postpone(claim, detail)
    return transitions.postpone(claim, detail)


def _run_steps(claim: Claim, folder: Path, still_ours: Callable[[], bool]) -> Transition:
    """The steps of its purpose. What an earlier attempt has got done is neither done nor paid for again."""
    reprocess.check_sample_exists(claim)
    steps, results = STEPS[claim.purpose], claim.results
    if ANALYSED in steps and "analysis" not in results:
        measure_step.measure_sound(claim, folder, still_ours)
    if DESCRIBED in steps and "vibe" not in results:
        claims.save_step(claim, DESCRIBED, vibe=describe_step.describe_sound(claim, still_ours))
    if claim.original_key:
        open_store(settings()).copy(claim.incoming_key, claim.original_key)
    measurement = Measurement.from_dict(results["analysis"]) if "analysis" in results else None
    return transitions.complete(claim, measurement, results.get("vibe", {}))


@contextmanager
def _workspace(claim: Claim) -> Iterator[Path]:
    """A folder of this attempt's own that is gone afterwards, whatever happened."""
    parent = settings().data_dir.resolve() / "tmp"
    parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f"job-{claim.job_id}-", dir=parent) as folder:
        yield Path(folder)
