"""Selected samples as one ZIP, sent while it is written: WAVs for the unit, or the uploaded files."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from sqlalchemy import select

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
from app.library.samples import WITH_COLLECTION, WITH_FEATURES
from app.models import Sample, User
from app.models.base import new_id, transaction
from app.models.sample_places import BETWEEN_FOLDERS

MAX_ZIP_BYTES = 500 * MB
PIECE_BYTES = 4 * MB
BYTES_PER_FRAME = 2 * 2  # of a stereo WAV of 16 bits
TITLES = ("file", "sample", "uploaded as", "seconds", "BPM", "key", "sound", "note")
MISSING = "not in our storage: it is not in this ZIP"
REPORT = "report.csv"


class ZipTooLargeError(Exception):
    """The files are too large for one ZIP; the message is for the user."""

    def __init__(self, size_bytes: int, most_bytes: int) -> None:
        size, most = format_size(size_bytes), format_size(most_bytes)
        super().__init__(f"These are {size} together, and one ZIP holds {most}. Select fewer samples.")
        self.size_bytes = size_bytes


@dataclass(frozen=True)
class ZipMember:
    """A file of the ZIP: its name, where the store has it, and its line of the report."""

    name: str
    key: str
    report: tuple[str, ...]
    note: str
    size_bytes: int = 0


def zip_name(is_original: bool) -> str:
    """Return the file name of a ZIP."""
    return "samples.zip" if is_original else "samples for SP-404MKII.zip"


def list_members(user: User, ids: Sequence[str], is_original: bool, most_bytes: int) -> list[ZipMember]:
    """Return the files of a ZIP: the uploaded ones, or the WAVs for the unit. Raises ZipTooLargeError."""
    list_them = original_members if is_original else sp404_members
    with transaction():
        members = list_them(_load(user, ids))
        size_bytes = sum(member.size_bytes for member in members)
        if size_bytes > most_bytes:
            raise ZipTooLargeError(size_bytes, most_bytes)
    return members


def sp404_members(samples: Sequence[Sample]) -> list[ZipMember]:
    """Return the WAVs for the unit of samples; their names are kept, so call it in a transaction.

    Samples that are too long for a pad have only their line in the report.
    """
    fitting = [sample for sample in samples if sample.fits_a_pad]
    names = dict(zip([sample.id for sample in fitting], assign_pad_names(fitting), strict=True))
    return [_sp404_member(sample, names.get(sample.id)) for sample in samples]


def original_members(samples: Sequence[Sample]) -> list[ZipMember]:
    """Return the uploaded files of samples."""
    taken = {REPORT}
    members = []
    for sample in samples:
        name = _free_name(_folder_of(sample) + safe_file_name(sample.filename), taken)
        members.append(_member(sample, name, sample.original_key, "as it was uploaded", sample.size_bytes))
    return members


def count_exports(user: User, members: Sequence[ZipMember]) -> None:
    """Record an export of each file of a ZIP that is sent."""
    with transaction():
        quota.record_exports(user.id, [new_id() for member in members if member.key])


def zip_pieces(members: Sequence[ZipMember], said: Callable[[int], None] = lambda _: None) -> Iterator[bytes]:
    """Yield the ZIP in pieces. A file that the store lacks is named in its report.

    `said` is told the number of each file that is written.

    A StorageError after the first piece of a file ends the ZIP early, so that nobody takes it for whole.
    """
    return _write_pieces(members, open_store(settings()), said)


def _write_pieces(members: Sequence[ZipMember], store: Store, said: Callable[[int], None]) -> Iterator[bytes]:
    sink, rows = _Sink(), list[tuple[str, ...]]()
    with ZipFile(sink, "w", ZIP_STORED) as archive:
        for number, member in enumerate(members, start=1):
            said(number)
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
    loaded = db.session.scalars(select(Sample).where(*own).options(*WITH_FEATURES, *WITH_COLLECTION))
    by_id = {sample.id: sample for sample in loaded}
    return [by_id[sample_id] for sample_id in ids if sample_id in by_id]


def _folder_of(sample: Sample) -> str:
    """Return the path of a sample's folder in the ZIP: its collection, and its folder there."""
    collection, folder = sample.place
    parts = [collection, *folder.split(BETWEEN_FOLDERS)]
    return "".join(f"{safe_file_name(part)}{BETWEEN_FOLDERS}" for part in parts if part)


def _sp404_member(sample: Sample, pad_name: str | None) -> ZipMember:
    if pad_name is None:
        return _member(sample, "", "", f"left out: {TooLongForPadError()}")
    rate_khz = sample.features.sample_rate / 1000
    note = f"from {sample.format.upper()} at {rate_khz:g} kHz to 48 kHz, 16 bits"
    size_bytes = round(sample.duration_s * RATE_HZ) * BYTES_PER_FRAME
    return _member(sample, f"{_folder_of(sample)}{pad_name}.wav", sample.sp404_key, note, size_bytes)


def _member(sample: Sample, name: str, key: str, note: str, size_bytes: int = 0) -> ZipMember:
    tempo = "" if sample.bpm is None else f"{sample.bpm:.2f}"
    facts = (f"{sample.duration_s:.3f}", tempo, sample.key or "", sample.sound_label)
    return ZipMember(name, key, (name, sample.name, sample.filename, *facts), note, size_bytes)


def _free_name(wanted: str, taken: set[str]) -> str:
    """Return a name that no other file of the ZIP has, in any case of its letters."""
    path, number = PurePosixPath(wanted), 1
    name = wanted
    while name.lower() in taken:
        number += 1
        name = str(path.with_name(f"{path.stem} ({number}){path.suffix}"))
    taken.add(name.lower())
    return name
