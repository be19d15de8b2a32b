"""Write the ZIP of an account: every file as it was uploaded, and its database rows as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path, PurePath
from tempfile import NamedTemporaryFile
from typing import Any
from zipfile import ZIP_STORED, ZipFile

from sqlalchemy import inspect, select

from app.extensions import db, settings
from app.integrations.storage import open_store
from app.models import ApiToken, Invoice, Job, Sample, Subscription, Usage, User
from app.models.base import Model

SECRET_COLUMNS = frozenset({"password_hash", "secret_sha256", "session_epoch", "lease_token", "error_detail"})


def write_archive(user: User, target: Path) -> None:
    """Write the archive to a local path. No transaction is open while files are fetched."""
    samples = list(db.session.scalars(select(Sample).where(Sample.user_id == user.id).order_by(Sample.id)))
    files = [(sample.original_key, member_name(sample)) for sample in samples]
    documents = {
        "account.json": [_row_as_dict(user)],
        "samples.json": [_sample_as_dict(sample) for sample in samples],
        "jobs.json": _rows_as_dicts(Job, user),
        "usage.json": _rows_as_dicts(Usage, user),
        "tokens.json": _rows_as_dicts(ApiToken, user),
        "subscription.json": _rows_as_dicts(Subscription, user),
        "invoices.json": _rows_as_dicts(Invoice, user),
    }
    db.session.commit()
    with ZipFile(target, "w", ZIP_STORED) as archive:
        for name, rows in documents.items():
            archive.writestr(name, json.dumps(rows, indent=1, ensure_ascii=False, default=_to_json))
        for key, member in files:
            _add_file(archive, key, member)


def member_name(sample: Sample) -> str:
    """Return a file name that is unique and safe to unpack anywhere; `samples.json` has the original name."""
    return f"samples/{sample.id}{PurePath(sample.original_key).suffix}"


def _add_file(archive: ZipFile, key: str, member: str) -> None:
    with NamedTemporaryFile(dir=settings().data_dir / "tmp", prefix="export-") as copy:
        open_store(settings()).fetch(key, Path(copy.name))
        archive.write(copy.name, member)


def _sample_as_dict(sample: Sample) -> dict[str, Any]:
    return _row_as_dict(sample) | {
        "file": member_name(sample),
        "tags": sample.tag_names,
        "measured": sample.features.measured,
    }


def _rows_as_dicts(table: type[Model], user: User) -> list[dict[str, Any]]:
    found: Any = db.session.scalars(select(table).filter_by(user_id=user.id).order_by("id"))
    return [_row_as_dict(row) for row in found]


def _row_as_dict(row: Model) -> dict[str, Any]:
    return dict(_public_values(row))


def _public_values(row: Model) -> Iterator[tuple[str, Any]]:
    for column in inspect(type(row)).column_attrs:
        value = getattr(row, column.key)
        if column.key not in SECRET_COLUMNS and not isinstance(value, bytes):
            yield column.columns[0].name, value


def _to_json(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value))
