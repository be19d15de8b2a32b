"""The job that imports one project: unpack it, find what is in the library, measure the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.audio.errors import UnreadableAudio
from app.billing import plans, several_uploads
from app.engine.project_unpacker import UnpackedKit, unpack_project
from app.extensions import db, settings
from app.imports.import_notes import (
    KIT,
    KNOWN,
    MEASURED,
    PROBLEMS,
    RETRIES,
    are_stored,
    read_notes,
    write_notes,
)
from app.imports.library_matches import find_known, hash_file
from app.imports.new_sounds import NewSound, SoundMeasuring, stored_files
from app.integrations.storage import ObjectMissingError, open_store
from app.jobs.lease import LeaseLostError
from app.jobs.purposes import StepInput
from app.kits import documents
from app.kits.kit_bases import base_key
from app.models import User
from app.sp404.errors import ProjectProblem
from app.sp404.kit_document import KitDocument, write_kit

KEY, PATH, NAME = "key", "path", "name"  # choices of the job
ZIP_MIME = "application/zip"
BROUGHT = "brought"  # the result of the step
FILE_GONE = "The file with the project is no longer in our storage. Send it again."
NOTES_GONE = "What was read of the project is no longer in our storage. Send the project again."


def bring_back(work: StepInput, measuring: SoundMeasuring) -> dict[str, Any]:
    """Note what the kit and its new samples are made of; their files are in the store then.

    Returns the ids and sizes alone: `gather_brought` has the rest.

    Raises UnreadableAudio with a sentence for a file that can't be used, and when the plan has no room.
    """
    user_id, unpacked = work.claim.user_id, _unpack(work)
    wanted = _wanted_sounds(user_id, unpacked)
    known = find_known(user_id, wanted, unpacked.folder, work.is_held)
    new = _new_sounds(unpacked, [path for path in wanted if path not in known])
    problems = [*unpacked.problems, *_leave_out_large(user_id, new)]
    base_bytes = unpacked.base.stat().st_size if unpacked.base else 0
    _check_room(user_id, new, base_bytes)
    made, unreadable = measuring.measure_all(new)
    if unpacked.base:
        open_store(settings()).put(base_key(user_id, work.claim.job_id), unpacked.base, ZIP_MIME)
    samples = known | {
        path: made[one.digest]["id"] for one in new if one.digest in made for path in one.paths
    }
    notes = {
        MEASURED: made,
        RETRIES: work.claim.retries,
        KIT: write_kit(_with_samples_of(unpacked.kit, samples)),
        KNOWN: len(set(known.values())),
        PROBLEMS: [str(one) for one in (*problems, *unreadable)],
    }
    if not work.is_held():
        raise LeaseLostError(work.claim.log_name)  # the notes are of the worker that has the job now
    write_notes(work, notes)
    new_sizes = [{"id": one["id"], "size_bytes": one["size_bytes"]} for one in made.values()]
    return {"new": new_sizes, "base_bytes": base_bytes}


def gather_brought(work: StepInput) -> dict[str, Any]:
    """Return the results with everything that the step has noted.

    Raises UnreadableAudio when the notes are gone, or a file that an earlier attempt has stored.
    """
    brought, notes = work.results[BROUGHT], read_notes(work)
    new = list(notes.get(MEASURED, {}).values())
    is_complete = KIT in notes and [one["id"] for one in new] == [one["id"] for one in brought["new"]]
    if not is_complete or (BROUGHT in work.claim.results and not _has_files(work, new)):
        raise UnreadableAudio(NOTES_GONE)
    return {**work.results, BROUGHT: {**brought, **notes, "new": new}}


def _has_files(work: StepInput, new: Iterable[Mapping[str, Any]]) -> bool:
    user_id = work.claim.user_id
    keys = [key for one in new for key in stored_files(user_id, one)]
    if work.results[BROUGHT]["base_bytes"]:
        keys.append(base_key(user_id, work.claim.job_id))
    return are_stored(*keys)


def _unpack(work: StepInput) -> UnpackedKit:
    choices, source = work.claim.choices, work.folder / "project"
    try:
        open_store(settings()).fetch(choices[KEY], source)
    except ObjectMissingError as error:
        raise UnreadableAudio(FILE_GONE) from error
    return unpack_project(source, choices[PATH], choices[NAME], settings().job_limit_s, work.is_held)


def _wanted_sounds(user_id: str, unpacked: UnpackedKit) -> dict[str, dict[str, Any]]:
    """Return the sounds of pads whose sample is not found in the library by its id or its hash."""
    there = documents.state_of_document(db.session.get_one(User, user_id), unpacked.kit)
    db.session.commit()  # no transaction is open while sounds are read
    paths = {
        document.sample.path
        for pad, document in unpacked.kit.pads.items()
        if document.sample and document.sample.path and there.pad(pad).sample_id is None
    }
    return {path: facts for path, facts in unpacked.sounds.items() if path in paths}


def _new_sounds(unpacked: UnpackedKit, paths: Iterable[str]) -> list[NewSound]:
    """Return the sounds to add; equal files are one sound of several pads."""
    by_digest: dict[str, NewSound] = {}
    for path in paths:
        file = unpacked.folder / path
        pads = [pad for pad, one in unpacked.kit.pads.items() if one.sample and one.sample.path == path]
        digest = hash_file(file)
        sample = unpacked.kit.pads[pads[0]].sample
        fresh = NewSound(digest, file, file.stat().st_size, sample.name if sample else "")
        sound = by_digest.setdefault(digest, fresh)
        sound.paths.append(path)
        sound.pads.extend(pads)
    return list(by_digest.values())


def _leave_out_large(user_id: str, new: list[NewSound]) -> list[ProjectProblem]:
    """Remove the sounds that are larger than any upload of the plan, and say so."""
    limit = plans.plan_for_user(db.session.get_one(User, user_id)).max_file_bytes
    db.session.commit()
    large = [one for one in new if one.size_bytes > limit]
    new[:] = [one for one in new if one.size_bytes <= limit]
    mb = limit // plans.MB
    return [
        one.left_out(f"Its sound is larger than {mb} MB, the largest file your plan allows.") for one in large
    ]


def _check_room(user_id: str, new: list[NewSound], base_bytes: int) -> None:
    """Raise UnreadableAudio early when the plan has no room, so that nothing is measured for nothing."""
    user = db.session.get_one(User, user_id)
    sentence = several_uploads.refusal(user, len(new), sum(one.size_bytes for one in new) + base_bytes)
    db.session.commit()
    if sentence is not None:
        raise UnreadableAudio(sentence)


def with_samples(kit: KitDocument, ids: Mapping[str, str]) -> KitDocument:
    """Return a kit whose pads hold other samples, by the ids of those that they hold."""
    pads = dict(kit.pads)
    for pad, document in kit.pads.items():
        sample = document.sample
        if sample is not None and sample.id is not None and sample.id in ids:
            changed = sample.model_copy(update={"id": ids[sample.id]})
            pads[pad] = document.model_copy(update={"sample": changed})
    return kit.model_copy(update={"pads": pads})


def _with_samples_of(kit: KitDocument, samples: Mapping[str, str]) -> KitDocument:
    """Return a kit whose pads name the samples of their sounds by id."""
    pads = dict(kit.pads)
    for pad, document in kit.pads.items():
        sample = document.sample
        if sample is None or sample.path is None:
            continue
        found = {"id": samples[sample.path]} if sample.path in samples else {}
        changed = sample.model_copy(update={"path": None, **found})
        pads[pad] = document.model_copy(update={"sample": changed})
    return kit.model_copy(update={"pads": pads})
