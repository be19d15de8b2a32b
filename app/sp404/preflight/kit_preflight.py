"""Check a kit and its sounds before they are written to a card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.sp404.card.card_options import check_targets
from app.sp404.card.card_sounds import CardSounds, MissingSound
from app.sp404.card.pad_plans import CardPlan, PlannedPad, plan_card
from app.sp404.kit_document import KitDocument
from app.sp404.pads import PLACES
from app.sp404.preflight.findings import ERROR, NOTE, Finding, settings_fix
from app.sp404.preflight.kit_checks import check_targets_room, check_whole_kit
from app.sp404.preflight.sound_checks import check_missing, check_sound
from app.sp404.preflight.tempo_checks import check_tempo

REPAIR_FIXES = {
    "points_past_end": (ERROR, "move_points"),
    "chops_past_end": (ERROR, "drop_chops"),
    "kept_unusable": (NOTE, "drop_kept"),
}


def check_kit(kit: KitDocument, sounds: CardSounds, targets: Sequence[str] = ("mk2",)) -> list[Finding]:
    """Return what the unit would refuse or lose of a kit, and what its owner should know.

    Parameters
    ----------
    kit : KitDocument
    sounds : mapping of str to CardSound or MissingSound
        By pads. What their `facts` do not say is not checked.
    targets : sequence of str
        The cards that are wanted, of `app.sp404.card.card_options.TARGETS`.

    Returns
    -------
    list of Finding
        In order of the pads, those about the whole kit last. With every fix applied (`apply_fixes`) and the
        sounds rendered again, none of degree "error" is left.

    Raises
    ------
    UnitFileError
        A target does not exist.
    """
    check_targets(tuple(targets))
    plan = plan_card(kit, sounds)
    found = [finding for pad in kit.pads for finding in _check_pad(plan, sounds, pad)]
    found += [*check_whole_kit(plan, targets), *check_targets_room(plan, targets)]
    return sorted(found, key=lambda finding: PLACES.get(finding.place, len(PLACES)))


def _check_pad(plan: CardPlan, sounds: CardSounds, pad: str) -> Iterator[Finding]:
    document, planned = plan.kit.pads[pad], plan.pads.get(pad)
    if planned:
        yield from _check_repairs(planned)
        yield from check_sound(planned)
        yield from check_tempo(plan.kit, planned)
    elif document.sample:
        missing = sounds.get(pad)
        gone = MissingSound("gone", document.sample.name)
        yield check_missing(pad, document, missing if isinstance(missing, MissingSound) else gone)


def _check_repairs(planned: PlannedPad) -> Iterator[Finding]:
    for repair in planned.repairs:
        degree, action = REPAIR_FIXES[repair.code]
        fix = settings_fix(action, planned.pad, **repair.changes)
        yield Finding(degree, repair.code, planned.pad, repair.wrong, repair.done, fix)
