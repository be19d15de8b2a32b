"""A project of the unit as plain JSON, for scripts and people."""

from __future__ import annotations

from typing import Any

from app.sp404.pads import PAD_NAMES
from app.sp404.project.pattern_files import Pattern
from app.sp404.project.pattern_notes import notes_of
from app.sp404.project.unit_project import ProjectPad, UnitProject

NOT_ON_THE_UNIT = {"version", "recipe", "kept"}
"""Fields of `PadSettings` that are no settings of the unit."""


def project_to_dict(project: UnitProject) -> dict[str, Any]:
    """Return a project as plain JSON.

    Returns
    -------
    dict
        ``version``, ``name`` and ``tempo``; ``banks``, ten of ``tempo``, ``volume`` and ``protect``; ``pads``
        with a sound by their places, each with every setting by the name it has in `PadSettings` and the
        ``size`` of its SMP in bytes; ``patterns`` by their places, each with ``bars``, ``metre`` and
        ``notes``.
    """
    return {
        "version": project.base.version,
        "name": project.head.name,
        "tempo": project.head.tempo,
        "banks": [
            {"tempo": bank.tempo, "volume": bank.volume, "protect": bank.protect}
            for bank in project.head.banks
        ],
        "pads": {place: _pad(project.pads[place]) for place in PAD_NAMES if place in project.pads},
        "patterns": {
            place: _pattern(project.patterns[place]) for place in PAD_NAMES if place in project.patterns
        },
    }


def _pad(pad: ProjectPad) -> dict[str, Any]:
    return pad.settings.model_dump(mode="json", exclude=NOT_ON_THE_UNIT) | {"size": pad.size_bytes}


def _pattern(pattern: Pattern) -> dict[str, Any]:
    notes = [
        {
            "tick": note.tick,
            "pad": note.pad,
            "velocity": note.velocity,
            "gate": note.gate,
            "semitones": note.semitones,
        }
        for note in notes_of(pattern)
    ]
    return {"bars": pattern.bars, "metre": pattern.metre, "notes": notes}
