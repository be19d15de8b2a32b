"""The purpose of jobs that make a card of a kit."""

from __future__ import annotations

from typing import Any

from flask import url_for

from app.cards import card_job
from app.jobs.purposes import PROGRESS, DailyLimit, Purpose, Results, Stage, Step, StepInput, Wording
from app.models import Job
from app.models.job import READY, SHAPED
from app.models.webhook_endpoint import KIT_EXPORT_FAILED, KIT_EXPORT_READY
from app.notify.batch_mail import BatchWording
from app.notify.external_urls import external_url

CARD = "kit_export"
MAIL_AFTER_S = 60.0  # who gets the card at once needs no mail
KIT_UNCHANGED = "The kit has not changed."
CARD_LIMIT = DailyLimit(
    allowed=lambda plan: plan.exports,
    message="On the {plan} plan you can make {allowed:,} cards and large ZIPs every 24 hours, and you have "
    "{left:,} left. Try again tomorrow, or upgrade.",
)


def _make(work: StepInput) -> dict[str, Any]:
    def said(number: int, pads: int) -> None:
        work.report(SHAPED, {card_job.PADS_DONE: number, PROGRESS: f"Pad {number:,} of {pads:,}."})

    return card_job.make_card(work, said)


def _finish(job: Job, results: Results) -> None:
    card_job.finish_card(job, results)


CARD_PURPOSE = Purpose(
    name=CARD,
    steps=(
        Step(
            stages=(Stage(SHAPED, "Rendering the pads and writing the card."),), result_key="card", run=_make
        ),
    ),
    finish=_finish,
    wording=Wording(
        waiting="Card requested",
        completed="Card made",
        unsuccessful="Card requested",
        cancelled=f"Cancelled. {KIT_UNCHANGED}",
        plural="cards",
        file_refused=KIT_UNCHANGED,
        tries_used_up=f"{KIT_UNCHANGED} Try again, now or later.",
        file_unavailable=KIT_UNCHANGED,
        mail=BatchWording(
            "card",
            "ready",
            "made",
            min_wait_s=MAIL_AFTER_S,
            made="card",
            address=lambda job: external_url("cards.made", export_id=job.id),
        ),
    ),
    result_label="Download ZIP",
    result_address=lambda job: url_for("cards.made", export_id=job.id),
    completed_event=KIT_EXPORT_READY,
    failed_event=KIT_EXPORT_FAILED,
    daily_limit=CARD_LIMIT,
    last_stage=Stage(READY, "Keeping the card."),
)
