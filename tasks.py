"""List every task of the queue. A task takes ids, calls one function and returns nothing."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from flask import Flask, has_app_context
from huey import crontab

from app.auth import data_export, login_sessions
from app.billing import overage_charges, payment_events, subscriptions
from app.billing.plans import PRO_TIER
from app.engine import dispatch
from app.jobs import cleanup, run, scheduler, workers
from app.jobs.reconcile import requeue_abandoned
from app.library import trash
from app.models import User
from app.models.base import utcnow
from app.notify import outbox, webhook_delivery
from app.notify.batch_completion import settle_abandoned
from app.queue import FREE_PRIORITY, HOUSE_PRIORITY, PAID_PRIORITY, huey
from app.upload import direct_uploads

log = logging.getLogger(__name__)

MAX_WAKE_UPS = 100
HEARTBEAT_THREAD, HAND_ON_PAUSE_S = "heart", 0.5


@huey.task(name="work")
def run_job() -> None:
    """A permit: run the best ready job, whichever that is by now."""
    with _app_context():
        ending = run.run_next()
        if ending is None:
            _pass_on_wake_up()
            return
        if ending.retry_at is not None:
            run_job.schedule(delay=max((ending.retry_at - utcnow()).total_seconds(), 0) + 1)
        wake_for_ready_jobs(1)  # a job may have waited for this slot, its permit long spent
        outbox.deliver_mails()
        _wake_for_due_webhooks()


@huey.task(name="make_exports")
def make_exports() -> None:
    """Every export that waits; the row is the request, so losing this message loses nothing."""
    with _app_context():
        data_export.make_due_exports()
        outbox.deliver_mails()


@huey.task(name="send_mails")
def send_mails() -> None:
    """What somebody waits for at the screen; whatever is due goes out."""
    with _app_context():
        outbox.deliver_mails()


@huey.task(name="send_webhooks")
def send_webhooks() -> None:
    """Every webhook that is due. Receivers may be slow, so mails do not wait behind them."""
    with _app_context():
        outbox.deliver_webhooks()


@huey.task(name="apply_payment_events")
def apply_payment_events() -> None:
    """Every event of Stripe's that waits; the row is the job, so losing this message loses nothing."""
    with _app_context():
        payment_events.apply_due_events(move_to_plan)


@huey.periodic_task(crontab(hour="3", minute="41"), name="reconcile_payments", priority=HOUSE_PRIORITY)
def reconcile_payments() -> None:
    """Every night: whatever events were lost, each customer is written down as Stripe has them."""
    with _app_context():
        for customer_id in subscriptions.known_customer_ids():
            _run_chore(partial(refresh_customer, customer_id))


@huey.periodic_task(crontab(), name="keep_house", priority=HOUSE_PRIORITY)
def run_housekeeping() -> None:
    """Every minute: whatever a crash or a lost message left undone is taken up again."""
    with _app_context():
        for chore in (
            requeue_abandoned,
            wake_for_ready_jobs,
            settle_abandoned,
            outbox.deliver_mails,
            outbox.deliver_usage,
            trash.purge_deleted,
            _wake_for_due_exports,
            _wake_for_due_webhooks,
            refresh_overdue,
            workers.remove_silent,
        ):
            _run_chore(chore)


@huey.periodic_task(crontab(minute="17"), name="sweep", priority=HOUSE_PRIORITY)
def remove_leftovers() -> None:
    """Every hour: files and objects that nobody refers to."""
    with _app_context():
        for chore in (
            cleanup.remove_temporary_files,
            cleanup.remove_orphans,
            direct_uploads.purge_abandoned,
            login_sessions.purge_idle_sessions,
            data_export.purge_old_exports,
            webhook_delivery.purge_old_deliveries,
            payment_events.purge_applied,
        ):
            _run_chore(chore)


@huey.periodic_task(crontab(hour="3", minute="40"), name="reconcile_usage", priority=HOUSE_PRIORITY)
def reconcile_usage() -> None:
    """Every night: whether Stripe has counted what is owed."""
    with _app_context():
        _run_chore(overage_charges.reconcile_with_stripe)


@huey.on_startup(name="get_ready")
def prepare_worker() -> None:
    """A worker that comes back does not wait for the next minute, nor its first job for the engine."""
    logging.getLogger("huey").handlers.clear()  # the consumer's own: our format says the same line already
    _start_heartbeat()
    run_housekeeping()
    with _app_context():
        dispatch.warm_up()


def heartbeat() -> None:
    """Every few seconds, from a thread of every worker: whatever is lost, this finds within moments.

    Nothing rests on one process or on one kind of task: `keep_house` does the same, should this thread die.
    """
    with _app_context():
        for chore in (
            workers.send_heartbeat,
            requeue_abandoned,
            _fill_slots,
            _wake_for_due_webhooks,
            _wake_for_due_events,
        ):
            _run_chore(chore)


