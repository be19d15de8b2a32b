"""What a preflight finds before anybody copies a file, and how each finding is put right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Degree = Literal["error", "note"]
ERROR: Degree = "error"
NOTE: Degree = "note"
KIT = "Kit"
"""The place of a finding about the whole kit."""


@dataclass(frozen=True)
class Fix:
    """A change of a kit that puts a finding right.

    Attributes
    ----------
    action : str
        Its name, such as ``shorten_name``.
    pad : str
        The pad of the finding, or `KIT`.
    settings : mapping of str to mapping
        Changes of `PadSettings`, by pads.
    recipes : mapping of str to mapping
        Changes of `RenderRecipe`, by pads. The sound has to be rendered again.
    clear : tuple of str
        Pads that are emptied.
    banks : mapping of str to str
        Banks that move, each to its new letter; patterns that play their pads follow.
    """

    action: str
    pad: str
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    recipes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    clear: tuple[str, ...] = ()
    banks: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON: ``fix``, ``pad`` and ``value``, which has only what the fix changes."""
        parts = {
            "settings": {pad: dict(changes) for pad, changes in self.settings.items()},
            "recipes": {pad: dict(changes) for pad, changes in self.recipes.items()},
            "clear": list(self.clear),
            "banks": dict(self.banks),
        }
        return {
            "fix": self.action,
            "pad": self.pad,
            "value": {name: part for name, part in parts.items() if part},
        }


@dataclass(frozen=True)
class Finding:
    """Something to know before a card is written.

    Attributes
    ----------
    degree : str
        "error" is what the unit refuses or loses, "note" what the owner should know.
    code : str
        Short and stable, for programs.
    place : str
        A pad, `KIT`, or the path of a file.
    wrong : str
        A sentence: what is wrong.
    done : str
        A sentence: what an export does about it; empty where it does nothing.
    fix : Fix or None
    """

    degree: Degree
    code: str
    place: str
    wrong: str
    done: str = ""
    fix: Fix | None = None

    def __str__(self) -> str:
        return f"{self.degree}: {self.place}: {self.wrong} {self.done}".rstrip()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "degree": self.degree,
            "code": self.code,
            "place": self.place,
            "wrong": self.wrong,
            "done": self.done,
            "fix": self.fix.to_dict() if self.fix else None,
        }


def read_finding(plain: Mapping[str, Any]) -> Finding:
    """Return the finding of plain JSON, such as `Finding.to_dict` gives.

    Parameters
    ----------
    plain : mapping of str to value
    """
    fix = plain["fix"]
    return Finding(
        plain["degree"],
        plain["code"],
        plain["place"],
        plain["wrong"],
        plain["done"],
        Fix(fix["fix"], fix["pad"], **fix["value"]) if fix else None,
    )


def settings_fix(action: str, pad: str, **changes: object) -> Fix:
    """Return a fix that changes settings of one pad."""
    return Fix(action, pad, settings={pad: changes})


def recipe_fix(action: str, pad: str, **changes: object) -> Fix:
    """Return a fix that changes how the sound of one pad is rendered."""
    return Fix(action, pad, recipes={pad: changes})


def clear_fix(pad: str) -> Fix:
    """Return a fix that empties a pad."""
    return Fix("clear_pad", pad, clear=(pad,))


def has_errors(findings: list[Finding]) -> bool:
    """Return whether one of the findings is an error."""
    return any(finding.degree == ERROR for finding in findings)
