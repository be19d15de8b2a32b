"""Convert what the operator's pages show to JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.admin.graphs import QueueGraph
from app.admin.job_search import JobPage
from app.admin.queue_figures import QueueSummary, WorkerRow
from app.models import AccountClosing, AiCall, Attempt, Job, OutboxMessage, Usage


def queues_json(
    cards: QueueSummary, workers: list[WorkerRow], results: JobPage, graphs: list[QueueGraph]
) -> dict[str, Any]:
    return {
        "cards": cards.to_dict(),
        "workers": [_worker_fields(line) for line in workers],
        "jobs": [_job_fields(job) for job in results.jobs],
        "next_after": results.next_after,
        "graphs": [
            {"name": graph.name, "span": graph.span, "unit": graph.unit, "values": graph.values}
            for graph in graphs
        ],
    }


def job_json(
    job: Job, attempts: list[Attempt], ai_calls: list[tuple[Usage, AiCall | None]]
) -> dict[str, Any]:
    return _job_fields(job) | {
        "attempts": [_attempt_fields(attempt) for attempt in attempts],
        "ai_calls": [
            {"key": entry.entry_key, "quantity": entry.quantity, "cost_usd": str(entry.cost_usd)}
            | _call_fields(call)
            for entry, call in ai_calls
        ],
    }


def message_json(message: OutboxMessage) -> dict[str, Any]:
    same = ("id", "key", "kind", "attempts", "last_error")
    return {name: getattr(message, name) for name in same} | {"next_try_at": _iso_time(message.next_try_at)}


def closing_json(closing: AccountClosing) -> dict[str, Any]:
    same = ("user_id", "step", "tries", "is_stuck", "last_error")
    times = ("requested_at", "next_try_at")
    return {name: getattr(closing, name) for name in same} | {
        name: _iso_time(getattr(closing, name)) for name in times
    }


def _job_fields(job: Job) -> dict[str, Any]:
    same = (
        "id",
        "purpose",
        "filename",
        "state",
        "step",
        "tier",
        "attempt",
        "retries",
        "worker",
        "error",
        "size_bytes",
    )
    times = ("created_at", "run_at", "started_at", "finished_at", "kept_until")
    return (
        {name: getattr(job, name) for name in same}
        | {name: _iso_time(getattr(job, name)) for name in times}
        | {"user": job.user.email}
    )


def _attempt_fields(attempt: Attempt) -> dict[str, Any]:
    same = ("number", "worker", "outcome", "exit_status", "wait_s", "run_s", "steps", "detail")
    return {name: getattr(attempt, name) for name in same} | {
        "started_at": _iso_time(attempt.started_at),
        "ended_at": _iso_time(attempt.ended_at),
    }


def _call_fields(call: AiCall | None) -> dict[str, Any]:
    """Return a call's fields; none for a row that reserves or returns money without a call."""
    what = ("model", "attempt", "outcome", "generation_id")
    same = (*what, "prompt_tokens", "completion_tokens", "is_estimated", "latency_ms")
    return {name: getattr(call, name) for name in same} if call is not None else {}


def _worker_fields(line: WorkerRow) -> dict[str, Any]:
    worker = line.worker
    return {
        "id": worker.id,
        "host": worker.host,
        "pid": worker.pid,
        "slots": worker.slots,
        "state": line.state,
        "beat_at": _iso_time(worker.beat_at),
        "jobs": [job.id for job in line.jobs],
    }


def _iso_time(time: datetime | None) -> str | None:
    return time.isoformat() if time is not None else None
