"""Find every row that belongs to an account, by walking the foreign keys from each table to the users.

A new table with such a path is exported without being named here. What must not be exported is named, with
the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, Text, cast, false, literal, or_, select, tuple_

from app.extensions import Base, db
from app.models import ApiToken, AuditEntry, DataExport, Job, PaymentEvent, Sample, Subscription, User

PAGE_ROWS = 500

# Tables that hold nothing of a user's, or only secrets and the service's own notes.
NOT_EXPORTED = {
    "account_closings": "exists only while an account is being deleted",
    "ai_asking": "locks of seconds, on hashes",
    "ai_switch": "one row of the service",
    "workers": "processes of the service",
    "metric_totals": "figures of the whole service",
    "search_rows": "made from the samples, and can be made again",
    "library_counts": "made from the samples",
    "library_tags": "made from the samples",
    "libraries": "the version of the search index",
    "sample_vectors": "numbers without names, made from the audio and only compared with each other",
    "storage_totals": "a sum of the ledger",
    "vector_orders": "samples that the service is about to measure again",
    "sample_moves": "what an undo of the last hour would need",
    "sample_changes": "samples that the search index is about to read again",
}
# Secrets, and columns that only matter inside the service.
HIDDEN_COLUMNS = {
    "users": {"password_hash", "session_epoch"},
    "api_tokens": {"secret_sha256"},
    "user_sessions": {"secret_sha256"},
    "two_factors": {"secret", "recovery", "last_step"},
    "webhook_endpoints": {"secret"},
    "mail_links": {"id"},  # what a mailed link signs
    "outbox": {"key", "payload", "last_error", "trace_parent"},  # they name links and receivers
    "processing_jobs": {"lease_token", "error_detail", "worker", "trace_parent"},
    "job_attempts": {"token", "detail", "worker"},
    "idempotency_keys": {"fingerprint"},
    "data_exports": {"storage_key"},
    "card_exports": {"store_key"},
    "kit_bases": {"store_key"},
    "project_uploads": {"store_key"},
    "renders": {"recipe_sha256", "store_key"},  # the recipe itself is there
    "audit_log": {"actor"},  # the address of an operator
}
# Names of files whose table has a name that a producer would not understand.
FILE_NAMES = {
    "users": "account",
    "processing_jobs": "jobs",
    "job_attempts": "attempts",
    "api_usage": "usage",
    "api_tokens": "tokens",
    "subscriptions": "subscription",
    "overages": "extra_uploads",
    "user_sessions": "sessions",
    "outbox": "messages",
    "audio_features": "measurements",
    "sample_tags": "tags",
    "audit_log": "operator_actions",
    "two_factors": "two_factor",
    "data_exports": "exports",
}


def exported_tables() -> dict[str, Table]:
    """Return every table with rows of users, by the name of its file in the ZIP."""
    tables = (table for table in Base.metadata.sorted_tables if table.name not in NOT_EXPORTED)
    return {f"{FILE_NAMES.get(table.name, table.name)}.json": table for table in tables}


def read_rows(table: Table, user: User, email: str) -> Iterator[dict[str, Any]]:
    """Yield the account's rows of a table without hidden columns, in the order of the primary key.

    `email` is the account's address, which its own row no longer has once the account is closed. One page is
    in memory at a time, and no transaction is open between pages.
    """
    hidden, mine = HIDDEN_COLUMNS.get(table.name, set()), _owned_rows(table, user, email)
    visible = [column for column in table.c if column.name not in hidden]
    primary = list(table.primary_key.columns)
    after: ColumnElement[bool] | None = None
    while True:
        page = select(table).where(mine).order_by(*primary).limit(PAGE_ROWS)
        rows = db.session.execute(page if after is None else page.where(after)).mappings().all()
        db.session.commit()
        for row in rows:
            yield {column.name: row[column] for column in visible}
        if len(rows) < PAGE_ROWS:
            return
        last = [literal(rows[-1][column], column.type) for column in primary]
        after = tuple_(*primary) > tuple_(*last)


def mentions_account(user_id: str, email: str, until: datetime | None = None) -> ColumnElement[bool]:
    """Return the condition that an entry of the audit log is by or about an account.

    `until` is when it was closed: from then on its address may be another account's.
    """
    detail = cast(AuditEntry.detail, Text)
    # Both databases store JSON as it was written: in ASCII. With its quotes, so that the address is not the
    # end of a longer one.
    by_address = or_(AuditEntry.subject == email, detail.contains(json.dumps(email), autoescape=True))
    if until is not None:
        by_address &= AuditEntry.at <= until
    own_ids = [
        select(model.id).where(model.user_id == user_id) for model in (Job, Sample, ApiToken, DataExport)
    ]
    return or_(
        AuditEntry.user_id == user_id,
        AuditEntry.subject == user_id,
        *(AuditEntry.subject.in_(ids) for ids in own_ids),
        detail.contains(user_id, autoescape=True),
        by_address,
    )


def _owned_rows(table: Table, user: User, email: str) -> ColumnElement[bool]:
    if table.name == AuditEntry.__tablename__:
        return mentions_account(user.id, email, user.closed_at)
    if table.name == PaymentEvent.__tablename__:
        customers = select(Subscription.stripe_customer_id).where(Subscription.user_id == user.id)
        return table.c.customer_id.in_(customers)
    return _path_to_user(table, user.id)


def _path_to_user(table: Table, user_id: str) -> ColumnElement[bool]:
    """Return the condition that a row belongs to the user: by its own column, or through its parents."""
    if table.name == User.__tablename__:
        return table.c.id == user_id
    own = [key.parent == user_id for key in table.foreign_keys if key.column.table.name == User.__tablename__]
    if own:
        return or_(*own)
    parents = [
        key.parent.in_(select(key.column).where(_path_to_user(key.column.table, user_id)))
        for key in table.foreign_keys
        if key.column.table is not table
    ]
    return or_(false(), *parents)
