"""Check a kit as a whole: names, choke of hats, repeated sounds, gaps, patterns, and room on the card."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

from app.music.sound_classes import HI_HAT
from app.sp404.card.card_names import folder_for_kit
from app.sp404.card.card_options import is_midi_alone
from app.sp404.card.mk2_card import is_base
from app.sp404.card.pad_plans import CardPlan, PlannedPad, free_name
from app.sp404.card.sx_card import SX_PADS, SX_PADS_IN_BANK, place_on_sx, sx_pad
from app.sp404.card.xpm_files import MPC_PADS, mpc_pad
from app.sp404.fresh_pad import HAT_GROUP
from app.sp404.pad_names import MAX_PAD_NAME, UNLOADABLE_CHARACTER
from app.sp404.pads import PLACES, bank_of
from app.sp404.preflight.findings import ERROR, KIT, NOTE, Finding, Fix, settings_fix
from app.sp404.project.packed_patterns import read_packed
from app.sp404.project.pattern_notes import notes_of
from app.sp404.unit_limits import BANKS, GROUPS

MAX_CARD_BYTES = 16_000_000_000
"""Memory of the unit for all projects together, from its specifications."""
MAX_NAMED_PADS = 4
LEFT_OUT_OF_MPC = "The pad is left out of the MPC program."
OPEN_HAT, CLOSED_HATS = "open hat", ("closed hat", HI_HAT)


def check_whole_kit(plan: CardPlan, targets: Sequence[str]) -> Iterator[Finding]:
    """Yield what is worth knowing about a kit, whatever card it goes on; only MIDI needs no sound."""
    if not plan.pads and not is_midi_alone(targets):
        yield Finding(ERROR, "empty_kit", KIT, "The kit has no sounds.", "Put a sound on a pad first.")
    if plan.kit.kept and not is_base(plan.kit.kept):
        wrong = "What was kept of the original project is damaged."
        yield Finding(NOTE, "kept_unusable", KIT, wrong, "It is left out of the card.")
    yield from _check_names(plan)
    yield from _check_hats(plan)
    yield from _check_repeats(plan)
    yield from _check_gaps(plan)
    yield from _check_patterns(plan)
    yield from _check_size(plan)


def check_targets_room(plan: CardPlan, targets: Sequence[str]) -> Iterator[Finding]:
    """Yield what the chosen cards have no room for."""
    folder = folder_for_kit(plan.kit.name)
    if folder != plan.kit.name and set(targets) - {"mk2", "sx"}:
        wrong = f"The kit's name is longer than the {MAX_PAD_NAME} characters of a folder."
        yield Finding(NOTE, "folder_name", KIT, wrong, f"Its folder is called “{folder}”.")
    if "sx" in targets:
        yield from _check_sx(plan)
    if "xpm" in targets:
        for pad in plan.pads:
            if mpc_pad(pad) > MPC_PADS:
                yield Finding(NOTE, "no_room_on_mpc", pad, "The MPC has banks A to H.", LEFT_OUT_OF_MPC)


def _check_sx(plan: CardPlan) -> Iterator[Finding]:
    places = place_on_sx(list(plan.pads))
    for pad in plan.pads:
        wrong = f"The SP-404SX has {SX_PADS_IN_BANK} pads a bank."
        if pad not in places:
            wrong = f"The SP-404SX has {SX_PADS} pads, and all are full."
            yield Finding(NOTE, "no_room_on_sx", pad, wrong, "The pad is left out of its card.")
        elif sx_pad(places[pad]) != pad:
            done = f"On the SP-404SX card it goes to pad {sx_pad(places[pad])}."
            yield Finding(NOTE, "moved_on_sx", pad, wrong, done)


def _check_names(plan: CardPlan) -> Iterator[Finding]:
    taken: set[tuple[str, str]] = set()
    for pad, planned in plan.pads.items():
        own = plan.kit.pads[pad].settings.name
        if not own:
            yield from _check_made_name(planned)
        elif (bank_of(pad), own.casefold()) in taken:
            fix = settings_fix("rename", pad, name=free_name(own, bank_of(pad), _names_of(plan)))
            wrong = f"Another pad of the bank is called “{own}” too."
            done = "File names start with the pad number, so both load."
            yield Finding(NOTE, "same_name", pad, wrong, done, fix)
        taken.add((bank_of(pad), planned.settings.name.casefold()))


def _check_made_name(planned: PlannedPad) -> Iterator[Finding]:
    name, made = planned.sample_name, planned.settings.name
    done = f"The pad is called “{made}”."
    if UNLOADABLE_CHARACTER.search(name):
        wrong = f"“{name}” has characters that the unit lists but does not load."
        fix = settings_fix("rename", planned.pad, name=made)
        yield Finding(NOTE, "name_characters", planned.pad, wrong, done, fix)
    elif len(name) > MAX_PAD_NAME:
        wrong = f"“{name}” is longer than the {MAX_PAD_NAME} characters of a pad's name."
        fix = settings_fix("shorten_name", planned.pad, name=made)
        yield Finding(NOTE, "name_length", planned.pad, wrong, done, fix)


def _names_of(plan: CardPlan) -> set[tuple[str, str]]:
    return {(bank_of(pad), planned.settings.name.casefold()) for pad, planned in plan.pads.items()}


def _check_hats(plan: CardPlan) -> Iterator[Finding]:
    for bank in plan.banks:
        pads = [one for pad, one in plan.pads.items() if bank_of(pad) == bank]
        closed = [one for one in pads if one.sound.sound_class in CLOSED_HATS]
        groups = {one.settings.mute_group for one in closed} - {0}
        for one in pads:
            group = one.settings.mute_group
            if one.sound.sound_class == OPEN_HAT and closed and group not in groups:
                wrong = "No closed hat chokes this open hat: they are not in the same mute group."
                fix = _choke_fix(one, closed, groups, pads)
                yield Finding(NOTE, "open_hat_alone", one.pad, wrong, "It goes on the card like that.", fix)


def _choke_fix(hat: PlannedPad, closed: list[PlannedPad], groups: set[int], pads: list[PlannedPad]) -> Fix:
    """Return a fix that puts an open hat and the closed ones of its bank into one mute group."""
    if groups:
        return settings_fix("choke_hat", hat.pad, mute_group=min(groups))
    used = {one.settings.mute_group for one in pads}
    free = [group for group in range(1, GROUPS + 1) if group not in used] or [HAT_GROUP]
    group = hat.settings.mute_group or free[0]
    members = [hat.pad, *(one.pad for one in closed)]
    return Fix("choke_hat", hat.pad, settings={pad: {"mute_group": group} for pad in members})


def _check_repeats(plan: CardPlan) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for pad, planned in plan.pads.items():
        digest = planned.sound.digest
        if digest and digest in first:
            wrong = f"It has the same sound as pad {first[digest]}."
            yield Finding(NOTE, "same_sound", pad, wrong, "Both go on the card.")
        elif digest:
            first[digest] = pad


def _check_gaps(plan: CardPlan) -> Iterator[Finding]:
    banks = plan.banks
    held = {bank_of(place) for place in (*plan.kit.pads, *plan.kit.patterns)} | set(plan.kit.banks)
    wanted = dict(zip(banks, BANKS, strict=False))
    moves = {old: new for old, new in wanted.items() if old != new}
    if not moves:
        return
    empty = [bank for bank in BANKS[: BANKS.index(banks[-1])] if bank not in banks]
    many = len(empty) > 1
    wrong = f"Bank{'s' if many else ''} {', '.join(empty)} {'are' if many else 'is'} empty between used ones."
    # A bank without sounds may still have locked pads or a tempo: then nothing can move onto it.
    fix = None if held & set(empty) else Fix("close_gaps", KIT, banks=moves)
    done = f"{'They stay' if many else 'It stays'} empty on the card."
    yield Finding(NOTE, "empty_bank", KIT, wrong, done, fix)


def _check_patterns(plan: CardPlan) -> Iterator[Finding]:
    for place, pattern in plan.kit.patterns.items():
        silent = sorted(_played_pads(pattern.ptn) - plan.pads.keys(), key=PLACES.__getitem__)
        if silent:
            more = f" and {len(silent) - MAX_NAMED_PADS} more" if len(silent) > MAX_NAMED_PADS else ""
            wrong = f"Pattern {place} plays pads without a sound: {', '.join(silent[:MAX_NAMED_PADS])}{more}."
            yield Finding(NOTE, "pattern_unheard", KIT, wrong, "Its notes go on the card and stay silent.")


@lru_cache(maxsize=2 * len(PLACES))  # a page checks the same patterns again at each choice
def _played_pads(ptn: str) -> frozenset[str]:
    return frozenset(note.pad for note in notes_of(read_packed(ptn)))


def _check_size(plan: CardPlan) -> Iterator[Finding]:
    by_size: dict[str, int] = defaultdict(int)
    for pad, planned in plan.pads.items():
        by_size[bank_of(pad)] += planned.sound.audio.header.size_bytes
    total = sum(by_size.values())
    if total > MAX_CARD_BYTES:
        largest = max(by_size, key=lambda bank: by_size[bank])
        wrong = (
            f"The sounds have {total / 1e9:.1f} GB, and the unit's memory is {MAX_CARD_BYTES / 1e9:.0f} GB. "
            f"Bank {largest} is the largest."
        )
        yield Finding(NOTE, "too_large", KIT, wrong, "All of it goes on the card.")
