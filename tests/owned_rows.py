"""One of everything that a user can own, for walks over all routes that take an id."""

from __future__ import annotations

from io import BytesIO

from sqlalchemy import select

from app.audio.render.recipe import RenderRecipe
from app.auth import api_tokens, login_sessions
from app.cards import card_orders
from app.collections import moves
from app.deduplication.comparison import compare_due_samples
from app.extensions import db
from app.jobs import run
from app.library import bundle_job, cleanups
from app.models import Collection, DuplicateGroup, Job, Sample, User, WebhookDelivery
from app.models.sample_places import SamplePlace
from app.notify import webhook_delivery
from app.shaping import orders, presets
from app.upload import zip_uploads
from app.webhooks import endpoints
from tests.imports import sending
from tests.kits.stock import kit_of
from tests.sp404.project.made_files import small_project, zipped
from tests.support import Browser, finished_job, kick


def one_of_everything(owner: User, browser: Browser) -> dict[str, str]:
    """Return an id for every placeholder in the URL map, all of them the owner's."""
    job_id = finished_job(browser, "kick.wav", kick()).id
    finished_job(browser, "again.wav", kick())
    compare_due_samples()
    group_id = db.session.scalars(select(DuplicateGroup.id).where(DuplicateGroup.user_id == owner.id)).one()
    endpoints.add_endpoint(owner, "https://receiver.example/hook", ["job.completed"])
    webhook_delivery.enqueue_event(owner.id, "job.completed", "x", {})
    db.session.commit()
    delivery = db.session.scalars(select(WebhookDelivery)).one()
    order = orders.order_render(owner, db.session.get_one(Sample, job_id), RenderRecipe(reverse=True))
    run.run_next()
    kit = kit_of(owner, A1=db.session.get_one(Sample, job_id))
    card_id = card_orders.order_card(owner, kit, ["import"]).id
    run.run_next()
    bundle_id = bundle_job.order_bundle(owner, [job_id], is_original=True).id
    run.run_next()
    upload = sending.send(browser, small_project())
    [waiting] = sending.order(browser, upload)
    run.run_next()
    packed = zip_uploads.receive(owner, BytesIO(zipped({"kick.wav": kick()})), "pack.zip").id
    run.run_next()
    moves.move_samples(owner, [job_id], SamplePlace("Pack"))
    collection = db.session.scalars(select(Collection).where(Collection.user_id == owner.id)).one()
    return {
        "zip_id": packed,
        "bundle_id": bundle_id,
        "project_id": upload.id,
        "import_id": waiting.id,
        "export_id": card_id,
        "render_id": order.id,
        "preset_id": presets.save_preset(owner, "Backwards", RenderRecipe(reverse=True)).id,
        "endpoint_id": delivery.endpoint_id,
        "delivery_id": delivery.id,
        "sample_id": job_id,
        "group_id": group_id,
        "cleanup_id": cleanups.free_groups(owner, []).id,
        "upload_id": job_id,
        "job_id": job_id,
        "batch_id": db.session.get_one(Job, job_id).batch_id,
        "token_id": api_tokens.create_token(owner, "t", ["samples:read"], None)[0].id,
        "session_id": login_sessions.list_sessions(owner)[0].id,
        "message_id": "1",
        "event_id": "evt_1",
        "worker_id": "w",
        "user_id": owner.id,
        "factor": "half",
        "kit_id": kit.id,
        "pad": "A1",
        "place": "A1",
        "bank": "A",
        "collection_id": collection.id,
    }
