"""Change a kit, and undo and redo its last changes: each is stored with what was there before and after.

A change is a function of the kit's content, so its inverse is data and not code. Whoever changes a kit names
the revision that they saw: when it is not the newest, nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import delete, func, select

from app.extensions import db
from app.kits.kit_rows import load_state, write_state
from app.kits.kit_state import KitState, apply_values, differing_values
from app.models import Kit, KitChange
from app.models.base import transaction, utcnow
from app.models.kit_change import MAX_CHANGES
from app.models.ownership import RowNotFoundError

MAX_WORDS = 120
# Of the settings of all pads with the patterns, and of the history, as JSON. Only recipes with very many
# slices and very many dense patterns get there.
MAX_KIT_CHARACTERS = 1_000_000
MAX_HISTORY_CHARACTERS = 4_000_000
WITHOUT_SYNC = {"synchronize_session": False}
KitEdit = Callable[[KitState], KitState]


class KitConflictError(Exception):
    """The kit has been changed since the page was made that this change comes from."""

    def __init__(self) -> None:
        super().__init__(
            "This kit was changed in another window or by a script. Your change was not made. Look at "
            "the kit as it is now, then try again."
        )


class KitTooLargeError(Exception):
    """The settings of a kit's pads and its patterns take too much room."""

    def __init__(self) -> None:
        super().__init__(
            "The shaping and the patterns of this kit take too much room. Use fewer slices on some pads, or "
            "delete some patterns."
        )


class Steps(NamedTuple):
    """What can be undone and redone next, in words; empty when there is nothing."""

    undo: str = ""
    redo: str = ""


def change_kit(kit: Kit, words: str, edit: KitEdit, revision: int | None = None) -> bool:
    """Change a kit in one transaction that can be undone, and return whether anything was changed.

    `words` say what is done, and `revision` is the one that the change was made for; None means any. Raises
    KitConflictError when the kit has another by now, KitTooLargeError, and whatever `edit` raises.
    """
    with transaction() as session:
        before = _lock(kit, revision)
        after = edit(before)
        if after == before:
            return False
        check_size(after, before)
        _write(kit, before, after)
        _forget_undone(kit)
        kit.position += 1
        session.add(
            KitChange(
                kit_id=kit.id,
                number=kit.position,
                words=words[:MAX_WORDS],
                before=differing_values(before, after),
                after=differing_values(after, before),
            )
        )
        session.flush()
        _forget_oldest(kit)
    return True


def check_size(state: KitState, before: KitState | None = None) -> None:
    """Raise KitTooLargeError when a kit takes too much room, unless it took more before."""
    size = _size_in_characters(state)
    if size > MAX_KIT_CHARACTERS and (before is None or size >= _size_in_characters(before)):
        raise KitTooLargeError


def undo_change(kit: Kit, revision: int | None = None) -> str:
    """Undo the latest change of a kit that is in force, and return its words; empty if there is none."""
    with transaction():
        state = _lock(kit, revision)
        change = db.session.get(KitChange, (kit.id, kit.position))
        if change is None:
            return ""
        _write(kit, state, apply_values(state, change.before))
        kit.position -= 1
        return change.words


def redo_change(kit: Kit, revision: int | None = None) -> str:
    """Make the change again that was undone last, and return its words; empty if there is none."""
    with transaction():
        state = _lock(kit, revision)
        change = db.session.get(KitChange, (kit.id, kit.position + 1))
        if change is None:
            return ""
        _write(kit, state, apply_values(state, change.after))
        kit.position += 1
        return change.words


def next_steps(kit: Kit) -> Steps:
    """Return what would be undone and redone next."""
    near = select(KitChange.number, KitChange.words).where(
        KitChange.kit_id == kit.id, KitChange.number.in_((kit.position, kit.position + 1))
    )
    words = {row.number: row.words for row in db.session.execute(near)}
    return Steps(words.get(kit.position, ""), words.get(kit.position + 1, ""))


def _lock(kit: Kit, revision: int | None) -> KitState:
    """Lock a kit's row against other changes, check its revision and return what it holds."""
    db.session.refresh(kit, with_for_update=True)
    if kit.deleted_at is not None:
        raise RowNotFoundError(Kit.__name__)
    if revision is not None and revision != kit.revision:
        raise KitConflictError
    return load_state(kit)


def _write(kit: Kit, before: KitState, after: KitState) -> None:
    write_state(kit, before, after)
    kit.revision += 1
    kit.changed_at = utcnow()


def _size_in_characters(state: KitState) -> int:
    return len(differing_values(state, KitState("")))


def _forget_undone(kit: Kit) -> None:
    """Remove changes that were undone: after another change they can't be made again."""
    undone = delete(KitChange).where(KitChange.kit_id == kit.id, KitChange.number > kit.position)
    db.session.execute(undone, execution_options=WITHOUT_SYNC)


def _forget_oldest(kit: Kit) -> None:
    """Keep the latest changes of a kit, as many as are stored at most; the very latest always stays."""
    size = func.length(KitChange.before) + func.length(KitChange.after)
    sizes = select(KitChange.number, size).where(KitChange.kit_id == kit.id).order_by(KitChange.number.desc())
    total, oldest = 0, kit.position
    for number, characters in db.session.execute(sizes.limit(MAX_CHANGES)):
        total += characters
        if total > MAX_HISTORY_CHARACTERS:
            break
        oldest = number
    old = delete(KitChange).where(KitChange.kit_id == kit.id, KitChange.number < oldest)
    db.session.execute(old, execution_options=WITHOUT_SYNC)
