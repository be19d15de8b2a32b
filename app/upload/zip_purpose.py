"""The purpose of jobs that unpack a ZIP of sounds: what is said of them, and what they note at their end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for

from app.collections import collection_rows
from app.extensions import db
from app.jobs import transitions
from app.jobs.purposes import Purpose, Results, Stage, Step, Wording
from app.models import Batch, Job
from app.models.job import OUTCOME, READY, UNPACKED
from app.notify import batch_completion
from app.notify.batch_mail import BatchWording
from app.notify.external_urls import external_url
from app.plurals import join_words, pluralize
from app.upload.zip_job import TAKEN, sounds_batch_id, unpack_zip

UNPACK = "unpack"
SOUNDS = "sounds"  # a choice of the job: how many are in the ZIP
MAX_NAMED = 1000
"""How many files that were left out are named; the others are counted."""
SEND_AGAIN = "Then send the ZIP again: sounds you have are not added or counted twice."


def finish_unpacking(job: Job, results: Results) -> None:
    """Note what came of the ZIP, and stop waiting for the sounds that were not taken."""
    unpacked = results[TAKEN]
    left_out = [*unpacked["problems"], *unpacked["without_room"]]
    outcome = {
        "taken": unpacked["taken"],
        "sentences": _sentences(unpacked),
        "problems": left_out[:MAX_NAMED],
        "more": max(len(left_out) - MAX_NAMED, 0),
        "collection_id": _collection_id(job.user_id, unpacked),
        "has_no_room": bool(unpacked["without_room"]),
    }
    job.choices = {**(job.choices or {}), OUTCOME: outcome}
    batch = db.session.get(Batch, sounds_batch_id(job.id))
    if batch is not None:
        batch.refused = max(batch.expected - unpacked["taken"], 0)
        batch_completion.settle_if_done(batch.id)


def _collection_id(user_id: str, unpacked: Mapping[str, Any]) -> str | None:
    found = collection_rows.find_named(user_id, unpacked["collection"]) if unpacked["taken"] else None
    return found.id if found is not None else None


def _sentences(unpacked: Mapping[str, Any]) -> list[str]:
    """Return what came of a ZIP in sentences, the sounds first."""
    taken, known, without_room = unpacked["taken"], unpacked["known"], len(unpacked["without_room"])
    told = [f"{pluralize(taken, 'sound')} added." if taken else "No sound was added."]
    if known:
        told.append(_known_sentence(known, unpacked.get("known_names", ())))
    if without_room:
        verb = "has" if without_room == 1 else "have"
        sounds = pluralize(without_room, "sound")
        told.append(f"{sounds} {verb} no room in your plan. {unpacked['refusal']} {SEND_AGAIN}")
    if unpacked["side_files"]:
        told.append(unpacked["side_files"])
    if unpacked["projects"]:
        projects = pluralize(unpacked["projects"], "project")
        told.append(f"It also holds {projects} of the SP-404MKII, which the Kits page imports.")
    return told


def _known_sentence(known: int, names: Sequence[str]) -> str:
    """Return which sounds were known already. The previous version counted them only."""
    verb = "was" if known == 1 else "were"
    more = [f"{known - len(names):,} more"] if known > len(names) else []
    named = f": {join_words([*names, *more])}" if names else ""
    sounds = pluralize(known, "sound")
    return f"{sounds} {verb} left out, in your library already or twice in the ZIP{named}."


UNPACK_PURPOSE = Purpose(
    name=UNPACK,
    steps=(
        Step(
            stages=(Stage(UNPACKED, "Unpacking the sounds. Each gets its own job."),),
            result_key=TAKEN,
            run=unpack_zip,
        ),
    ),
    finish=finish_unpacking,
    wording=Wording(
        waiting="To be unpacked",
        completed="Unpacked",
        unsuccessful="To be unpacked",
        cancelled="Cancelled. Sounds that were unpacked before have cards of their own.",
        plural="ZIPs",
        file_refused="Nothing more was added to your library.",
        tries_used_up=f"We keep the ZIP for {transitions.FILE_KEPT_FOR.days} days: try again. "
        "Sounds that were unpacked are not added twice.",
        file_unavailable="Send it again.",
        mail=BatchWording(
            "ZIP",
            "unpacked",
            "unpacked",
            made="ZIP",
            address=lambda job: external_url("upload.unpacked", zip_id=job.id),
            is_told=lambda job: (
                not (job.outcome or {}).get("taken")
            ),  # or the mail about its sounds tells of it
            sentences=lambda job: (job.outcome or {}).get("sentences", ()),
        ),
    ),
    shows_file_size=True,
    fed_batch=sounds_batch_id,
    result_label="See what was in it",
    result_address=lambda job: url_for("upload.unpacked", zip_id=job.id),
    last_stage=Stage(READY, "Finishing."),
)
