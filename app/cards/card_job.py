"""The job that makes a card of a kit: it renders the pads, checks and writes the files, and keeps the ZIP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.audio.errors import UnreadableAudio
from app.billing import quota
from app.cards.card_archives import CardWork, options_for, write_archive
from app.download_names import ZIP_TYPE
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.jobs.purposes import Results, StepInput
from app.models import CardExport, Job, Kit
from app.models.usage import EXPORT
from app.sp404.errors import UnitFileError
from app.sp404.kit_document import read_kit

KIT_ID, KIT, TARGETS, PROJECT, SCREEN = "kit_id", "kit", "targets", "project_number", "startup_screen"
PADS_DONE = "pads_done"  # early results: how many pads are rendered


def make_card(work: StepInput, said: Callable[[int, int], None]) -> dict[str, Any]:
    """Make the ZIP of a card and store it; `said` is told how many pads are rendered, and of how many."""
    choices, archive = work.claim.choices, work.folder / "card.zip"
    here = CardWork(work.claim.user_id, work.folder, work.is_held)
    try:
        # The previous version ordered no screen by name, and always drew one.
        screen = choices.get(SCREEN, True)
        options = options_for(choices[KIT_ID], here, choices[PROJECT], draws_screen=screen)
        findings = write_archive(here, read_kit(choices[KIT]), choices[TARGETS], options, archive, said)
    except UnitFileError as error:
        raise UnreadableAudio(str(error)) from error
    open_store(settings()).put(work.claim.made_key, archive, ZIP_TYPE)
    return {
        "size_bytes": archive.stat().st_size,
        "findings": [finding.to_dict() for finding in findings],
    }


def finish_card(job: Job, results: Results) -> None:
    """Keep the ZIP and count the export."""
    made, choices = results["card"], job.choices or {}
    kit = db.session.get(Kit, choices[KIT_ID])
    db.session.add(
        CardExport(
            id=job.id,
            user_id=job.user_id,
            kit_id=kit.id if kit is not None else None,
            kit_name=read_kit(choices[KIT]).name,
            targets=choices[TARGETS],
            findings=made["findings"],
            store_key=job.made_key,
            size_bytes=made["size_bytes"],
        )
    )
    quota.add_usage(job.user_id, EXPORT, f"card:{job.id}", 1)
