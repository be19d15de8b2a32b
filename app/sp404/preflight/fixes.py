"""Apply the fixes of a preflight to a kit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from app.audio.render.recipe import RenderRecipe, read_recipe
from app.sp404.kit_document import KitDocument, PadDocument, PatternDocument
from app.sp404.pads import bank_of
from app.sp404.preflight.findings import Finding, Fix
from app.sp404.project.packed_patterns import pack_pattern, read_packed
from app.sp404.project.pattern_notes import notes_of, with_notes


def apply_fixes(kit: KitDocument, findings: Iterable[Finding]) -> KitDocument:
    """Return a kit with every fix of these findings.

    Parameters
    ----------
    kit : KitDocument
    findings : iterable of Finding
        Those without a fix change nothing. Banks move last, so that the pads of other fixes are found; the
        patterns move with them and play the same pads.

    Raises
    ------
    PadSettingsError, RecipeError
        A fix is not for this kit.
    """
    findings = list(findings)
    pads = dict(kit.pads)
    for finding in findings:
        if finding.fix:
            _fix_pads(pads, finding.fix)
    moves = moved_banks(findings)
    banks = {moves.get(bank, bank): document for bank, document in kit.banks.items()}
    moved = {moved_pad(pad, moves): document for pad, document in pads.items()}
    patterns = {moved_pad(place, moves): _follow(pattern, moves) for place, pattern in kit.patterns.items()}
    return kit.model_copy(update={"pads": moved, "banks": banks, "patterns": patterns})


def _follow(pattern: PatternDocument, moves: Mapping[str, str]) -> PatternDocument:
    """Return a pattern that plays the same sounds after banks moved."""
    if not moves:
        return pattern
    old = read_packed(pattern.ptn)
    notes = [replace(note, pad=moved_pad(note.pad, moves)) for note in notes_of(old)]
    return pattern.model_copy(update={"ptn": pack_pattern(with_notes(old, notes).to_bytes())})


def moved_banks(findings: Iterable[Finding]) -> dict[str, str]:
    """Return the banks that these fixes move, each with its new letter.

    Parameters
    ----------
    findings : iterable of Finding
    """
    return {old: new for finding in findings if finding.fix for old, new in finding.fix.banks.items()}


def moved_pad(pad: str, moves: Mapping[str, str]) -> str:
    """Return where a pad is after banks have moved.

    Parameters
    ----------
    pad : str
    moves : mapping of str to str
        As `moved_banks` returns them.
    """
    return f"{moves.get(bank_of(pad), bank_of(pad))}{pad[1:]}"


def _fix_pads(pads: dict[str, PadDocument], fix: Fix) -> None:
    for pad, changes in fix.settings.items():
        if pad in pads:
            settings = pads[pad].settings.changed(changes)
            pads[pad] = pads[pad].model_copy(update={"settings": settings})
    for pad, changes in fix.recipes.items():
        if pad in pads:
            pads[pad] = _with_recipe(pads[pad], changes)
    for pad in fix.clear:
        pads.pop(pad, None)


def _with_recipe(pad: PadDocument, changes: Mapping[str, Any]) -> PadDocument:
    recipe = read_recipe((pad.settings.recipe or RenderRecipe()).to_dict() | dict(changes))
    return pad.model_copy(update={"settings": pad.settings.model_copy(update={"recipe": recipe})})
