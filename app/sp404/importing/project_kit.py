"""The kit of a project of the unit: its tempo, its banks, its pads with every setting, and its patterns."""

from __future__ import annotations

from collections.abc import Mapping

from app.sp404.kit_document import (
    BankDocument,
    KitDocument,
    PadDocument,
    PatternDocument,
    SampleReference,
    write_kit,
)
from app.sp404.pad_names import safe_name
from app.sp404.pads import PAD_NAMES
from app.sp404.project.packed_patterns import MAX_PATTERNS_BYTES, pack_pattern
from app.sp404.project.unit_project import UnitProject
from app.sp404.unit_limits import BANKS, MAX_PROJECT_NAME

NAMELESS = "PROJECT"
MAX_CHARACTERS = 900_000
"""Of a project's kit with its patterns. A kit of a library may have more, so it can still be changed."""
CHARACTERS_BESIDE = 300
"""What each pad and pattern takes in a library beside what the document has: ids, a hash, names."""


def name_project(project: UnitProject) -> str:
    """Return the name of a project's kit: its own, or else that of its folder."""
    return project.head.name.strip(" ") or safe_name(project.folder_name or NAMELESS, MAX_PROJECT_NAME)


def kit_of_project(project: UnitProject, paths: Mapping[str, str]) -> KitDocument:
    """Return the kit of a project.

    Parameters
    ----------
    project : UnitProject
    paths : mapping of str to str
        Where the sounds of its pads lie beside the document, by pads. A pad without one is a gap, which keeps
        its settings and its name.
    """
    head = project.head
    banks = {
        letter: BankDocument(tempo=bank.tempo, volume=bank.volume, protect=bank.protect)
        for letter, bank in zip(BANKS, head.banks, strict=True)
    }
    pads = {
        place: PadDocument(
            sample=SampleReference(name=pad.settings.name or place, path=paths.get(place)),
            settings=pad.settings,
        )
        for place, pad in project.pads.items()
    }
    return KitDocument(
        name=name_project(project),
        tempo=head.tempo,
        tempo_source="project" if head.by_project else "bank",
        banks={letter: bank for letter, bank in banks.items() if bank != BankDocument()},
        pads=pads,
        kept=project.base.upgraded().header.hex(),
    )


def patterns_that_fit(project: UnitProject, kit: KitDocument) -> dict[str, PatternDocument]:
    """Return the patterns of a project that its kit has room for, by their places, in the unit's order.

    Parameters
    ----------
    project : UnitProject
    kit : KitDocument
        As `kit_of_project` returns it.
    """
    left = MAX_CHARACTERS - len(write_kit(kit)) - CHARACTERS_BESIDE * len(kit.pads)
    left_bytes = MAX_PATTERNS_BYTES
    fitting: dict[str, PatternDocument] = {}
    for place in PAD_NAMES:
        if place not in project.patterns:
            continue
        data = project.patterns[place].to_bytes()
        if len(data) > left_bytes:
            continue
        packed = pack_pattern(data)
        size = len(packed) + CHARACTERS_BESIDE
        if size <= left:
            fitting[place] = PatternDocument(ptn=packed)
            left, left_bytes = left - size, left_bytes - len(data)
    return fitting
