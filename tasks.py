"""List every task of the queue. A task takes ids, calls one function and returns nothing.

What there is to do stands in the database; a message in the queue only wakes a worker. So a lost message
delays work by moments, until a heartbeat or the housekeeping finds it.
"""

from __future__ import annotations

import atexit
import logging
import os
import time
from collections.abc import Callable
from functools import partial

from huey import crontab
from huey.api import Task, TaskWrapper
from huey.signals import SIGNAL_INTERRUPTED

from app.account import closing, data_export, kept_archives
from app.admin import metric_totals
from app.auth import login_sessions
from app.billing import overage_charges, payment_events, storage_totals, subscription_refresh
from app.billing.plans import PRO_TIER
from app.cards import card_orders
from app.collections import collection_edits
from app.deduplication.comparison import compare_due_samples
from app.engine import dispatch
from app.imports import project_uploads
from app.jobs import cleanup, message_lanes, run, scheduler, workers
from app.jobs.heartbeat_thread import start_heartbeat
from app.jobs.reconcile import release_own_jobs, requeue_abandoned
from app.jobs.side_threads import run_aside
from app.jobs.task_context import app_context, has_app, run_chores
from app.kits import kit_bases, kit_list
from app.library import cleanups, trash
from app.models import User
from app.models.base import utcnow
from app.notify import mail_links, outbox, outbox_retention, webhook_delivery
from app.notify.batch_completion import settle_abandoned
from app.queue import FREE_PRIORITY, HOUSE_PRIORITY, PAID_PRIORITY, huey
from app.reprocessing import vector_orders
from app.search.folded_rows import fold_changed_rows
from app.search.indexing import follow_all_changes
from app.upload import direct_uploads

log = logging.getLogger(__name__)

MAX_WAKE_UPS, HAND_ON_PAUSE_S = 100, 0.5
# When the worker ends, messages being sent get this long; after that another worker sends them again.
STOP_SENDING_S = 3.0


@huey.task(name="run_job")
def run_job() -> None:
    """Run the best ready job, whichever that is by now. Its mails and webhooks are sent elsewhere."""
    with app_context():
        ending = run.run_next()
        if ending is None:
            _pass_on_wake_up()
            return
        if ending.retry_at is not None:
            run_job.schedule(delay=max((ending.retry_at - utcnow()).total_seconds(), 0) + 1)
        wake_for_ready_jobs(1)  # a job may have waited for this slot after its own wake-up signal was used
    message_lanes.send_mails()
    run_aside("duplicates", compare_due_samples)


@huey.task(name="make_exports", priority=FREE_PRIORITY)
def make_exports() -> None:
    """Make every account export that is due, continue every deletion, and send the mails about them."""
    run_aside("exports", closing.finish_due_closings, data_export.make_due_exports, message_lanes.send_mails)


@huey.task(name="send_mails", priority=PAID_PRIORITY)
def send_mails() -> None:
    """Send every mail that is due, because somebody waits for one at the screen."""
    message_lanes.send_mails()


@huey.task(name="send_webhooks", priority=FREE_PRIORITY)
def send_webhooks() -> None:
    """Send every webhook that is due; called when an owner asks for a replay."""
    message_lanes.send_webhooks()


@huey.task(name="send_outbox", priority=PAID_PRIORITY)
def send_outbox() -> None:
    """Send every message that is due, of any kind, because an operator asked for one."""
    message_lanes.send_mails()
    message_lanes.send_webhooks()
    run_aside("usage", outbox.deliver_usage)


@huey.task(name="free_duplicates", priority=PAID_PRIORITY)
def free_duplicates() -> None:
    """Free every group of duplicates, or bring back every sample, that a user asked for."""
    run_aside("cleanups", cleanups.continue_cleanups)


@huey.task(name="apply_payment_events", priority=PAID_PRIORITY)
def apply_payment_events() -> None:
    """Apply every Stripe event that waits."""
    run_aside("payment-events", partial(payment_events.apply_due_events, move_to_plan))


@huey.periodic_task(crontab(hour="3", minute="41"), name="reconcile_payments", priority=HOUSE_PRIORITY)
def reconcile_payments() -> None:
    """Refresh every customer from Stripe each night, whatever events were lost."""
    run_aside("reconcile-payments", _refresh_known)


@huey.periodic_task(crontab(), name="run_housekeeping", priority=HOUSE_PRIORITY)
def run_housekeeping() -> None:
    """Take up, every minute, whatever a crash or a lost message left undone.

    Chores that call Stripe or the store run in separate threads, because nobody knows how long they take.
    """
    run_chores(
        requeue_abandoned,
        wake_for_ready_jobs,
        settle_abandoned,
        _wake_for_due_exports,
        workers.remove_silent,
    )
    message_lanes.send_mails()
    run_aside("usage", outbox.deliver_usage)
    run_aside("purge", trash.purge_deleted, kit_list.purge_deleted_kits, collection_edits.purge_collections)
    run_aside("follow-changes", follow_all_changes)
    run_aside("duplicates", compare_due_samples)
    run_aside("cleanups", cleanups.continue_cleanups)
    run_aside("vectors", vector_orders.make_missing_vectors)
    run_aside("totals", metric_totals.add_up_totals)
    run_aside("refresh-payments", refresh_overdue)


