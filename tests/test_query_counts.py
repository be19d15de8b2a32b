"""Every page and fragment asks the database as often with 50 rows of everything as with 5."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.imports.project_uploads import KIT_IMPORT
from app.library.bundle_job import BUNDLE
from app.models import (
    CardExport,
    DuplicateGroup,
    Job,
    Kit,
    ProjectUpload,
    Sample,
    User,
    WebhookEndpoint,
)
from app.models.base import transaction
from app.models.job import FAILED
from app.upload.zip_purpose import UNPACK
from tests.many_rows import Stock
from tests.query_counter import counted_queries
from tests.support import ApiScript, Browser, drum_loop, finished_job

FEW, MANY = 5, 50
METRICS_TOKEN = "a token of the scraper"
# These answer a file, a redirect to one, or nothing but their own signature; or they need a payment provider.
NO_ROWS = {
    "account.export", "account.latest_export", "auth.confirm_email", "auth.finish_registration",
    "auth.reset", "auth.sign_in_by_link", "auth.stop_change", "auth.verify",
    "billing.invoice", "billing.next_invoice", "billing.offer", "billing.welcome",
    "pages.media", "upload.known",
    # of one render or one card
    "api.download_export", "api.download_render", "cards.made",
    "shaping.audio", "shaping.download", "shaping.peaks",
}  # fmt: skip
# A page and what follows it: the same address with a search, a purpose, a tab or another page.
QUERIES = {
    "library.index": (
        "",
        "?ask=dark+loops,+not+too+bright",
        "?q=loop&sort=bpm",
        "?tag=t1",
        "?collection={collection_id}&folder=Drums",
    ),
    "listing.index": (
        "?version=0&since=1970-01-01T00:00:00%2B00:00",
        "?version=0&since=1970-01-01T00:00:00Z&q=loop",
    ),
    "reprocessing.offer": ("?purpose=describe&all=1", "?purpose=analyse&all=1"),
    "admin.queues": ("", "?tab=failed", "?tab=done", "?tab=delayed&text=loop"),
    "alike.similar": ("", "?preset=rhythm&but=brighter&ask=dark+loops"),
    "alike.similar_to_several": ("?sample={sample_id}",),
    "kits.add": ("?sample={sample_id}",),
    "kits.library": ("", "?ask=dark+loops"),
    "api.list_samples": ("", "?ask=dark+loops&limit=50"),
}
FRAGMENTS = {
    "library.index",
    "jobs.cards",
    "admin.queues",
    "duplicates.show",
    "kits.library",
    "kits.show_pad",
}


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return environ | {"METRICS_TOKEN": METRICS_TOKEN}


@pytest.fixture
def stock(app: Flask, owner: User, as_owner: Browser) -> Stock:
    job = finished_job(as_owner, "loop.wav", drum_loop())
    with transaction():
        owner.is_admin = True
    return Stock(owner, db.session.get_one(Sample, job.sample_id))


def addresses(app: Flask, stock: Stock) -> dict[str, str]:
    """Return the address of every page and fragment by a name for the table."""
    failed = db.session.scalars(select(Job.id).where(Job.state == FAILED)).first()
    endpoint = db.session.scalars(select(WebhookEndpoint.id)).first()
    group = db.session.scalars(select(DuplicateGroup.id)).first()
    kit = db.session.scalars(select(Kit.id).order_by(Kit.id)).first()
    ids = {"sample_id": stock.sample.id, "job_id": failed, "endpoint_id": endpoint, "group_id": group}
    ids["export_id"] = db.session.scalars(select(CardExport.id).where(CardExport.kit_id == kit)).first()
    ids |= {"kit_id": kit, "pad": "A1", "bank": "A", "collection_id": stock.first_collection}
    ids["project_id"] = db.session.scalars(select(ProjectUpload.id)).first()
    ids["import_id"] = db.session.scalars(select(Job.id).where(Job.purpose == KIT_IMPORT)).first()
    ids["bundle_id"] = db.session.scalars(select(Job.id).where(Job.purpose == BUNDLE)).first()
    ids["zip_id"] = db.session.scalars(select(Job.id).where(Job.purpose == UNPACK)).first()
    found: dict[str, str] = {}
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.endpoint not in NO_ROWS and rule.endpoint != "static":
            path = re.sub(r"<(?:[^:>]*:)?(\w+)>", lambda name: str(ids[name.group(1)]), rule.rule)
            for query in QUERIES.get(rule.endpoint, ("",)):
                found[f"{rule.endpoint}{query}"] = path + query.format(**ids)
    return found


def queries_by_page(app: Flask, stock: Stock, browser: Browser, script: ApiScript) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, path in addresses(app, stock).items():
        is_api = name.startswith("api.")
        ask: Callable[..., Any] = script.get if is_api else browser.get
        kinds: dict[str, dict[str, str]] = {"": {}}
        if name == "pages.metrics":
            kinds[""] = {"Authorization": f"Bearer {METRICS_TOKEN}"}
        if name.partition("?")[0] in FRAGMENTS:
            kinds[" (fragment)"] = {"HX-Request": "true"}
        for kind, headers in kinds.items():
            ask(path, headers=headers)  # the first answer may fill caches
            with counted_queries() as statements:
                answer = ask(path, headers=headers)
            assert answer.status_code in (200, 204, 286, 302, 303), (path, answer.status_code)
            counts[name + kind] = len(statements)
    return counts


def test_no_page_asks_more_of_the_database_when_there_are_more_rows(
    app: Flask, stock: Stock, as_owner: Browser, script: ApiScript
) -> None:
    stock.fill(FEW)
    few = queries_by_page(app, stock, as_owner, script)
    stock.fill(MANY)
    many = queries_by_page(app, stock, as_owner, script)
    if target := os.environ.get("QUERY_TABLE"):
        rows = [f"| {name} | {few[name]} | {many[name]} |" for name in sorted(few)]
        with open(target, "w") as file:
            file.write("\n".join(rows) + "\n")
    grown = {name: (few[name], many[name]) for name in few if many[name] > few[name]}
    assert grown == {}, grown
