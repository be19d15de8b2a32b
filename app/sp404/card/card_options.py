"""What can be chosen when a card is built."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from app.sp404.errors import UnitFileError
from app.sp404.project.kept_smp import KeptSmp
from app.sp404.project.unit_project import UnitProject

Target = Literal["mk2", "import", "sx", "wav", "sfz", "xpm", "midi"]
TARGETS: tuple[Target, ...] = get_args(Target)
MIDI: Target = "midi"
PROJECTS = 16


@dataclass(frozen=True)
class CardOptions:
    """What can be chosen when a card is built.

    Attributes
    ----------
    project_number : int
        1 to 16: the folder ``PROJECT_01`` … of the native project.
    draws_screen : bool
        Whether the native project gets a start-up screen with the kit's name, where it has none.
    base : UnitProject or None
        The project that the kit was read from: its pictures and unknown bytes are written back, and those of
        its patterns that the kit does not replace.
    remarks : tuple of str
        What a preflight found, a line each, for ``README.txt``.
    kept_sounds : mapping of str to KeptSmp
        What the SMPs of that project had beside their sound, by pads. A pad that still plays the same is
        written as the same SMP.
    """

    project_number: int = 1
    draws_screen: bool = False
    base: UnitProject | None = None
    remarks: tuple[str, ...] = ()
    kept_sounds: Mapping[str, KeptSmp] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= self.project_number <= PROJECTS:
            raise UnitFileError(
                f"The unit has projects 1 to {PROJECTS}, and no project {self.project_number}."
            )


def is_midi_alone(targets: Collection[str]) -> bool:
    """Return whether a card has nothing but patterns, so that its kit needs no sound."""
    return set(targets) == {MIDI}


def check_targets(targets: tuple[str, ...]) -> None:
    """Refuse a target that there is not.

    Raises
    ------
    UnitFileError
        There is no such target, or none was chosen.
    """
    wrong = [target for target in targets if target not in TARGETS]
    if wrong or not targets:
        named = f"There is no card “{wrong[0][:20]}”" if wrong else "No card was chosen"
        raise UnitFileError(f"{named}. Choose from {', '.join(TARGETS)}.")
