"""Which pads hold a sample, for the sample's own page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select

from app.extensions import db
from app.models import Kit, KitPad, Sample
from app.sp404.pads import PLACES

MAX_SHOWN = 50


class Placement(NamedTuple):
    """A pad of a kit."""

    kit_id: str
    kit_name: str
    pad: str


def pads_with(sample: Sample) -> Sequence[Placement]:
    """Return the pads of the owner's kits that hold a sample, by kit and then in the order of the pads."""
    own = Kit.user_id == sample.user_id, Kit.deleted_at.is_(None), KitPad.sample_id == sample.id
    rows = select(Kit.id, Kit.name, KitPad.pad).join(KitPad, KitPad.kit_id == Kit.id).where(*own)
    found = [Placement(*row) for row in db.session.execute(rows.order_by(Kit.id).limit(MAX_SHOWN))]
    return sorted(found, key=lambda each: (each.kit_name.casefold(), each.kit_id, PLACES[each.pad]))
