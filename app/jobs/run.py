"""Run one attempt at one job: the steps of its purpose, in order, then its end, good or bad.

Steps return values. Only this module remembers them and has them written to the job.
"""

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
from app.extensions import settings
from app.integrations.storage import StorageError, open_store
from app.jobs import claims, lease, purposes, reprocess, transitions
from app.jobs.lease import Claim, LeaseLostError
from app.jobs.purposes import Results, StepInput
from app.jobs.transitions import Transition
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
        with lease.keep_lease(claim) as is_held, _workspace(claim) as folder:
            return _run_steps(claim, folder, is_held)
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


def _run_steps(claim: Claim, folder: Path, is_held: Callable[[], bool]) -> Transition:
    """Run the steps of the job's purpose and complete it.

    A step that an earlier attempt finished is neither run nor paid for again.
    """
    purpose, results = purposes.find_purpose(claim.purpose), dict(claim.results)

    def record(stage: str, found: Results) -> None:
        results.update(found)
        lease.save_step(claim, stage, results)

    if purpose.is_about_sample:
        reprocess.check_sample_exists(claim)
    for step in purpose.steps:
        if step.result_key not in results and step.is_wanted(claim):
            found = step.run(StepInput(claim, results, folder, is_held, record))
            record(step.name, {step.result_key: found})
    if claim.original_key:
        open_store(settings()).copy(claim.incoming_key, claim.original_key)
    return transitions.complete(claim, results)


def _wait_for_database(claim: Claim, detail: str) -> Transition:
    """Postpone the job without counting a try, retrying for less time than the lease has left."""
    for pause_s in DATABASE_PAUSES_S:
        time.sleep(pause_s)
        with suppress(OperationalError):
            return transitions.postpone(claim, detail)
    return transitions.postpone(claim, detail)


@contextmanager
def _workspace(claim: Claim) -> Iterator[Path]:
    """Yield a work folder of this attempt's own, and remove it afterwards, whatever happened."""
    parent = settings().data_dir.resolve() / "tmp"
    parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f"job-{claim.job_id}-", dir=parent) as folder:
        yield Path(folder)
