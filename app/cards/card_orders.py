"""Order cards, list those that are kept, and delete them in time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import delete, select

from app.billing import quota
from app.cards import card_preflight, export_orders
from app.cards.card_job import KIT, KIT_ID, PROJECT, SCREEN, TARGETS
from app.cards.card_purpose import CARD_PURPOSE
from app.download_names import ZIP_TYPE
from app.extensions import db, settings
from app.integrations.storage import StorageError, open_store
from app.kits import kit_bases
from app.kits.documents import kit_document
from app.models import CardExport, Job, Kit, User
from app.models.base import transaction, utcnow
from app.models.card_export import CARD_LIFETIME
from app.models.ownership import RowNotFoundError
from app.sp404.card.card_options import CardOptions, check_targets, is_midi_alone
from app.sp404.errors import UnitFileError
from app.sp404.kit_document import KitDocument, write_kit

EMPTY_KIT = (
    "This kit has no sounds yet, and the unit can't take an empty project. Put a sound on a pad first."
)
NO_PATTERN = "This kit has no patterns yet. Save a beat or add a MIDI file on the kit's page first."


def check_order(document: KitDocument, targets: Sequence[str], *, has_base: bool = False) -> None:
    """Raise UnitFileError for an unknown target, or for a kit that has nothing for one.

    A project that was imported may have patterns of its own.
    """
    check_targets(tuple(targets))
    if is_midi_alone(targets):
        if not document.patterns and not has_base:
            raise UnitFileError(NO_PATTERN)
    elif not any(pad.sample for pad in document.pads.values()):
        raise UnitFileError(EMPTY_KIT)


def order_card(
    user: User, kit: Kit, targets: Sequence[str], project_number: int = 1, *, draws_screen: bool = True
) -> Job:
    """Return the job that makes a card of a kit as it is now: an unfinished one for the same, or a new one.

    The caller wakes a worker. Raises UnitFileError as `check_order` does, for an unknown project and for an
    error that nothing can fix, and DailyLimitError.
    """
    CardOptions(project_number=project_number)
    document = kit_document(kit)
    check_order(document, targets, has_base=kit_bases.has_base(kit))
    if refusal := card_preflight.check_card(kit, targets).refusal:
        raise UnitFileError(refusal)
    choices = {
        KIT_ID: kit.id,
        KIT: write_kit(document),
        TARGETS: list(dict.fromkeys(targets)),
        PROJECT: project_number,
        SCREEN: draws_screen,
    }
    with transaction():
        if not quota.lock_account(user.id):
            raise RowNotFoundError
        return export_orders.insert_job(user, CARD_PURPOSE, kit.name, choices)


def kept_cards(user: User, kit: Kit) -> list[CardExport]:
    """Return the cards of a kit that are still kept, newest first."""
    mine = CardExport.user_id == user.id, CardExport.kit_id == kit.id
    fresh = CardExport.created_at > utcnow() - CARD_LIFETIME
    return list(
        db.session.scalars(select(CardExport).where(*mine, fresh).order_by(CardExport.created_at.desc()))
    )


def download_url(card: CardExport) -> str:
    """Return a signed link to the ZIP of a card."""
    return open_store(settings()).url(
        card.store_key, content_type=ZIP_TYPE, download_name=f"{card.kit_name}.zip"
    )


def remove_old_cards() -> None:
    """Delete cards that are older than `CARD_LIFETIME`: the rows first, then their ZIPs."""
    with transaction() as session:
        old = delete(CardExport).where(CardExport.created_at < utcnow() - CARD_LIFETIME)
        keys = session.scalars(old.returning(CardExport.store_key)).all()
    store = open_store(settings())
    for key in keys:
        with suppress(StorageError):  # the sweep of orphans removes what is left
            store.delete(key)
