"""The kits of a user: make, copy, list, delete with undo, restore."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import delete, func, select

from app.billing import quota
from app.extensions import db
from app.kits import kit_bases
from app.kits.history import check_size
from app.kits.kit_rows import load_state, write_state
from app.kits.kit_state import KitState
from app.models import Kit, KitPad, User, ownership
from app.models.base import transaction, utcnow
from app.models.kit import MAX_KITS
from app.sp404.unit_limits import MAX_PROJECT_NAME

UNDO_PERIOD = timedelta(hours=1)


class TooManyKitsError(Exception):
    """The user has as many kits as there may be."""

    def __init__(self) -> None:
        super().__init__(f"You have {MAX_KITS} kits, which is the most. Delete one first.")


def owned_kit(user: User, kit_id: str) -> Kit:
    """Return the user's kit, or raise RowNotFoundError, also for a deleted one."""
    return ownership.owned_by(user, Kit, kit_id, Kit.deleted_at.is_(None))


def deleted_kit(user: User, kit_id: str) -> Kit:
    """Return a deleted kit of the user's that can still be restored, or raise RowNotFoundError."""
    return ownership.owned_by(user, Kit, kit_id, Kit.deleted_at.is_not(None))


def list_kits(user: User) -> Sequence[Kit]:
    """Return the user's kits, the one changed last first."""
    own = select(Kit).where(Kit.user_id == user.id, Kit.deleted_at.is_(None))
    return db.session.scalars(own.order_by(Kit.changed_at.desc(), Kit.id.desc())).all()


def count_pads(kits: Sequence[Kit]) -> dict[str, int]:
    """Return how many pads of each kit hold a sound, gaps included."""
    held = select(KitPad.kit_id, func.count()).where(
        KitPad.kit_id.in_([kit.id for kit in kits]), KitPad.content_sha256.is_not(None)
    )
    return {row[0]: row[1] for row in db.session.execute(held.group_by(KitPad.kit_id))}


def create_kit(user: User, state: KitState) -> Kit:
    """Create a kit with this content. Raises TooManyKitsError or KitTooLargeError.

    Samples that are not the user's are left out: their pads are gaps.
    """
    with transaction():
        return insert_kit(user.id, state)


def insert_kit(user_id: str, state: KitState) -> Kit:
    """Create a kit as `create_kit` does, inside the caller's transaction."""
    check_size(state)
    _check_room(user_id)
    kit = Kit(user_id=user_id, name=state.name, tempo=state.tempo, tempo_source=state.tempo_source)
    db.session.add(kit)
    db.session.flush()
    write_state(kit, KitState(state.name), state)
    return kit


def copy_kit(user: User, kit: Kit) -> Kit:
    """Create a kit with the same content under the next free name.

    Raises TooManyKitsError or KitTooLargeError.
    """
    with transaction() as session:
        session.refresh(kit)
        made = insert_kit(user.id, replace(load_state(kit), name=next_name(user, kit.name)))
        kit_bases.share_base(kit, made)
    return made


def delete_kit(kit: Kit) -> None:
    """Hide a kit; it is removed after `UNDO_PERIOD`. Safe to call twice."""
    with transaction() as session:
        session.refresh(kit, with_for_update=True)
        kit.deleted_at = kit.deleted_at or utcnow()


def restore_kit(user: User, kit: Kit) -> None:
    """Bring a deleted kit back. Raises TooManyKitsError when others were made meanwhile."""
    with transaction() as session:
        _check_room(user.id)
        session.refresh(kit, with_for_update=True)
        kit.deleted_at = None


def purge_deleted_kits() -> None:
    """Remove kits that were deleted longer ago than the undo period."""
    old = delete(Kit).where(Kit.deleted_at < utcnow() - UNDO_PERIOD)
    with transaction() as session:
        keys = kit_bases.base_keys(Kit.deleted_at < utcnow() - UNDO_PERIOD)
        session.execute(old, execution_options={"synchronize_session": False})
        unused = kit_bases.release_unused(keys)
    kit_bases.delete_objects(unused)


def next_name(user: User, name: str) -> str:
    """Return a name that no kit of the user has yet: the name itself, or one that ends in 2, 3 …"""
    taken = {kit.name.casefold() for kit in list_kits(user)}
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        ending = f" {number}"
        candidate = name[: MAX_PROJECT_NAME - len(ending)].rstrip() + ending
    return candidate


def _check_room(user_id: str) -> None:
    """Lock the account, so that two requests can't both take the last place, and check the limit."""
    quota.lock_account(user_id)
    own = select(func.count()).select_from(Kit).where(Kit.user_id == user_id, Kit.deleted_at.is_(None))
    if (db.session.scalar(own) or 0) >= MAX_KITS:
        raise TooManyKitsError
