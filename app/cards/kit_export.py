"""What `flask --app wsgi kit export` does: write the card of a kit as a ZIP, without a job."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from app.cards.card_archives import CardWork, options_for, write_archive
from app.cards.card_orders import check_order
from app.extensions import db
from app.integrations.storage import StorageError
from app.kits import kit_bases
from app.kits.documents import kit_document
from app.models import Kit
from app.sandbox.errors import EngineError
from app.sp404.errors import UnitFileError
from app.sp404.preflight.findings import Finding


class KitExportError(Exception):
    """A kit can't be exported. The message is a sentence."""


def export_kit(
    kit_id: str, out: Path, targets: Sequence[str], project_number: int = 1, *, draws_screen: bool = True
) -> list[Finding]:
    """Write the card of a kit, of whichever account, and return what was found in it.

    Nothing is left at `out` when it fails. Raises KitExportError.
    """
    kit = db.session.get(Kit, kit_id)
    if kit is None or kit.deleted_at is not None:
        raise KitExportError(
            f"There is no kit “{kit_id}”. Its id is the last part of the address of its page."
        )
    if out.exists():
        raise KitExportError(f"“{out}” exists already. Choose another name.")
    try:
        document = kit_document(kit)
        check_order(document, targets, has_base=kit_bases.has_base(kit))
        with TemporaryDirectory(prefix=".card-", dir=out.parent) as name:
            folder = Path(name)
            work, archive = CardWork(kit.user_id, folder), folder / "card.zip"
            options = options_for(kit.id, work, project_number, draws_screen=draws_screen)
            findings = write_archive(work, document, targets, options, archive)
            os.replace(archive, out)
    except UnitFileError as error:
        raise KitExportError(str(error)) from error
    except (StorageError, EngineError) as error:
        raise KitExportError(f"A sound could not be read or rendered: {error}.") from error
    except OSError as error:
        raise KitExportError(f"“{out}” can't be written: {error.strerror}.") from error
    return findings
