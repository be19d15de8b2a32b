"""Check a kit before a card is made of it, and fix what was found, so that undo takes the fixes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from app.cards.card_job import KIT
from app.cards.known_sounds import known_sounds, load_card_samples
from app.extensions import db
from app.kits import history
from app.kits.documents import document_of_state, pattern_state
from app.kits.kit_rows import load_state
from app.kits.kit_state import KitState
from app.models import CardExport, Job, Kit
from app.models.base import utcnow
from app.models.card_export import CARD_LIFETIME
from app.sp404.kit_document import KitDocument, KitDocumentError, read_kit
from app.sp404.pads import PLACES
from app.sp404.preflight.findings import ERROR, NOTE, Finding, read_finding
from app.sp404.preflight.fixes import apply_fixes, moved_banks, moved_pad
from app.sp404.preflight.kit_preflight import check_kit

FOUND_BY_JOB = {"sample_unreadable", "silence_added", "silent", "clipped", "offset", "stereo_is_mono"}
LENGTH_CODES = {"points_past_end", "chops_past_end", "too_short", "not_whole_beats"}
TEMPO_ACTIONS = {"set_tempo", "sync_off", "stretch_to_tempo", "fit_beats", "limit_stretch"}
MAX_ROUNDS = 5
Chooser = Callable[[Finding], bool]


@dataclass(frozen=True)
class CardCheck:
    """What a preflight found, errors first, each in order of the pads."""

    findings: tuple[Finding, ...]

    @property
    def errors(self) -> list[Finding]:
        return [each for each in self.findings if each.degree == ERROR]

    @property
    def notes(self) -> list[Finding]:
        return [each for each in self.findings if each.degree == NOTE]

    @property
    def has_fixes(self) -> bool:
        return any(each.fix for each in self.findings)

    @property
    def refusal(self) -> str:
        """Why no card can be made: the first error that nothing can fix, or empty."""
        return next((f"{each.wrong} {each.done}" for each in self.errors if each.fix is None), "")


def check_card(kit: Kit, targets: Sequence[str]) -> CardCheck:
    """Return what is known to be wrong with a kit for these cards.

    Raises UnitFileError for an unknown card.
    """
    found = _check_state(kit, load_state(kit), targets)
    return CardCheck(tuple(sorted(found, key=lambda each: each.degree != ERROR)))


def fix_card(kit: Kit, targets: Sequence[str], place: str, code: str, revision: int) -> list[Finding]:
    """Fix one finding in one change that can be undone; return it, or nothing when it is no longer there.

    Raises KitConflictError, KitTooLargeError and UnitFileError.
    """
    return _fix(kit, targets, lambda each: _name_of(each) == (place, code), 1, revision)


def fix_everything(kit: Kit, targets: Sequence[str], revision: int) -> list[Finding]:
    """Fix all that can be fixed in one change that can be undone; return what was fixed.

    What a fix uncovers is left for its owner to see, unless it is an error. Raises what `fix_card` does.
    """
    return _fix(kit, targets, lambda _: True, MAX_ROUNDS, revision)


def _check_state(kit: Kit, state: KitState, targets: Sequence[str]) -> list[Finding]:
    ids = {pad.sample_id for pad in state.pads.values() if pad.sample_id is not None}
    samples = load_card_samples(kit.user_id, ids)
    document = document_of_state(state, samples, kit)
    known = known_sounds(document, samples)
    found = [
        each
        for each in check_kit(document, known.sounds, targets)
        if each.place not in known.unsure or each.code not in LENGTH_CODES
    ]
    seen = {_name_of(each) for each in found}
    found += [each for each in _found_by_job(kit, document, known.unsure) if _name_of(each) not in seen]
    return sorted(found, key=lambda each: PLACES.get(each.place, len(PLACES)))


def _found_by_job(kit: Kit, now: KitDocument, unsure: frozenset[str]) -> list[Finding]:
    """Return what the newest card's job heard in the pads that are still as they were then."""
    fresh = CardExport.created_at > utcnow() - CARD_LIFETIME
    newest = select(CardExport.findings, Job.choices).join(Job, Job.id == CardExport.id)
    newest = newest.where(CardExport.kit_id == kit.id, CardExport.user_id == kit.user_id, fresh)
    row = db.session.execute(newest.order_by(CardExport.created_at.desc()).limit(1)).first()
    if row is None:
        return []
    try:
        then = read_kit(row.choices[KIT])
    except KitDocumentError:  # of another version of the product
        return []
    same = {pad for pad, document in now.pads.items() if then.pads.get(pad) == document}
    found = [read_finding(plain) for plain in row.findings if plain["place"] in same]
    return [
        each
        for each in found
        if each.code in FOUND_BY_JOB or (each.place in unsure and each.code in LENGTH_CODES)
    ]


def _fix(kit: Kit, targets: Sequence[str], chosen: Chooser, rounds: int, revision: int) -> list[Finding]:
    """Fix what is chosen of the findings that were shown, and in later rounds any error too.

    Checking takes long, so it holds no lock: the kit is changed only if it still is as it was checked.
    """
    db.session.refresh(kit)
    if kit.revision != revision:
        raise history.KitConflictError
    state, fixed = load_state(kit), list[Finding]()
    shown: set[tuple[str, str]] = set()
    for number in range(rounds):
        found = [each for each in _check_state(kit, state, targets) if each.fix and each not in fixed]
        if number == 0:
            shown = {_name_of(each) for each in found if chosen(each)}
        due = _one_at_a_time(
            each for each in found if _name_of(each) in shown or (number and each.degree == ERROR)
        )
        if not due:
            break
        state = _with_fixes(state, due)
        fixed.extend(due)
    history.change_kit(kit, "Fix for a card", lambda _: state, revision)
    return fixed


def _name_of(finding: Finding) -> tuple[str, str]:
    return finding.place, finding.code


def _one_at_a_time(findings: Iterable[Finding]) -> list[Finding]:
    """Return what can be fixed together: one tempo a pad, and banks move when all else is done."""
    due: list[Finding] = []
    moves: list[Finding] = []
    taken: set[str] = set()
    for each in findings:
        if each.fix and each.fix.banks:
            moves.append(each)
        elif each.fix and each.fix.action in TEMPO_ACTIONS:
            due += [each] if each.place not in taken else []
            taken.add(each.place)
        else:
            due.append(each)
    return due or moves


def _with_fixes(state: KitState, findings: Sequence[Finding]) -> KitState:
    """Return what a kit holds after fixes, its samples as they are."""
    fixed, moves = apply_fixes(document_of_state(state, ()), findings), moved_banks(findings)
    places = {pad: moved_pad(pad, moves) for pad in state.pads}
    pads = {
        place: replace(state.pads[pad], settings=fixed.pads[place].settings)
        for pad, place in places.items()
        if place in fixed.pads
    }
    banks = {moves.get(bank, bank): held for bank, held in state.banks.items()}
    patterns = {place: pattern_state(pattern) for place, pattern in fixed.patterns.items()}
    return replace(state, pads=pads, banks=banks, patterns=patterns)
