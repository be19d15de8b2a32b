"""The job that unpacks a ZIP: each sound in it becomes a job of its own, charged and analysed as an upload.

Every sound has the id that its place in the ZIP gives it. So an attempt that goes on where another was killed
finds what is there already, and makes nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import select

from app.audio.errors import UnreadableAudio
from app.billing import plans, quota
from app.collections import collection_rows
from app.collections.collection_rows import TooManyCollectionsError
from app.engine.sound_unpacker import unpack_some
from app.extensions import db, settings
from app.integrations.storage import ObjectMissingError, open_store
from app.jobs import lease
from app.jobs.lease import LeaseLostError
from app.jobs.purposes import PROGRESS, StepInput
from app.models import Job, User
from app.models.base import derived_id, transaction
from app.models.display_names import file_name, file_title
from app.models.job import STORED, UNFINISHED, UPLOAD
from app.models.sample_places import SamplePlace, collection_name
from app.sp404.errors import UnitFileError
from app.sp404.importing.sound_zip import PackedSound, ZipContents, read_sound_zip
from app.upload import intake
from app.upload.intake import UploadOptions, UploadRefusedError

TAKEN = "taken"  # the step's result
PORTION_SOUNDS, PORTION_BYTES = 50, 64 << 20
"""How much is unpacked at once: it lies on the disk until it is stored."""
KNOWN_NAMED = 5
"""How many sounds that are known already are named; the others are counted."""
NO_ROOM = "no room in your plan."
FILE_GONE = "The ZIP is no longer in our storage. Send it again."


def unpack_zip(work: StepInput) -> dict[str, Any]:
    """Make a job of each sound in the ZIP that the plan has room for, and return what came of all of them.

    Raises UnreadableAudio with a sentence for a ZIP that can't be used.
    """
    source = work.folder / "sent"
    try:
        open_store(settings()).fetch(work.claim.incoming_key, source)
        contents = read_sound_zip(source)
    except ObjectMissingError as error:
        raise UnreadableAudio(FILE_GONE) from error
    except UnitFileError as error:
        raise UnreadableAudio(str(error)) from error
    taking = SoundTaking(work, contents)
    taking.take_all()
    return taking.to_dict()


@dataclass
class SoundTaking:
    """Takes the sounds of a ZIP one after another."""

    work: StepInput
    contents: ZipContents
    taken: int = 0
    known: int = 0
    known_names: list[str] = field(default_factory=list)  # of the first of them
    problems: list[str] = field(default_factory=list)
    without_room: list[str] = field(default_factory=list)
    refusal: str = ""  # why the plan has no room for the others
    _seen: set[str] = field(default_factory=set)  # hashes of what is being analysed or was taken

    def take_all(self) -> None:
        """Take every sound that can be taken, and note the others. Raises UnreadableAudio."""
        self.problems += self.contents.problems
        self._seen = _hashes_under_way(self.work.claim.user_id)
        there = self._jobs_that_are_there()
        self.taken = len(there)
        zip_id = self.work.claim.job_id
        left = [one for one in self._of_right_size() if derived_id(zip_id, one.number) not in there]
        if left:
            self._require_collection()
        for portion in _portions(left):
            if self.refusal:
                self.without_room += [sound.left_out(NO_ROOM) for sound in portion]
            else:
                self._take_portion(portion)

    def to_dict(self) -> dict[str, Any]:
        """Return what came of it as plain JSON."""
        return {
            "taken": self.taken,
            "known": self.known,
            "known_names": self.known_names,
            "problems": self.problems,
            "without_room": self.without_room,
            "refusal": self.refusal,
            "collection": self._collection_name,
            "side_files": self.contents.side_files,
            "projects": self.contents.projects,
        }

    def _require_collection(self) -> None:
        """Refuse the ZIP before its first sound is stored, if there can't be a collection for them."""
        user_id, name = self.work.claim.user_id, self._collection_name
        try:
            if name and collection_rows.find_named(user_id, name) is None:
                collection_rows.check_room(user_id)
        except TooManyCollectionsError as error:
            raise UnreadableAudio(str(error)) from error
        finally:
            db.session.commit()

    def _jobs_that_are_there(self) -> set[str]:
        """Return the ids of the sounds that an earlier attempt has taken."""
        wanted = select(Job.id).where(Job.batch_id == sounds_batch_id(self.work.claim.job_id))
        found = set(db.session.scalars(wanted))
        db.session.commit()
        return found

    def _of_right_size(self) -> Iterator[PackedSound]:
        """Yield the sounds that the plan takes by their size; name the others."""
        user = db.session.get_one(User, self.work.claim.user_id)
        plan = plans.plan_for_user(user)
        db.session.commit()
        for sound in self.contents.sounds:
            if sound.size_bytes > plan.max_file_bytes:
                self.problems.append(sound.left_out(intake.too_large_message("It", plan)))
            else:
                yield sound

    def _take_portion(self, portion: Sequence[PackedSound]) -> None:
        source, is_held = self.work.folder / "sent", self.work.is_held
        damaged = unpack_some(source, [one.number for one in portion], settings().job_limit_s, is_held)
        for sound in portion:
            file = self.work.folder / str(sound.number)
            if sound.number in damaged:
                self.problems.append(sound.left_out(damaged[sound.number]))
            elif self.refusal:
                self.without_room.append(sound.left_out(NO_ROOM))
            else:
                self._take(sound)
            file.unlink(missing_ok=True)
        self.work.report(STORED, {PROGRESS: f"{self.taken:,} of {len(self.contents.sounds):,} sounds."})

    def _take(self, sound: PackedSound) -> None:
        """Store one sound and insert its job, unless its bytes are known or the plan has no room."""
        claim, file = self.work.claim, self.work.folder / str(sound.number)
        if not self.work.is_held():
            raise LeaseLostError(claim.log_name)
        user, name = db.session.get_one(User, claim.user_id), file_name(sound.name)
        plan = plans.plan_for_user(user)
        db.session.commit()  # no database connection is held while reading
        try:
            with file.open("rb") as stream:
                received = intake.examine(stream, "It", plan)
        except UploadRefusedError as error:
            self.problems.append(sound.left_out(str(error)))
            return
        if received.sha256 in self._seen or intake.find_duplicate(user, received.sha256):
            self.known += 1
            self.known_names = [*self.known_names, name][:KNOWN_NAMED]
            return
        options = UploadOptions(job_id=derived_id(claim.job_id, sound.number), place=self._place(sound))
        batch_id = intake.open_batch(user, sounds_batch_id(claim.job_id), len(self.contents.sounds))
        job = intake.build_job(claim.user_id, plan, received, name, batch_id, options)
        try:
            intake.check_quota_early(user, received.size_bytes)
            db.session.commit()  # no database connection is held while storing
            open_store(settings()).put(str(job.incoming_key), file, received.format.mime)
            self._insert(job, options.place)
        except UploadRefusedError as error:
            self._note_refusal(sound, str(error))
            return
        self._seen.add(received.sha256)
        self.taken += 1

    def _insert(self, job: Job, place: SamplePlace) -> None:
        """Insert the job as long as this worker holds the ZIP. Raises LeaseLostError, UploadRefusedError."""
        key = str(job.incoming_key)
        try:
            with transaction() as session:
                quota.lock_account(job.user_id)
                lease.lock_held_job(self.work.claim)
                intake.insert_charged_job(session.get_one(User, job.user_id), job, place)
        except UploadRefusedError:
            intake.remove_stored(key)
            raise

    def _note_refusal(self, sound: PackedSound, sentence: str) -> None:
        """Leave a sound out; when the plan has no room for any other, leave all of them out."""
        user = db.session.get_one(User, self.work.claim.user_id)
        if quota.plan_usage(user).refusal() is None:
            self.problems.append(sound.left_out(sentence))
        else:
            self.without_room.append(sound.left_out(NO_ROOM))
            self.refusal = sentence
        db.session.commit()

    def _place(self, sound: PackedSound) -> SamplePlace:
        return SamplePlace.from_texts(self._collection_name, sound.folder)

    @property
    def _collection_name(self) -> str:
        return collection_name(self.contents.top_folder or file_title(self.work.claim.filename))


def sounds_batch_id(job_id: str) -> str:
    """Return the id of the batch of a ZIP's sounds."""
    return str(uuid5(NAMESPACE_URL, f"zip:{job_id}"))


def _hashes_under_way(user_id: str) -> set[str]:
    """Return the hashes of a user's files that are not samples yet."""
    wanted = select(Job.content_sha256).where(
        Job.user_id == user_id, Job.purpose == UPLOAD, Job.state.in_(UNFINISHED)
    )
    found = {digest for digest in db.session.scalars(wanted) if digest}
    db.session.commit()
    return found


def _portions(sounds: Sequence[PackedSound]) -> Iterator[list[PackedSound]]:
    """Yield the sounds in portions that are unpacked at once."""
    portion: list[PackedSound] = []
    for sound in sounds:
        size_bytes = sum(one.size_bytes for one in portion) + sound.size_bytes
        if portion and (len(portion) == PORTION_SOUNDS or size_bytes > PORTION_BYTES):
            yield portion
            portion = []
        portion.append(sound)
    if portion:
        yield portion
