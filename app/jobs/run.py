"""Run one attempt at one job: the steps of its purpose, in order, then its end, good or bad.

Steps return values. Only this module remembers them and has them written to the job.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from app import logs, tracing
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.jobs import claims, failures, lease, purposes, reprocess, transitions
from app.jobs.lease import Claim, LeaseLostError
from app.jobs.purposes import Results, StepInput
from app.jobs.transitions import Transition
from app.sandbox.errors import EngineError

log = logging.getLogger(__name__)

QUICK_STEP_S = 0.1


def run_next() -> Transition | None:
    """Run the best ready job; None when there is none."""
    claim = claims.claim_next()
    if claim is None:
        return None
    with logs.log_context(claim.log_name, claim.request_id), _attempt_span(claim):
        log.info("started: %s", ascii(claim.filename))
        try:
            ending = _run_attempt(claim)
        except LeaseLostError as error:
            killed = error.__cause__
            ending = transitions.end_lost(
                claim, killed.exit_status if isinstance(killed, EngineError) else None
            )
        log.info("ended: %s", ending)
        tracing.set_attributes({"job.ending": ending.state})
    return ending


@contextmanager
def _attempt_span(claim: Claim) -> Iterator[None]:
    """Record the attempt as a part of the trace in which the job was queued."""
    about: tracing.Attributes = {"job.id": claim.job_id, "job.attempt": claim.attempt}
    with tracing.continue_trace(claim.trace_parent), tracing.span(f"job {claim.purpose}", "consumer", about):
        yield


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

    A step that an earlier attempt finished is neither run nor paid for again. The results of a quick step are
    written together with what follows at once, because repeating it costs less than writing it.
    """
    purpose, results = purposes.find_purpose(claim.purpose), dict(claim.results)

    def record(stage: str, found: Results) -> None:
        results.update(found)
        lease.save_step(claim, stage, results)

    def save() -> None:
        lease.save_held_step(claim)

    if purpose.is_about_sample:
        reprocess.check_sample_exists(claim)
    work = StepInput(claim, results, folder, is_held, record, save)
    for step in purpose.steps:
        if step.result_key not in results and step.is_wanted(claim):
            if not step.saves_when_waiting:
                save()
            began = time.monotonic()
            with tracing.span(f"step {step.name}"):
                results[step.result_key] = step.run(work)
            lease.hold_step(claim, step.name, results)
            if time.monotonic() - began >= QUICK_STEP_S:
                save()
    db.session.commit()  # no transaction is open while the store copies
    if claim.original_key:
        open_store(settings()).copy(claim.incoming_key, claim.original_key)
    with tracing.span("complete job"):
        return transitions.complete(claim, purpose.gather(work))


@contextmanager
def _workspace(claim: Claim) -> Iterator[Path]:
    """Yield a work folder of this attempt's own, and remove it afterwards, whatever happened."""
    parent = settings().data_dir.resolve() / "tmp"
    parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f"job-{claim.job_id}-", dir=parent) as folder:
        yield Path(folder)