def move_to_plan(user: User) -> None:
    """A user's plan has changed: their waiting jobs go where it puts them, and paid ones start at once."""
    if scheduler.move_to_plan(user):
        wake_for_ready_jobs()


def refresh_customer(customer_id: str) -> None:
    """What is true at Stripe takes effect here: the plan, the quota, and the place of waiting jobs."""
    user = subscriptions.refresh_subscription(customer_id)
    if user is not None:
        move_to_plan(user)


def refresh_overdue() -> None:
    """A period that has ended is looked at in minutes, even when the event that tells of it is lost."""
    for customer_id in subscriptions.overdue_customer_ids():
        _run_chore(partial(refresh_customer, customer_id))


def wake_for_ready_jobs(most: int = MAX_WAKE_UPS) -> None:
    """Permits for the jobs that could start, as far as they are not in the queue already."""
    for tier in scheduler.ready_tiers(most)[huey.pending_count() :]:
        wake_for_job(tier)


def _pass_on_wake_up() -> None:
    """What is ready and not for this worker, as it is paused or full of free work, is for another.

    Then a rest, so that whoever may take the permit looks before this thread does again.
    """
    for tier in scheduler.ready_tiers(1):
        wake_for_job(tier)
        time.sleep(HAND_ON_PAUSE_S)


def _fill_slots() -> None:
    """Nothing that is ready waits while a slot of this worker is free."""
    wake_for_ready_jobs(min(workers.free_slots(), MAX_WAKE_UPS))


def wake_for_job(tier: str) -> None:
    """Tell the workers that a job is ready. The row is the job, so losing this loses nothing."""
    try:
        run_job(priority=PAID_PRIORITY if tier == PRO_TIER else FREE_PRIORITY)
    except Exception:
        log.exception("no worker could be woken; the job starts with the next round of keep_house")


def _wake_for_due_webhooks() -> None:
    if outbox.has_due_webhooks():
        wake_webhooks()


def wake_webhooks() -> None:
    """Tell the workers that a webhook is due; otherwise the next beat of any of them does."""
    try:
        send_webhooks(priority=FREE_PRIORITY)
    except Exception:
        log.exception("no worker could be woken; webhooks go out with the next beat")


def wake_mails() -> None:
    """Tell the workers that a mail is waited for; otherwise keep_house sends it within a minute."""
    try:
        send_mails(priority=PAID_PRIORITY)
    except Exception:
        log.exception("no worker could be woken; the mail goes out with the next round of keep_house")


def _wake_for_due_events() -> None:
    if payment_events.has_due_events():
        wake_payment_events()


def wake_payment_events() -> None:
    """Tell the workers that an event of Stripe's waits; otherwise the next beat of any of them does."""
    try:
        apply_payment_events(priority=PAID_PRIORITY)
    except Exception:
        log.exception("no worker could be woken; the event is applied with the next beat")


def _wake_for_due_exports() -> None:
    if data_export.has_due_exports():
        wake_exports()


def wake_exports() -> None:
    """Tell the workers that an export waits; otherwise keep_house finds it within a minute."""
    try:
        make_exports(priority=FREE_PRIORITY)
    except Exception:
        log.exception("no worker could be woken; the export is made with the next round of keep_house")


def _run_chore(chore: Callable[[], object]) -> None:
    """One chore that fails keeps no other from being done."""
    try:
        chore()
    except Exception:
        log.exception("%s failed; it is tried again next time", getattr(chore, "__name__", chore))


@contextmanager
def _app_context() -> Iterator[None]:
    """Enter the app of this process. A context that is open already keeps its database session."""
    if has_app_context():
        yield
        return
    if _app is None:
        raise RuntimeError("tasks run in a worker: start huey_consumer app.worker.huey")
    with _app.app_context():
        yield


_app: Flask | None = None


def set_app(app: Flask) -> None:
    """Set the app whose context every task of this process runs in."""
    global _app
    _app = app


_START_LOCK = threading.Lock()


def _start_heartbeat() -> None:
    """One thread a process, whichever of its workers comes first."""
    with _START_LOCK:
        if any(thread.name == HEARTBEAT_THREAD for thread in threading.enumerate()):
            return
        heartbeat()  # registered before anything is claimed
        threading.Thread(target=_heartbeat_loop, name=HEARTBEAT_THREAD, daemon=True).start()
        atexit.register(_unregister_worker)


def _heartbeat_loop() -> None:
    while True:
        time.sleep(workers.HEARTBEAT_S)
        heartbeat()


def _unregister_worker() -> None:
    with _app_context():
        _run_chore(workers.unregister)
