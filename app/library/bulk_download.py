"""Selected samples as one ZIP, sent while it is written: WAVs for the unit, or the uploaded files."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.audio.unit_format import RATE_HZ
from app.billing import quota
from app.billing.plan_room import format_size
from app.billing.plans import MB
from app.csv_tables import write_csv
from app.download_names import safe_file_name
from app.extensions import db, settings
from app.integrations.storage import ObjectMissingError, open_store
from app.integrations.storage.interface import Store
from app.library.downloads import TooLongForPadError
from app.library.pad_file_names import assign_pad_names
from app.models import Sample, User
from app.models.base import new_id, transaction

MAX_ZIP_BYTES = 500 * MB
PIECE_BYTES = 4 * MB
BYTES_PER_FRAME = 2 * 2  # of a stereo WAV of 16 bits
TITLES = ("file", "sample", "uploaded as", "seconds", "BPM", "key", "sound", "note")
MISSING = "not in our storage: it is not in this ZIP"
REPORT = "report.csv"


class ZipTooLargeError(Exception):
    """The files are too large for one ZIP; the message is for the user."""

    def __init__(self, size_bytes: int) -> None:
        size, most = format_size(size_bytes), format_size(MAX_ZIP_BYTES)
        super().__init__(f"These are {size} together, and one ZIP holds {most}. Select fewer samples.")


@dataclass(frozen=True)
class ZipMember:
    """A file of the ZIP: its name, where the store has it, and its line of the report."""

    name: str
    key: str
    report: tuple[str, ...]
    note: str


def sp404_members(user: User, ids: Sequence[str]) -> list[ZipMember]:
    """Return the WAVs for the unit of a user's samples, and record the exports. Raises ZipTooLargeError.

    Samples that are too long for a pad have only their line in the report.
    """
    with transaction():
        samples = _load(user, ids)
        fitting = [sample for sample in samples if sample.fits_a_pad]
        frames = sum(sample.duration_s for sample in fitting) * RATE_HZ
        _check_size(round(frames * BYTES_PER_FRAME))
        names = dict(zip([sample.id for sample in fitting], assign_pad_names(fitting), strict=True))
        quota.record_exports(user.id, [new_id() for _ in fitting])
        return [_sp404_member(sample, names.get(sample.id)) for sample in samples]


def original_members(user: User, ids: Sequence[str]) -> list[ZipMember]:
    """Return the uploaded files of a user's samples, and record the exports. Raises ZipTooLargeError."""
    taken = {REPORT}
    with transaction():
        samples = _load(user, ids)
        _check_size(sum(sample.size_bytes for sample in samples))
        quota.record_exports(user.id, [new_id() for _ in samples])
        return [
            _member(
                sample,
                _free_name(safe_file_name(sample.filename), taken),
                sample.original_key,
                "as it was uploaded",
            )
            for sample in samples
        ]


def zip_pieces(members: Sequence[ZipMember]) -> Iterator[bytes]:
    """Yield the ZIP in pieces. A file that the store lacks is named in its report.

    A StorageError after the first piece of a file ends the ZIP early, so that nobody takes it for whole.
    """
    return _write_pieces(members, open_store(settings()))


def _write_pieces(members: Sequence[ZipMember], store: Store) -> Iterator[bytes]:
    sink, rows = _Sink(), list[tuple[str, ...]]()
    with ZipFile(sink, "w", ZIP_STORED) as archive:
        for member in members:
            try:
                piece = store.read(member.key, 0, PIECE_BYTES) if member.key else b""
            except ObjectMissingError:
                rows.append((*member.report, MISSING))
                continue
            rows.append((*member.report, member.note))
            if not member.key:
                continue
            with archive.open(ZipInfo(member.name), "w", force_zip64=True) as out:
                for following in _pieces_after(store, member.key, piece):
                    out.write(following)
                    yield sink.take()
        archive.writestr(ZipInfo(REPORT), write_csv(TITLES, rows))
    yield sink.take()


def _pieces_after(store: Store, key: str, piece: bytes) -> Iterator[bytes]:
    """Yield the first piece of a stored file and then the others."""
    position = 0
    while piece:
        yield piece
        position += len(piece)
        piece = store.read(key, position, PIECE_BYTES) if len(piece) == PIECE_BYTES else b""


class _Sink(io.RawIOBase):
    """Holds what the ZIP writer has written until it is taken."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # zipfile writes bytes only
        self._held += data
        return len(data)

    def take(self) -> bytes:
        """Return what was written since the last call."""
        taken = bytes(self._held)
        self._held.clear()
        return taken


def _load(user: User, ids: Sequence[str]) -> list[Sample]:
    own = Sample.user_id == user.id, Sample.deleted_at.is_(None), Sample.id.in_(ids)
    loaded = db.session.scalars(select(Sample).where(*own).options(joinedload(Sample.features)))
    by_id = {sample.id: sample for sample in loaded}
    return [by_id[sample_id] for sample_id in ids if sample_id in by_id]


def _check_size(size_bytes: int) -> None:
    if size_bytes > MAX_ZIP_BYTES:
        raise ZipTooLargeError(size_bytes)


def _sp404_member(sample: Sample, pad_name: str | None) -> ZipMember:
    if pad_name is None:
        return _member(sample, "", "", f"left out: {TooLongForPadError()}")
    rate_khz = sample.features.sample_rate / 1000
    note = f"from {sample.format.upper()} at {rate_khz:g} kHz to 48 kHz, 16 bits"
    return _member(sample, f"{pad_name}.wav", sample.sp404_key, note)


def _member(sample: Sample, name: str, key: str, note: str) -> ZipMember:
    tempo = "" if sample.bpm is None else f"{sample.bpm:.2f}"
    facts = (f"{sample.duration_s:.3f}", tempo, sample.key or "", sample.sound_label)
    return ZipMember(name, key, (name, sample.name, sample.filename, *facts), note)


def _free_name(wanted: str, taken: set[str]) -> str:
    """Return a name that no other file of the ZIP has, in any case of its letters."""
    path, number = PurePath(wanted), 1
    name = wanted
    while name.lower() in taken:
        number += 1
        name = f"{path.stem} ({number}){path.suffix}"
    taken.add(name.lower())
    return name
