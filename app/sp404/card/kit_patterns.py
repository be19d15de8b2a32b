"""The patterns that go on a card: those of the kit, and of the project that it was read from."""

from __future__ import annotations

from app.sp404.card.card_options import CardOptions
from app.sp404.kit_document import KitDocument
from app.sp404.pads import PAD_NAMES
from app.sp404.project.packed_patterns import read_packed
from app.sp404.project.pattern_files import Pattern


def patterns_of(kit: KitDocument, options: CardOptions) -> dict[str, Pattern]:
    """Return the patterns of a card by their places, in the order of the unit.

    Parameters
    ----------
    kit : KitDocument
        Its patterns replace those of the project that it was read from.
    options : CardOptions
    """
    base = dict(options.base.patterns) if options.base else {}
    found = base | {place: read_packed(pattern.ptn) for place, pattern in kit.patterns.items()}
    return {place: found[place] for place in PAD_NAMES if place in found}
