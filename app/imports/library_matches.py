"""Find which sounds of a project its owner has already: those that play exactly the same on the unit."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select

from app.audio.unit_format import MAX_FRAMES, MIN_FRAMES, RATE_HZ
from app.extensions import db, settings
from app.integrations.storage import ObjectMissingError, open_store
from app.jobs.lease import LeaseLostError
from app.models import AudioFeatures, Sample
from app.sp404.errors import UnitFileError
from app.sp404.project.kept_smp import plays_same
from app.sp404.project.pcm_files import WAV_HEADER_BYTES, PcmShape, pcm_blocks, read_pcm_shape

MAX_CHANNELS = 2
HEAD_BYTES = 4096
MAX_COMPARED = 200
"""With how many samples of the same length a sound is compared: mostly by their first bytes alone."""


class LibraryWav(NamedTuple):
    """A sample's WAV for the unit, as far as the database knows it."""

    sample_id: str
    key: str


class LibraryHeads:
    """The first bytes of WAVs in the store, each read once for all sounds of a project."""

    def __init__(self, is_held: Callable[[], bool]) -> None:
        self._is_held = is_held
        self._heads: dict[tuple[str, int], bytes | None] = {}

    def read(self, key: str, count: int) -> bytes | None:
        """Return so many bytes after the header, or None where there is no such WAV.

        Raises StorageError, and LeaseLostError as soon as nobody waits for the answer.
        """
        wanted = key, count
        if wanted not in self._heads:
            if not self._is_held():
                raise LeaseLostError(key)
            self._heads[wanted] = None
            with suppress(ObjectMissingError):
                self._heads[wanted] = open_store(settings()).read(key, WAV_HEADER_BYTES, count)
        return self._heads[wanted]


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_known(
    user_id: str,
    sounds: Mapping[str, Mapping[str, Any]],
    folder: Path,
    is_held: Callable[[], bool],
) -> dict[str, str]:
    """Return the id of the sample of each sound that is in the library, by the sound's path in the folder.

    `sounds` has the facts of each as it was unpacked. Raises StorageError, and LeaseLostError as soon as
    nobody waits for the answer.
    """
    by_shape, by_hash = _library(user_id)
    heads = LibraryHeads(is_held)
    known: dict[str, str] = {}
    for path, facts in sounds.items():
        if not is_held():
            raise LeaseLostError(path)
        found = by_hash.get(hash_file(folder / path))
        if found is None and facts:
            found = _find_equal(facts, by_shape, folder / path, heads)
        if found is not None:
            known[path] = found
    return known


def _library(user_id: str) -> tuple[Mapping[tuple[int, int], list[LibraryWav]], dict[str, str]]:
    """Return the samples of a library by frames and channels of their WAV, and by the hash of their file."""
    rows = db.session.execute(
        select(Sample.id, Sample.sp404_key, Sample.duration_s, Sample.content_sha256, AudioFeatures.channels)
        .join(AudioFeatures, AudioFeatures.sample_id == Sample.id)
        .where(Sample.user_id == user_id, Sample.deleted_at.is_(None))
        .order_by(Sample.id.desc())
    ).all()
    db.session.commit()  # no transaction is open while sounds are read
    by_shape: defaultdict[tuple[int, int], list[LibraryWav]] = defaultdict(list)
    by_hash: dict[str, str] = {}
    for sample_id, key, duration_s, content_sha256, channels in rows:
        frames = max(round(duration_s * RATE_HZ), MIN_FRAMES)
        by_shape[frames, min(channels, MAX_CHANNELS)].append(LibraryWav(sample_id, key))
        by_hash[content_sha256] = sample_id
    return by_shape, by_hash


def _find_equal(
    facts: Mapping[str, Any],
    by_shape: Mapping[tuple[int, int], list[LibraryWav]],
    sound: Path,
    heads: LibraryHeads,
) -> str | None:
    """Return the id of a sample whose WAV for the unit has the same samples as a sound on disk."""
    wanted = PcmShape(facts["frames"], facts["channels"])
    length = max(wanted.frames, MIN_FRAMES)
    lengths = (length, length - 1, length + 1)  # a resampled sound may be a frame longer or shorter
    near = [one for frames in lengths for one in by_shape.get((frames, wanted.channels), ())]
    head = next(pcm_blocks(sound, wanted))[:HEAD_BYTES]
    for one in near[:MAX_COMPARED]:
        with suppress(ObjectMissingError, UnitFileError):
            if heads.read(one.key, len(head)) == head and _plays_same(
                one.key, wanted, facts["pcm_sha256"], sound
            ):
                return one.sample_id
    return None


def _plays_same(key: str, wanted: PcmShape, pcm_sha256: str, sound: Path) -> bool:
    copy = sound.with_suffix(".compared")
    try:
        open_store(settings()).fetch(key, copy)
        return plays_same(copy, read_pcm_shape(copy, RATE_HZ, MAX_FRAMES), wanted, pcm_sha256)
    finally:
        copy.unlink(missing_ok=True)
