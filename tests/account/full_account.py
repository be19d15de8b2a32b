"""An account with a row in every table a user can have one in, and a search for what is left of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa
from flask import Flask

import tasks
from app.account import data_export
from app.admin import audit_trail
from app.audio.render.recipe import RenderRecipe
from app.auth import accounts, registration, two_factor_login
from app.cards import card_orders
from app.deduplication.comparison import compare_due_samples
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.jobs import run
from app.kits import history, kit_list, pad_edits, pattern_edits
from app.kits.kit_state import KitState
from app.library import cleanups, samples
from app.models import (
    AiAnswer,
    AiCall,
    Batch,
    DirectUpload,
    Invoice,
    Job,
    MeterDifference,
    OverageConsent,
    PaymentEvent,
    Sample,
    SampleMove,
    StorageTotal,
    Subscription,
    Usage,
    User,
    VectorOrder,
)
from app.models.base import new_id, transaction, utcnow
from app.models.job import FAILED
from app.models.user_session import CHANGE, RESET, VERIFY
from app.notify import mail_links, message_kinds, outbox, webhook_delivery
from app.search.indexing import follow_changes
from app.shaping import orders, presets
from app.sp404.project.step_beats import StepBeat, pattern_of_beat
from app.webhooks import endpoints
from tests.account.rows_of_account import ids_of, own_rows, secrets_of
from tests.billing.paying_producer import stripe_settings
from tests.fake_stripe.server import FakeStripe
from tests.fake_stripe.world import Object, World
from tests.imports import sending
from tests.sp404.project.made_files import small_project
from tests.support import PASSWORD, ApiScript, Browser, kick, uploaded_job

EMAIL = "clara.muster+beats@closing.example"


@dataclass
class FullAccount:
    """Everything by which the account could be recognised afterwards."""

    user: User
    user_id: str
    email: str
    browser: Browser
    script: ApiScript
    sample_id: str
    ids: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()

    @property
    def traces(self) -> list[str]:
        return sorted({self.email.lower(), *(found.lower() for found in self.ids)})


def environment(data_dir: Path, stripe: FakeStripe) -> dict[str, str]:
    """Return the settings of an app with a fake Stripe, whose mails go to a folder."""
    return stripe_settings(stripe) | {"DATA_DIR": str(data_dir), "BASE_URL": "http://127.0.0.1:5000"}


def add_customer(world: World, email: str = EMAIL) -> Object:
    """Add a customer with a billing address; the first one of each fake Stripe has the same id."""
    customer = world.add("customer", "cus", email=email, name="Clara Muster")
    customer["address"] = {"line1": "Lange Gasse 7", "city": "Graz", "country": "AT"}
    return customer


def make_full_account(app: Flask, email: str, customer_id: str | None = None) -> FullAccount:
    """Register, upload, pay and connect everything there is."""
    registration.request_link(email)
    outbox.deliver_mails()
    user = accounts.register_user(email, PASSWORD, "Europe/Berlin", is_verified=True)
    customer = customer_id or f"cus_{new_id()}"
    with transaction():
        user.subscription = Subscription(
            plan="pro", status="active", stripe_customer_id=customer, stripe_subscription_id=f"sub_{new_id()}"
        )
    browser, script = Browser(app, user), ApiScript(app, user)
    sample_id = _finish_job(uploaded_job(browser, "Dusty kick.wav", kick()))
    sample = db.session.get_one(Sample, sample_id)
    samples.edit_sample(sample, name="Mine", tags="dusty")
    follow_changes(user.id)
    _add_connections(user)
    _add_duplicates(user, browser)
    _add_shaping(user, sample)
    _add_kit(user, sample)
    _add_project(user, browser)
    assert script.upload("by-script.wav", kick(), key="once", collection="Dusty pack").status_code == 202
    uploaded_job(browser, "waiting.wav", kick())
    _add_payments(user, customer)
    _add_ai(user, sample_id)
    _add_unfinished(user, sample_id)
    _add_audit(user, sample_id)
    data_export.request_export(user)
    tasks.make_exports.call_local()
    outbox.deliver_mails()
    db.session.expire_all()
    described = describe_account(user, browser, script)
    samples.toggle_like(sample)  # a change that the search index has not followed yet
    return described


def describe_account(user: User, browser: Browser, script: ApiScript) -> FullAccount:
    """Look up everything by which an account could be recognised."""
    sample_id = db.session.scalars(sa.select(Sample.id).where(Sample.user_id == user.id)).first()
    account = FullAccount(user, user.id, user.email, browser, script, sample_id or "")
    rows = own_rows(user.id)
    account.ids, account.secrets = frozenset(ids_of(rows)), frozenset({*secrets_of(rows), script.secret})
    return account


def _finish_job(job: Job) -> str:
    """Run jobs until this one is done: other accounts may have been first in line."""
    while not job.is_finished:
        run.run_next()
        db.session.refresh(job)
    assert job.sample_id is not None, job.error
    return job.sample_id


def _add_duplicates(user: User, browser: Browser) -> None:
    """Add a second file of the same audio, and the order to free it, which is undone."""
    _finish_job(uploaded_job(browser, "Dusty kick again.wav", kick()))
    compare_due_samples()
    cleanups.undo_cleanup(cleanups.free_all(user))


def _add_shaping(user: User, sample: Sample) -> None:
    """Shape a sample, and keep the recipe as a preset."""
    made = orders.order_render(user, sample, RenderRecipe(reverse=True))
    assert isinstance(made, Job)
    while not made.is_finished:
        run.run_next()
        db.session.refresh(made)
    presets.save_preset(user, "Backwards", RenderRecipe(reverse=True))


def _add_kit(user: User, sample: Sample) -> None:
    """Add a kit with a pad, a bank of its own, a pattern and a change."""
    kit = kit_list.create_kit(user, KitState("Dusty kit"))
    beat = pattern_of_beat(StepBeat(steps={"A1": (127, *[0] * 15)}))
    edits = (
        pad_edits.place("A1", pad_edits.pad_for_sample(sample)),
        pad_edits.change_bank("A", volume=100),
        pattern_edits.keep_pattern("A1", pattern_edits.make_pattern(beat, "Four to the floor")),
    )
    history.change_kit(kit, "Place Mine on A1", pad_edits.in_order(*edits))
    job = card_orders.order_card(user, kit, ["import"])
    while not job.is_finished:
        run.run_next()
        db.session.refresh(job)
    assert job.error is None


def _add_project(user: User, browser: Browser) -> None:
    """Import a project of the unit, whose sent file is still there."""
    [job] = sending.order(browser, sending.send(browser, small_project()))
    while not job.is_finished:
        run.run_next()
        db.session.refresh(job)
    assert job.error is None


def _add_connections(user: User) -> None:
    endpoint = endpoints.add_endpoint(
        user, "https://receiver.example/hook", ["job.completed", "export.ready"]
    )
    assert endpoint is not None
    two_factor_login.begin_setup(user)
    with transaction():
        webhook_delivery.enqueue_event(user.id, "job.completed", "x", {"a": 1})
        for purpose in (VERIFY, RESET, CHANGE):
            mail_links.enqueue_link(user, purpose, user.email)
        payload = {"to": user.email, "email": f"new.{user.email}"}
        outbox.enqueue(f"email-changed:{new_id()}", user.id, message_kinds.EMAIL_CHANGED, payload)


def _add_payments(user: User, customer_id: str) -> None:
    now = utcnow()
    with transaction() as session:
        session.add(
            OverageConsent(user_id=user.id, customer_id=customer_id, subscription_id="s", cap_cents=500)
        )
        session.add(MeterDifference(user_id=user.id, day=now.date(), ours=2, theirs=1))
        session.add(
            Invoice(
                id=f"in_{new_id()}", user_id=user.id, customer_id=customer_id, plan="pro", status="paid",
                currency="usd", total_cents=1500, paid_cents=1500, period_start=now, period_end=now,
                issued_at=now, paid_at=now,
            )
        )  # fmt: skip
        event = PaymentEvent(
            id=f"evt_{new_id()}", type="invoice.paid", customer_id=customer_id, created_at=now
        )
        event.applied_at = now
        session.add(event)


def _add_ai(user: User, job_id: str) -> None:
    """Calls to a model that cost something, and an answer."""
    with transaction() as session:
        for number, key in enumerate((f"ai:{job_id}:1", f"ai:words:{new_id()}:1")):
            usage = Usage(
                user_id=user.id,
                kind="ai",
                entry_key=key,
                quantity=1,
                cost_usd=Decimal("0.002") * (number + 1),
            )
            session.add(usage)
            session.flush()
            session.add(
                AiCall(
                    usage_id=usage.id, model="acme/words", attempt=1, outcome="answered", prompt_tokens=9,
                    completion_tokens=9, is_estimated=False, latency_ms=9, generation_id=f"gen-{new_id()}",
                )
            )  # fmt: skip
        session.add(AiAnswer(user_id=user.id, question=new_id(), answer={"words": ["a"]}))


def _add_unfinished(user: User, sample_id: str) -> None:
    """Add jobs that failed or are not reported, a file being uploaded, a vector to make, a total, a move."""
    with transaction() as session:
        batch = Batch(id=str(uuid4()), user_id=user.id, expected=2)
        session.add(batch)
        session.flush()
        upload = DirectUpload(user_id=user.id, batch_id=batch.id, filename="far.wav", size_bytes=9)
        job = Job(
            user_id=user.id, batch_id=batch.id, filename=f"{user.email}.wav", state=FAILED, tier="pro",
            priority=1, format="WAV", size_bytes=9, kept_until=utcnow() + timedelta(days=1),
            error_detail=f"a trace with {user.email}",
        )  # fmt: skip
        order = VectorOrder(sample_id=sample_id, version=1)
        total = StorageTotal(user_id=user.id, up_to=1, quantity=0)
        moved = SampleMove(sample_id=sample_id, moved_at=utcnow(), folder="Dusty")
        session.add_all([upload, job, order, total, moved])
        session.flush()
        job.incoming_key = f"incoming/{user.id}/{job.id}.wav"
        keys = [job.incoming_key, upload.arrival_key]
        payload = {"customer_id": "cus", "identifier": job.id, "at": 1}
        outbox.enqueue(f"meter:{job.id}", None, message_kinds.METER_EVENT, payload)
    for key in keys:
        put_object(key, b"kept bytes")


def _add_audit(user: User, job_id: str) -> None:
    """Actions of the account as an operator, and of others about it."""
    audit_trail.set_admin(user.email, True)
    audit_trail.record_action(user, "pause", "worker 1")
    audit_trail.record_action(None, "retry", job_id)
    audit_trail.record_action(None, "cancel all", "ready", tab="ready", email=user.email.upper().lower())
    with transaction():
        user.is_admin = False


def put_object(key: str, content: bytes) -> None:
    source = settings().data_dir / f"source-{new_id()}"
    source.write_bytes(content)
    open_store(settings()).put(key, source, "audio/wav")
    source.unlink()
