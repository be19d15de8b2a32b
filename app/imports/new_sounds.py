"""Put the new sounds of a project into the store and have each measured, as an upload is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.audio.decoding.format_sniffer import HEAD_BYTES, AudioFormat
from app.audio.errors import UnreadableAudio
from app.engine import dispatch
from app.engine.contract import EngineOrder, ProgressListener
from app.extensions import settings
from app.imports.import_notes import MEASURED, RETRIES, are_stored, read_notes, write_notes
from app.integrations.storage import open_store
from app.jobs.measure_step import WAV_TYPE
from app.jobs.purposes import PROGRESS, StepInput
from app.models import Job
from app.models.base import new_id
from app.models.display_names import display_name
from app.sp404.errors import ProjectProblem
from app.upload.intake import UploadRefusedError, detect_format
from app.vibe.sound_description import describe_by_rules

REPORT_EVERY_S = 4.0
Plain = dict[str, Any]


@dataclass
class NewSound:
    """A sound that is not in the library yet."""

    digest: str  # SHA-256 of its file
    file: Path
    size_bytes: int
    name: str
    paths: list[str] = field(default_factory=list)  # where it lies, once for each pad that had it as a file
    pads: list[str] = field(default_factory=list)

    def left_out(self, reason: str) -> ProjectProblem:
        return ProjectProblem(", ".join(self.pads), f"{reason} It was left out.")


@dataclass
class SoundMeasuring:
    """Measures sounds one after another, and notes what is done, so that another try goes on from there."""

    work: StepInput
    report: Callable[[Mapping[str, Any]], None]
    reported_at: float = float("-inf")

    def measure_all(self, sounds: list[NewSound]) -> tuple[dict[str, Plain], list[ProjectProblem]]:
        """Return the samples to make by the digests of their files, and the sounds that can't be read."""
        earlier, made = self._earlier(), dict[str, Plain]()
        problems = []
        for number, sound in enumerate(sounds, start=1):
            self._tell(made, f"Sound {number:,} of {len(sounds):,}.")
            try:
                made[sound.digest] = self._stored(earlier.get(sound.digest)) or self._measure(sound)
            except (UnreadableAudio, UploadRefusedError) as error:
                problems.append(sound.left_out(str(error)))
        return made, problems

    def _earlier(self) -> dict[str, Plain]:
        """Return what an earlier try has measured. A person's retry begins anew."""
        notes = read_notes(self.work)
        return notes.get(MEASURED, {}) if notes.get(RETRIES, 0) == self.work.claim.retries else {}

    def _stored(self, earlier: Plain | None) -> Plain | None:
        """Return what an earlier try has made of a sound, unless its files are gone."""
        if earlier is None or not are_stored(*stored_files(self.work.claim.user_id, earlier)):
            return None
        return earlier

    def _tell(self, made: Mapping[str, Plain], progress: str) -> None:
        if time.monotonic() - self.reported_at < REPORT_EVERY_S:
            return
        self.report({PROGRESS: progress})
        if made:
            write_notes(self.work, {MEASURED: made, RETRIES: self.work.claim.retries})
        self.reported_at = time.monotonic()

    def _measure(self, sound: NewSound) -> Plain:
        name = display_name(sound.name)
        found = _format_of(sound, name)
        sample_id, filename = new_id(), display_name(f"{name}{found.extension}")
        job = library_file(self.work.claim.user_id, sample_id, filename, found.extension)
        store = open_store(settings())
        store.put(job.original_key, sound.file, found.mime)
        order = EngineOrder(about=sample_id, name=filename, ai_analysis=False, limit_s=settings().job_limit_s)
        listener = ProgressListener(
            lambda rendered: store.put(job.sp404_key, rendered, WAV_TYPE), lambda _: None, self.work.is_held
        )
        with TemporaryDirectory(dir=self.work.folder) as folder:
            answer = dispatch.process_file(job.original_key, Path(folder), order, listener)
        return {
            "id": sample_id,
            "filename": filename,
            "format": found.name,
            "extension": found.extension,
            "size_bytes": sound.size_bytes,
            "sha256": sound.digest,
            "measurement": answer.measurement.to_dict(),
            "described": describe_by_rules(answer.analysis).to_dict(),
        }


def library_file(user_id: str, sample_id: str, filename: str, extension: str) -> Job:
    """Return the job that an upload of this file would have been: it knows where the file goes.

    It is never added to the database.
    """
    key = f"incoming/{user_id}/{sample_id}{extension}"
    return Job(id=sample_id, user_id=user_id, filename=filename, incoming_key=key)


def stored_files(user_id: str, plain: Mapping[str, Any]) -> tuple[str, str]:
    """Return where the files of a measured sound are."""
    file = library_file(user_id, plain["id"], plain["filename"], plain["extension"])
    return file.original_key, file.sp404_key


def _format_of(sound: NewSound, name: str) -> AudioFormat:
    with sound.file.open("rb") as file:
        return detect_format(name, file.read(HEAD_BYTES), file)
