"""Edits of a kit's patterns. Each returns a function of the kit's content, for `history.change_kit`."""

from __future__ import annotations

from app.kits.history import KitEdit
from app.kits.kit_state import KitState, PatternState
from app.models.display_names import cut_text, visible_text
from app.models.ownership import RowNotFoundError
from app.sp404.kit_document import MAX_PATTERN_NAME
from app.sp404.pads import pads_of_bank
from app.sp404.project.packed_patterns import check_room, pack_pattern
from app.sp404.project.pattern_files import Pattern, count_bars


def pattern_name(typed: str) -> str:
    """Return the name of a pattern as it is stored; it may be empty."""
    return cut_text(visible_text(typed), MAX_PATTERN_NAME).strip()


def make_pattern(pattern: Pattern, name: str = "") -> PatternState:
    """Return a pattern of the unit as a kit holds it. Raises UnitFileError when its file is too long."""
    data = pattern.to_bytes()
    return PatternState(pattern_name(name), count_bars(data), pack_pattern(data))


def keep_pattern(place: str, pattern: PatternState) -> KitEdit:
    """Put a pattern at a place, over the one that is there. Raises UnitFileError when there is no room."""

    def edit(kit: KitState) -> KitState:
        changed = kit.with_patterns({place: pattern})
        check_room(each.ptn for each in changed.patterns.values())
        return changed

    return edit


def remove_pattern(place: str) -> KitEdit:
    """Take the pattern at a place away. Raises RowNotFoundError where there is none."""

    def edit(kit: KitState) -> KitState:
        if place not in kit.patterns:
            raise RowNotFoundError("pattern")
        return kit.with_patterns({place: None})

    return edit


def free_place(kit: KitState, bank: str) -> str:
    """Return the first place of a bank without a pattern; the last one where all are taken."""
    places = pads_of_bank(bank)
    return next((place for place in places if place not in kit.patterns), places[-1])
