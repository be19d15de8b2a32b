"""The kit of a project of the unit: its tempo, its banks, and its pads with every setting."""

from __future__ import annotations

from collections.abc import Mapping

from app.sp404.kit_document import BankDocument, KitDocument, PadDocument, SampleReference
from app.sp404.pad_names import safe_name
from app.sp404.project.unit_project import UnitProject
from app.sp404.unit_limits import BANKS, MAX_PROJECT_NAME

NAMELESS = "PROJECT"


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
