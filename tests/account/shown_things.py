"""Collect what the pages, the API and the export show to an account."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from app.account import account_rows, data_export
from app.ai import budget
from app.auth import api_tokens, login_sessions, two_factor_login
from app.billing import invoices, quota, storage_totals
from app.cards import card_orders, known_sounds
from app.collections import collection_list
from app.deduplication import candidates, group_list
from app.extensions import db
from app.jobs import card_facts, progress, reprocess
from app.kits import (
    documents,
    fill_candidates,
    grid,
    history,
    kit_list,
    kit_rows,
    measured_pads,
    placements,
)
from app.library import bulk_download, cleanups, news, pad_file_names
from app.models import (
    Kit,
    Render,
    Sample,
    User,
)
from app.models.base import utcnow
from app.models.job import UPLOAD
from app.models.user_session import CHANGE, RESET
from app.notify import mail_links
from app.search import facets, similar_samples
from app.search.match_counts import library_values
from app.search.sample_query import SampleQuery
from app.search.sample_search import find_samples
from app.shaping import orders, presets, render_downloads, renders
from app.upload import idempotency, intake, known_files
from app.webhooks import endpoints

SINCE = timedelta(days=7)


def one(user: User, model: Any, *conditions: Any) -> Any:
    """Return the user's first row of a model."""
    own = sa.select(model).where(model.user_id == user.id, *conditions)
    return db.session.scalars(own.order_by(model.id).limit(1)).unique().one()


def ids_in(rows: Iterable[Any]) -> list[Any]:
    return [row.id for row in rows]


def what_is_shown(user: User) -> dict[str, Any]:
    """Return what an account is told of its own things."""
    db.session.expire_all()
    return of_samples(user) | of_kits(user) | of_jobs(user) | of_the_account(user)


def of_samples(user: User) -> dict[str, Any]:
    everybodys = db.session.scalars(sa.select(Sample.id)).all()
    hashes = db.session.scalars(sa.select(Sample.content_sha256)).all()
    sample, render = one(user, Sample), one(user, Render)
    return {
        "samples": ids_in(find_samples(user, SampleQuery(), "").samples),
        "known": (known_files.find_samples(user, hashes), known_files.find_jobs(user, hashes)),
        "duplicate": intake.find_duplicate(user, hashes[0] or "") is not None,
        "collections": [
            (each.collection.id, each.samples, each.size_bytes)
            for each in collection_list.list_collections(user)
        ],
        "names": collection_list.named_collections(user),
        "groups": [each.sample_ids for each in group_list.list_groups(user).groups],
        "totals": group_list.count_groups(user),
        "alike": candidates.find_candidates(user.id, everybodys),
        "cleanups": ids_in(cleanups.recent_cleanups(user)),
        "mark": news.current_mark(user).latest,
        "pad name": pad_file_names.assign_pad_name(sample),
        "shaped": (renders.cache_usage(user), orders.renders_left(user)),
        "counted": render_downloads.is_counted(user, render),
        "presets": ids_in(presets.list_presets(user)),
        "tags": facets.count_tags(user),
        "values": library_values(user.id),
        "with a sound": len(everybodys) - similar_samples.read_source(user, everybodys).left_out,
        "files": bulk_download.list_members(user, everybodys, is_original=True, most_bytes=10**9),
    }


def of_kits(user: User) -> dict[str, Any]:
    everybodys = db.session.scalars(sa.select(Sample.id)).all()
    sample, kit = one(user, Sample), one(user, Kit)
    kits = kit_list.list_kits(user)
    return {
        "kits": (ids_in(kits), kit_list.count_pads(kits), kit_list.next_name(user, "Dusty kit")),
        "states": [kit_rows.load_state(each) for each in kits],
        "steps": [history.next_steps(each) for each in kits],
        "documents": [documents.kit_document(each) for each in kits],
        "pads": (placements.pads_with(sample), grid.load_pad_samples(kit, list(everybodys))),
        "measured": measured_pads.load_measured(user, everybodys),
        "candidates": sorted(fill_candidates.load_candidates(user, everybodys)),
        "sounds": sorted(known_sounds.load_card_samples(user.id, everybodys)),
        "cards": [ids_in(card_orders.kept_cards(user, each)) for each in kits],
    }


def of_jobs(user: User) -> dict[str, Any]:
    facts = card_facts.find_facts(user.id)
    return {
        "cards of jobs": [each.id for each in facts],
        "states of jobs": card_facts.count_states(user.id, facts),
        "batches": [each.batch_id for each in progress.active_batches(user.id)],
        "unfinished": ids_in(reprocess.unfinished_jobs_for(user, UPLOAD)),
        "failed": ids_in(reprocess.retriable_jobs_for(user, UPLOAD)),
        "lately": ids_in(reprocess.jobs_since(user, UPLOAD, utcnow() - SINCE)),
        "once": idempotency.is_known(user, "once"),
    }


def of_the_account(user: User) -> dict[str, Any]:
    exports = data_export.list_exports(user)
    hooks = endpoints.list_endpoints(user)
    return {
        "plan": quota.plan_usage(user),
        "first files": quota.immediate_files_left(user),
        "stored": storage_totals.stored_bytes(user.id),
        "invoices": ids_in(invoices.user_invoices(user)),
        "exports": (ids_in(exports), data_export.kept_bytes(user)),
        "tokens": ids_in(api_tokens.list_tokens(user)),
        "sessions": ids_in(login_sessions.list_sessions(user)),
        "links": [mail_links.was_sent_within(user, each, SINCE) for each in (RESET, CHANGE)],
        "second step": two_factor_login.is_enabled(user),
        "webhooks": [(each.id, ids_in(endpoints.list_deliveries(each))) for each in hooks],
        "spent": budget.spent_usd(SINCE, user.id),
        "exported": {
            name: sorted(map(repr, account_rows.read_rows(table, user, user.email)))
            for name, table in account_rows.exported_tables().items()
        },
    }
