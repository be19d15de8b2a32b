"""Read a kit's content from its rows, and write what differs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, insert, select

from app.extensions import db
from app.kits.kit_state import OWN_VALUES, BankState, KitState, PadState, PatternState
from app.models import Kit, KitBank, KitPad, KitPattern, Sample
from app.sp404.pad_settings import read_settings


def load_state(kit: Kit) -> KitState:
    """Return what a kit holds; pads whose sample is in the trash still name it."""
    banks = db.session.scalars(select(KitBank).where(KitBank.kit_id == kit.id))
    pads = db.session.scalars(select(KitPad).where(KitPad.kit_id == kit.id))
    patterns = db.session.scalars(select(KitPattern).where(KitPattern.kit_id == kit.id))
    return KitState(
        **{name: getattr(kit, name) for name in OWN_VALUES},
        banks={row.bank: BankState(row.tempo, row.volume, row.protect) for row in banks},
        pads={row.pad: _pad_state(row) for row in pads},
        patterns={row.place: PatternState(row.name, row.bars, row.ptn) for row in patterns},
    )


def has_patterns(kit: Kit) -> bool:
    """Return whether a kit holds a pattern."""
    first = select(KitPattern.place).where(KitPattern.kit_id == kit.id).limit(1)
    return db.session.scalar(first) is not None


def write_state(kit: Kit, before: KitState, after: KitState) -> None:
    """Write where a kit differs from what its rows hold, in the caller's transaction.

    The samples are locked before the pads, in the order in which whoever removes samples locks them. A pad
    whose sample is gone for good becomes a gap.
    """
    for name in OWN_VALUES:
        setattr(kit, name, getattr(after, name))
    changed = {name: pad for name, pad in after.pads.items() if before.pads.get(name) != pad}
    hashes = _content_hashes(kit.user_id, {pad.sample_id for pad in changed.values()})
    pads = {**after.pads} | {name: _with_hash(pad, hashes) for name, pad in changed.items()}
    _replace_rows(KitBank, KitBank.bank, kit.id, before.banks, after.banks)
    _replace_rows(KitPad, KitPad.pad, kit.id, before.pads, pads)
    _replace_rows(KitPattern, KitPattern.place, kit.id, before.patterns, after.patterns)


def _pad_state(row: KitPad) -> PadState:
    settings = read_settings(row.settings)
    return PadState(row.sample_id, row.sample_name, row.content_sha256, row.locked, settings)


def _with_hash(pad: PadState, hashes: Mapping[str, str]) -> PadState:
    if pad.sample_id is None:
        return pad
    if pad.sample_id not in hashes:
        return replace(pad, sample_id=None)
    return replace(pad, content_sha256=hashes[pad.sample_id])


def _content_hashes(user_id: str, ids: Collection[str | None]) -> dict[str, str]:
    """Return the hash of each of these ids that is still a sample of this user, also in the trash."""
    wanted = [each for each in ids if each is not None]
    if not wanted:
        return {}
    own = select(Sample.id, Sample.content_sha256).where(Sample.user_id == user_id, Sample.id.in_(wanted))
    rows = db.session.execute(own.order_by(Sample.id).with_for_update(key_share=True, read=True))
    return {row[0]: row[1] for row in rows}


def _replace_rows(
    model: type[KitBank] | type[KitPad] | type[KitPattern],
    column: Any,
    kit_id: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not changed:
        return
    gone = delete(model).where(model.kit_id == kit_id, column.in_(changed))
    db.session.execute(gone, execution_options={"synchronize_session": False})
    rows = [
        {"kit_id": kit_id, column.key: name, **after[name].to_dict()} for name in changed if name in after
    ]
    if rows:
        db.session.execute(insert(model), rows)
