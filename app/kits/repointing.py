"""Let pads follow when duplicates are freed: a pad with a freed sample gets the one that is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlalchemy import select, update

from app.extensions import db
from app.models import Kit, KitChange, KitPad, Sample

CHANGES_AT_ONCE = 100
ID_IN_JSON = re.compile(r'(?<="sample_id":")[0-9A-Z]{26}(?=")')
WITHOUT_SYNC = {"synchronize_session": False}


def repoint_pads(user_id: str, kept_by_freed: Mapping[str, str]) -> int:
    """Put the kept sample on every pad with a freed one, in the caller's transaction; return how many pads.

    The pads keep their settings. The stored changes of the kits follow too, so that undo does not bring back
    a sample that is gone.
    """
    if not kept_by_freed:
        return 0
    pads = select(KitPad.kit_id, KitPad.pad, KitPad.sample_id).join(Kit, Kit.id == KitPad.kit_id)
    mine = pads.where(Kit.user_id == user_id, KitPad.sample_id.in_(kept_by_freed))
    found = db.session.execute(mine).all()
    hashes = _content_hashes({kept_by_freed[row.sample_id] for row in found})
    for row in found:
        kept = kept_by_freed[row.sample_id]
        own = update(KitPad).where(KitPad.kit_id == row.kit_id, KitPad.pad == row.pad)
        db.session.execute(
            own.values(sample_id=kept, content_sha256=hashes[kept]), execution_options=WITHOUT_SYNC
        )
    _repoint_changes(user_id, kept_by_freed)
    return len(found)


def _content_hashes(sample_ids: set[str]) -> dict[str, str]:
    rows = db.session.execute(select(Sample.id, Sample.content_sha256).where(Sample.id.in_(sample_ids)))
    return {row[0]: row[1] for row in rows}


def _repoint_changes(user_id: str, kept_by_freed: Mapping[str, str]) -> None:
    own = select(KitChange.kit_id, KitChange.number, KitChange.before, KitChange.after)
    own = own.join(Kit, Kit.id == KitChange.kit_id).where(Kit.user_id == user_id)
    for change in db.session.execute(own.execution_options(yield_per=CHANGES_AT_ONCE)):
        before, after = (_repoint_text(text, kept_by_freed) for text in (change.before, change.after))
        if (before, after) == (change.before, change.after):
            continue
        this = update(KitChange).where(KitChange.kit_id == change.kit_id, KitChange.number == change.number)
        db.session.execute(this.values(before=before, after=after), execution_options=WITHOUT_SYNC)


def _repoint_text(text: str, kept_by_freed: Mapping[str, str]) -> str:
    return ID_IN_JSON.sub(lambda found: kept_by_freed.get(found[0], found[0]), text)
