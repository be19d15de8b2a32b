"""Write the ZIP of an account: every file as it was uploaded, and all its rows as JSON."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from sqlalchemy import func, select

from app.account import account_rows
from app.billing import billing_details
from app.download_names import ZIP_TYPE
from app.extensions import db, settings
from app.integrations.storage import DiskStore, ObjectMissingError, StorageError, open_store
from app.models import Job, KitBase, ProjectUpload, Sample, User
from app.models.base import utcnow
from app.models.job import UNFINISHED

# The same share as for uploads: it is left to the database and to running jobs.
MIN_FREE_SHARE = 0.05
NOT_FOUND, UNREADABLE = "not found in our storage", "could not be read from our storage"


class NoDiskSpaceError(Exception):
    """The server's disk has no room for the ZIP now."""


@dataclass
class ArchiveWriter:
    """Writes one ZIP. Only one page of rows is in memory at a time."""

    zip: ZipFile
    user: User
    folder: Path
    skip_unreadable: bool
    missing: list[dict[str, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def write_json(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        """Write rows as a JSON array with one row on each line."""
        count = 0
        with self.zip.open(_member(name), "w", force_zip64=True) as member:
            for row in rows:
                line = json.dumps(row, ensure_ascii=False, default=_to_json)
                member.write((",\n" if count else "[\n").encode() + line.encode())
                count += 1
            member.write(b"\n]\n" if count else b"[]\n")
        self.counts[name] = count

    def add_object(self, key: str, name: str, title: str) -> None:
        """Add a file of the store, or note that it is missing. Raises StorageError when the store is down."""
        copy = self.folder / "object"
        try:
            open_store(settings()).fetch(key, copy)
        except ObjectMissingError:
            self.missing.append({"file": name, "name": title, "reason": NOT_FOUND})
        except StorageError:
            if not self.skip_unreadable:
                raise
            self.missing.append({"file": name, "name": title, "reason": UNREADABLE})
        else:
            self.zip.write(copy, name)
        finally:
            copy.unlink(missing_ok=True)


def store_archive(user: User, email: str, key: str, skip_unreadable: bool) -> int:
    """Make the ZIP of an account, store it under the key and return its size in bytes.

    Raises NoDiskSpaceError, and StorageError when the store is down. A missing file is only listed; with
    `skip_unreadable`, so is a file that the store has but can't return.
    """
    _check_free_disk(user)
    with _work_folder(key) as folder:
        target = folder / "archive.zip"
        write_archive(user, email, target, skip_unreadable)
        open_store(settings()).put(key, target, ZIP_TYPE)
        return target.stat().st_size


def write_archive(user: User, email: str, target: Path, skip_unreadable: bool = False) -> None:
    """Write the ZIP to a local path. No transaction is open while files are fetched."""
    with ZipFile(target, "w") as archive:
        writer = ArchiveWriter(archive, user, target.parent, skip_unreadable)
        for name, table in account_rows.exported_tables().items():
            writer.write_json(name, _readable_rows(table, user, email))
        writer.write_json("billing.json", billing_details.list_details(user))
        for key, name, title in _uploaded_files(user):
            writer.add_object(key, name, title)
        writer.write_json("missing.json", writer.missing)
        archive.writestr(_member("README.txt"), _readme(writer))


def touch_work(key: str) -> None:
    """Mark the work folder as in use, so that `cleanup.remove_temporary_files` leaves it."""
    folder = _folder_path(key)
    if folder.exists():
        os.utime(folder)


def discard_archive(key: str) -> None:
    """Delete a stored ZIP that nobody was told of, and the work folder of a worker that died."""
    shutil.rmtree(_folder_path(key), ignore_errors=True)
    open_store(settings()).delete(key)


def sample_member(sample_id: str, original_key: str) -> str:
    """Return a file name that is unique and safe to unpack anywhere; `samples.json` has the original name."""
    return f"samples/{sample_id}{PurePath(original_key).suffix}"


def _readable_rows(table: Any, user: User, email: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table. A sample also names its file; a closed account has its own address."""
    for row in account_rows.read_rows(table, user, email):
        if table.name == Sample.__tablename__:
            row["file"] = sample_member(row["id"], row["original_key"])
        if table.name == User.__tablename__:
            row["email"] = email
        yield row


def _uploaded_files(user: User) -> Iterator[tuple[str, str, str]]:
    """Yield key, name in the ZIP and title of every file: samples, other uploads, what kits keep."""
    after = ""
    while True:
        page = select(Sample.id, Sample.original_key, Sample.filename).where(
            Sample.user_id == user.id, Sample.id > after
        )
        rows = db.session.execute(page.order_by(Sample.id).limit(account_rows.PAGE_ROWS)).all()
        db.session.commit()
        for sample_id, key, filename in rows:
            yield key, sample_member(sample_id, key), filename
        if len(rows) < account_rows.PAGE_ROWS:
            break
        after = rows[-1][0]
    for folder, member in (("incoming", "unprocessed"), ("projects", "unprocessed"), ("kept", "projects")):
        prefix = f"{folder}/{user.id}/"
        for key in open_store(settings()).older_than(prefix, utcnow() + timedelta(minutes=1)):
            name = key.removeprefix(prefix).replace("/", "-")
            yield key, f"{member}/{name}{'' if folder == 'incoming' else '.zip'}", name


def _check_free_disk(user: User) -> None:
    stored = select(func.coalesce(func.sum(Sample.size_bytes), 0), func.max(Sample.size_bytes))
    total, largest = db.session.execute(stored.where(Sample.user_id == user.id)).one()
    waiting = select(func.coalesce(func.sum(Job.size_bytes), 0)).where(Job.user_id == user.id)
    total += db.session.scalar(waiting.where(Job.state.in_(UNFINISHED))) or 0
    for kept in (KitBase, ProjectUpload):
        sizes = select(func.coalesce(func.sum(kept.size_bytes), 0)).where(kept.user_id == user.id)
        total += db.session.scalar(sizes) or 0
    db.session.commit()
    # On disk, the store holds the ZIP a second time while it is copied there.
    copies = 2 if isinstance(open_store(settings()), DiskStore) else 1
    disk = shutil.disk_usage(settings().data_dir)
    if disk.free - copies * int(total) - int(largest or 0) < disk.total * MIN_FREE_SHARE:
        raise NoDiskSpaceError("the disk of DATA_DIR has no room for the ZIP")


@contextmanager
def _work_folder(key: str) -> Iterator[Path]:
    """Yield an empty folder and remove it afterwards; first remove what a killed worker left there."""
    folder = _folder_path(key)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _folder_path(key: str) -> Path:
    return settings().data_dir / "tmp" / f"export-{PurePath(key).stem}"


def _member(name: str) -> ZipInfo:
    info = ZipInfo(name, datetime.now(UTC).timetuple()[:6])
    info.compress_type = ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info


def _readme(writer: ArchiveWriter) -> str:
    lines = [
        "Everything in your account at SP404MK2 Sample Agent.",
        "",
        "samples/      every file as you uploaded it. samples.json has its name and which file it is.",
        "unprocessed/  files you uploaded that had not become a sample, and ZIPs of projects.",
        "projects/     what your kits keep of the unit's projects that they were imported from.",
        "*.json        all that is stored about you, one row on each line. Times are in UTC. Rows name each",
        "              other by id: a tag and a measurement have the id of their sample.",
        "",
        "Left out: passwords and other secrets, the WAVs that we made from your files, and notes about our",
        "own machines. Stripe has your card and the PDFs of your invoices.",
        "",
        *(f"{name}: {count:,}" for name, count in sorted(writer.counts.items())),
    ]
    if writer.missing:
        lines += ["", f"{len(writer.missing):,} of your files are not in this ZIP:"]
        lines += [f"- {entry['name']}: {entry['reason']}" for entry in writer.missing]
    return "\n".join(lines) + "\n"


def _to_json(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):  # the heights of a waveform
        return list(value)
    raise TypeError(type(value))