@huey.periodic_task(crontab(minute="17"), name="remove_leftovers", priority=HOUSE_PRIORITY)
def remove_leftovers() -> None:
    """Remove, every hour, what nothing refers to any more, and bring older samples up to date."""
    run_aside(
        "leftovers",
        cleanup.remove_temporary_files,
        cleanup.remove_orphans,
        kit_bases.remove_abandoned,
        direct_uploads.purge_abandoned,
        login_sessions.purge_idle_sessions,
        kept_archives.purge_old_exports,
        outbox_retention.purge_finished,
        mail_links.purge_old_links,
        webhook_delivery.purge_old_deliveries,
        payment_events.purge_applied,
        cleanups.remove_leftovers,
        card_orders.remove_old_cards,
        project_uploads.remove_old_uploads,
        fold_changed_rows,
        vector_orders.order_missing_vectors,
    )


@huey.periodic_task(crontab(hour="3", minute="40"), name="reconcile_usage", priority=HOUSE_PRIORITY)
def reconcile_usage() -> None:
    """Check, every night, whether Stripe has counted what is owed, and add up what is stored."""
    run_aside("reconcile-usage", overage_charges.reconcile_with_stripe, storage_totals.keep_totals)


# Messages that the previous version queued carry these names. They go with the next release.
for _name, _task in (("work", run_job), ("keep_house", run_housekeeping), ("sweep", remove_leftovers)):
    huey.task(name=_name)(_task.func)


@huey.on_startup(name="prepare_worker")
def prepare_worker() -> None:
    """Start the heartbeat, do the housekeeping at once and warm up the engine for the first job.

    Huey swallows an error of this function, so a consumer that was started without an app ends here: it
    would take every message and run none.
    """
    if not has_app():
        log.critical("this consumer has no app: start huey_consumer app.worker.huey")
        os._exit(1)
    logging.getLogger("huey").handlers.clear()  # the consumer's own: our log already has the same lines
    start_heartbeat(heartbeat)
    start_sending()
    wake(run_housekeeping)
    with app_context():
        dispatch.warm_up()


def start_sending() -> None:
    """Send messages in this process until it ends; then those being sent get a moment."""
    message_lanes.start_lanes()
    atexit.unregister(message_lanes.stop_lanes)  # each thread of the worker comes here
    atexit.register(message_lanes.stop_lanes, STOP_SENDING_S)


@huey.on_shutdown(name="stop_sending")
def stop_sending() -> None:
    """Take no more messages from the moment the worker is told to stop."""
    message_lanes.stop_lanes(0)


@huey.signal(SIGNAL_INTERRUPTED)
def give_back_jobs(_signal: str, _task: Task) -> None:
    """Give back the jobs that are not finished when the worker's time to stop has run out."""
    run_chores(release_own_jobs)


def heartbeat() -> None:
    """Find lost work within moments: every worker process runs this every few seconds.

    Nothing depends on one process or one kind of task: should this thread die, housekeeping does the same.
    """
    run_chores(workers.send_heartbeat, requeue_abandoned, _fill_slots, _wake_for_due_events)


def move_to_plan(user: User) -> None:
    """Move a user's waiting jobs to the place their new plan gives them; paid ones start at once."""
    if scheduler.move_to_plan(user):
        wake_for_ready_jobs()


def refresh_customer(customer_id: str) -> None:
    """Take over what Stripe says of a customer: their plan, their quota and the place of their jobs."""
    user = subscription_refresh.refresh_subscription(customer_id)
    if user is not None:
        move_to_plan(user)


def refresh_overdue() -> None:
    """Refresh customers whose period has ended, in case the event that tells of it was lost."""
    run_chores(*(partial(refresh_customer, each) for each in subscription_refresh.overdue_customer_ids()))


def _refresh_known() -> None:
    run_chores(*(partial(refresh_customer, each) for each in subscription_refresh.known_customer_ids()))


def wake(task: TaskWrapper, priority: int | None = None) -> None:
    """Wake a worker for a task, after the commit of the row that asks for it.

    When the queue is down, the next heartbeat or housekeeping finds the row.
    """
    try:
        task(priority=priority)
    except Exception:
        log.exception("no worker could be woken; the next heartbeat or housekeeping does %s", task.name)


def wake_for_job(tier: str) -> None:
    """Wake a worker for a ready job of this tier."""
    wake(run_job, PAID_PRIORITY if tier == PRO_TIER else FREE_PRIORITY)


def wake_for_ready_jobs(most: int = MAX_WAKE_UPS) -> None:
    """Wake workers for the jobs that are due, unless the queue holds enough wake-up signals already."""
    if (waiting := huey.pending_count()) < most:
        for tier in scheduler.ready_tiers(most)[waiting:]:
            wake_for_job(tier)


def _fill_slots() -> None:
    """Wake for as many ready jobs as this worker has free slots."""
    wake_for_ready_jobs(min(workers.free_slots(), MAX_WAKE_UPS))


def _pass_on_wake_up() -> None:
    """Leave a ready job to another worker when this one is paused or full of free jobs.

    The pause lets that worker look before this thread does again.
    """
    for tier in scheduler.ready_tiers(1):
        wake_for_job(tier)
        time.sleep(HAND_ON_PAUSE_S)


def _wake_if(is_due: Callable[[], bool], task: TaskWrapper) -> None:
    if is_due():
        wake(task)


_wake_for_due_events = partial(_wake_if, payment_events.has_due_events, apply_payment_events)
_wake_for_due_exports = partial(
    _wake_if, lambda: data_export.has_due_exports() or closing.has_due_closings(), make_exports
)
