"""Run one attempt at one job: the steps of its purpose, in order, then its end, good or bad.

Steps return values. Only this module remembers them and has them written to the job.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from app import logs
from app.extensions import settings
from app.integrations.storage import open_store
from app.jobs import claims, failures, lease, purposes, reprocess, transitions
from app.jobs.lease import Claim, LeaseLostError
from app.jobs.purposes import Results, StepInput
from app.jobs.transitions import Transition
from app.sandbox.errors import EngineError

log = logging.getLogger(__name__)


def run_next() -> Transition | None:
    """Run the best ready job; None when there is none."""
    claim = claims.claim_next()
    if claim is None:
        return None
    with logs.log_context(claim.log_name, claim.request_id):
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
    except Exception as error:
        return failures.end_failed_attempt(claim, error)


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
    work = StepInput(claim, results, folder, is_held, record)
    for step in purpose.steps:
        if step.result_key not in results and step.is_wanted(claim):
            found = step.run(work)
            record(step.name, {step.result_key: found})
    if claim.original_key:
        open_store(settings()).copy(claim.incoming_key, claim.original_key)
    return transitions.complete(claim, purpose.gather(work))


@contextmanager
def _workspace(claim: Claim) -> Iterator[Path]:
    """Yield a work folder of this attempt's own, and remove it afterwards, whatever happened."""
    parent = settings().data_dir.resolve() / "tmp"
    parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f"job-{claim.job_id}-", dir=parent) as folder:
        yield Path(folder)
