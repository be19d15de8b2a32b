"""One row of everything a user has, and as many copies of each as a test asks for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import inspect, select

from app.cards.card_purpose import CARD
from app.deduplication import groups
from app.extensions import db
from app.imports.project_uploads import KIT_IMPORT
from app.kits.documents import kit_document
from app.library.bundle_job import BUNDLE
from app.models import (
    AccountClosing,
    ApiToken,
    Attempt,
    AuditEntry,
    Batch,
    CardExport,
    Collection,
    Invoice,
    Job,
    Kit,
    KitPad,
    KitPattern,
    OutboxMessage,
    PaymentEvent,
    ProjectUpload,
    Sample,
    Tag,
    Usage,
    User,
    UserSession,
    WebhookDelivery,
    WebhookEndpoint,
    Worker,
)
from app.models.base import Model, new_id, transaction, utcnow
from app.models.job import COMPLETED, FAILED, PENDING, PROCESSING, UPLOAD
from app.models.worker_process import RUNNING
from app.reprocessing.reprocess_purposes import ANALYSE, DESCRIBE
from app.search.indexing import follow_changes
from app.sp404.kit_document import write_kit
from app.sp404.pads import PAD_NAMES
from app.sp404.project.packed_patterns import pack_pattern
from app.upload.zip_purpose import UNPACK
from app.webhooks import endpoints
from tests.sp404.project.made_files import ONE_HIT

PTN = pack_pattern(ONE_HIT)


def copy_of(row: Model, **changes: Any) -> Any:
    """Return a new row of the same table with the same values, but for the primary key and the changes."""
    columns = inspect(type(row)).column_attrs
    values = {attr.key: getattr(row, attr.key) for attr in columns if not attr.columns[0].primary_key}
    return type(row)(**(values | changes))


class Stock:
    """One of everything, and as many copies of it as a test asks for."""

    def __init__(self, user: User, sample: Sample) -> None:
        self.user, self.sample = user, sample
        self.job = db.session.scalars(select(Job)).one()
        self.count = 0
        self.latest = sample
        self.first_collection = ""

    def fill(self, count: int) -> None:
        """Add rows until there are `count` of each kind."""
        with transaction() as session:
            for number in range(self.count, count):
                for add in (
                    self._add_sample, self._add_jobs, self._add_webhook, self._add_account_rows,
                    self._add_kit, self._add_project,
                ):  # fmt: skip
                    add(number)
                session.flush()
        self.count = count
        follow_changes(self.user.id)
        db.session.expire_all()

    def _add_sample(self, number: int) -> None:
        sample = copy_of(self.sample, id=new_id(), name=f"Loop {number}", content_sha256=f"{number:064}")
        sample.features = copy_of(self.sample.features)
        assert self.sample.vector is not None
        sample.vector = copy_of(self.sample.vector)
        collection = Collection(user_id=self.user.id, name=f"Pack {number}", folded_name=f"pack {number}")
        db.session.add(collection)
        db.session.flush()
        self.first_collection = self.first_collection or collection.id
        sample.collection_id = self.first_collection if number % 2 else collection.id
        sample.folder = f"Drums/Folder {number}"
        sample.tags = [Tag(name=f"t{tag}") for tag in range(3)]
        sample.index_for_search()
        db.session.add(sample)
        if number % 2:
            self._add_duplicates(self.latest, sample)
        self.latest = sample

    def _add_duplicates(self, *samples: Sample) -> None:
        db.session.flush()
        groups.join_group(self.user.id, samples[0].id, [sample.id for sample in samples], [])

    def _add_jobs(self, number: int) -> None:
        for purpose in (UPLOAD, ANALYSE, DESCRIBE):
            for state in (PENDING, PROCESSING, COMPLETED, FAILED):
                self._add_job(number, purpose, state)

    def _add_job(self, number: int, purpose: str, state: str) -> None:
        now = utcnow()
        batch = Batch(id=str(uuid4()), user_id=self.user.id, expected=2)
        is_over = state in (COMPLETED, FAILED)
        about = self.sample if state == FAILED else self.latest  # its page is one of those that are walked
        job = copy_of(
            self.job,
            id=new_id(),
            batch_id=batch.id,
            purpose=purpose,
            state=state,
            sample_id=None if purpose == UPLOAD and not is_over else about.id,
            filename=f"loop {number}.wav",
            run_at=now - timedelta(seconds=number),
            finished_at=now if is_over else None,
            kept_until=now + timedelta(days=1) if state == FAILED else None,
            error="It broke." if state == FAILED else None,
        )
        attempt = {"number": 1, "token": new_id(), "tier": job.tier, "worker": "host:1", "wait_s": 0.5}
        if is_over:
            attempt |= {
                "ended_at": now,
                "run_s": 1.0,
                "outcome": "completed" if state == COMPLETED else "failed",
            }
        db.session.add_all([batch, job])
        db.session.flush()
        db.session.add(Attempt(job_id=job.id, **attempt))

    def _add_project(self, number: int) -> None:
        """Add a file with projects, and a job that has brought one back."""
        values = {"name": f"card {number}.zip", "store_key": f"projects/{number}", "size_bytes": 1}
        db.session.add(ProjectUpload(user_id=self.user.id, found=[], **values))
        outcome = {"kit_id": new_id(), "new": 1, "known": 0, "problems": []}
        job = copy_of(self.job, id=new_id(), purpose=KIT_IMPORT, choices={"outcome": outcome}, sample_id=None)
        db.session.add(job)
        outcome = {"sentences": ["1 sound added."], "problems": ["a.wav: It is locked."], "more": 0}
        job = copy_of(self.job, id=new_id(), purpose=UNPACK, choices={"outcome": outcome}, sample_id=None)
        db.session.add(job)
        job = copy_of(self.job, id=new_id(), purpose=BUNDLE, choices={"samples": []}, sample_id=None)
        db.session.add(job)

    def _add_kit(self, number: int) -> None:
        """Add a kit, and a pad and a pattern to the first one."""
        db.session.add(Kit(user_id=self.user.id, name=f"Kit {number}", tempo=9_000, tempo_source="project"))
        db.session.flush()
        kit_id = db.session.scalars(select(Kit.id).order_by(Kit.id)).first()
        values = {"sample_id": self.latest.id, "content_sha256": "", "settings": {"version": 1}}
        place = PAD_NAMES[number]
        db.session.add(KitPad(kit_id=kit_id, pad=place, **values))
        db.session.add(KitPattern(kit_id=kit_id, place=place, name="", bars=1, ptn=PTN))
        choices = {"kit_id": kit_id, "kit": write_kit(kit_document(db.session.get_one(Kit, kit_id)))}
        job = copy_of(self.job, id=new_id(), purpose=CARD, choices=choices, sample_id=None)
        card = {"kit_name": "Kit", "targets": ["mk2"], "findings": [], "store_key": "x", "size_bytes": 1}
        db.session.add_all([job, CardExport(id=job.id, user_id=self.user.id, kit_id=kit_id, **card)])

    def _add_webhook(self, number: int) -> None:
        endpoint = db.session.scalars(select(WebhookEndpoint)).first()
        if endpoint is None:
            endpoint = endpoints.add_endpoint(self.user, "https://receiver.example/hook", ["job.completed"])
        message = f"message-{number}"
        values = {"message_id": message, "event": "job.completed", "body": "{}"}
        db.session.add(WebhookDelivery(endpoint_id=endpoint.id, **values))

    def _add_account_rows(self, number: int) -> None:
        now = utcnow()
        name = f"row-{number}"
        db.session.add_all(
            [
                UserSession(secret_sha256=name, user_id=self.user.id, address="::1", agent="Firefox"),
                OutboxMessage(key=name, user_id=self.user.id, kind="verify", payload={}, last_error="no"),
                AuditEntry(user_id=self.user.id, actor=self.user.email, action="retry", subject=name),
                PaymentEvent(id=name, type="invoice.paid", customer_id="cus_1", created_at=now),
                ApiToken(
                    name=name, user_id=self.user.id, secret_sha256=name, hint="0000",
                    abilities=["samples:read"],
                ),
                Usage(user_id=self.user.id, kind="upload", entry_key=name, quantity=1),
                AccountClosing(
                    user=User(email=f"{name}@closed.invalid", closed_at=now), email=name, tries=number
                ),
                Worker(id=name, host="host", pid=number, slots=2, mode=RUNNING),
                Invoice(
                    id=name, user_id=self.user.id, customer_id="cus_1", plan="pro", status="paid",
                    currency="usd", total_cents=1500, paid_cents=1500, refunded_cents=100,
                    period_start=now, period_end=now, issued_at=now, paid_at=now,
                ),
            ]
        )  # fmt: skip
