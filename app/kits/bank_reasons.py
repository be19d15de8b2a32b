"""Why each sound of a bank is there, how well the bank fits together, and what would fit better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from app.audio.goes_with import PARTS, SoundPart, kit_fit, pair_fit
from app.kits import bank_chops
from app.kits.bank_fitting import fit_sound
from app.kits.fill_candidates import load_candidates, read_pools
from app.kits.fill_wishes import FillWishes
from app.kits.heard_sounds import tempo_of_bank
from app.kits.kit_rows import load_state
from app.kits.kit_state import KitState, PadState
from app.kits.measured_pads import MeasuredSound, load_measured, measured_bank
from app.models import Kit, User
from app.sp404.bank_layouts import DEFAULT_LAYOUT, WantedClass
from app.sp404.pad_candidates import Aim, are_near_duplicates
from app.sp404.pad_fit import key_of_bank
from app.sp404.pad_reasons import PadFacts, bank_sentence, pad_sentence

CLEARLY_BETTER = 0.02
Pads = Mapping[str, tuple[PadState, MeasuredSound]]


@dataclass(frozen=True)
class PadReason:
    """Why a sound is on a pad, and how well it goes with the others, 0 to 100."""

    pad: str
    sentence: str
    fit: int | None


@dataclass(frozen=True)
class BetterSound:
    """A sound of the library that would go better with the others than the one on a pad."""

    pad: str
    sample_id: str
    name: str
    fit: int


@dataclass(frozen=True)
class BankReasons:
    """How well a bank fits together, 0 to 100, why, its weakest pad, and a better sound for that one."""

    bank: str
    fit: int | None
    sentence: str
    pads: Sequence[PadReason]
    weakest: str | None
    better: BetterSound | None


def explain_bank(user: User, kit: Kit, bank: str) -> BankReasons:
    """Return why the sounds of a bank are there and how well they go together."""
    state = load_state(kit)
    pads = measured_bank(user, state, bank)
    names = _one_of_each_sound(pads)
    parts = [pads[name][1].part for name in names]
    total, each = kit_fit(parts)
    fits = {pads[name][1].id: fit for name, fit in zip(names, each, strict=True)}
    key = key_of_bank([fit_sound(pads[name][1]) for name in names])
    tempo = tempo_of_bank(state, bank)
    reasons = [
        PadReason(name, _sentence(name, pads, names, parts, tempo, key), _percent(fits[sound.id]))
        for name, (_, sound) in pads.items()
    ]
    open_names = [name for name in names if not pads[name][0].locked]
    weakest = (
        min(open_names, key=lambda name: fits[pads[name][1].id] or 0.0) if open_names and total else None
    )
    better = _better(user, state, pads, names, weakest, Aim(tempo, key)) if weakest else None
    return BankReasons(
        bank, _percent(total), bank_sentence(total, _means(parts), key), reasons, weakest, better
    )


def _one_of_each_sound(pads: Pads) -> list[str]:
    """Return the first pad of each sound: slices of one loop count once."""
    first: dict[str, str] = {}
    for name, (_, sound) in pads.items():
        first.setdefault(sound.id, name)
    return list(first.values())


def _sentence(
    name: str, pads: Pads, names: Sequence[str], parts: Sequence[SoundPart], tempo: float, key: str | None
) -> str:
    held, sound = pads[name]
    others = {
        other: pair_fit(sound.part, part).total
        for other, part in zip(names, parts, strict=True)
        if pads[other][1].id != sound.id
    }
    slices = [other for other, (_, its) in pads.items() if its.id == sound.id]
    is_slice = bank_chops.is_chopped([pads[other][0] for other in slices])
    facts = PadFacts(
        sound.kind,
        sound.sound,
        sound.confidence,
        sound.bpm,
        sound.key,
        held.settings.recipe.transpose if held.settings.recipe else 0.0,
        slice_of=(slices.index(name) + 1, len(slices)) if is_slice else None,
        mate=max(others, key=lambda other: others[other], default=None),
    )
    return pad_sentence(facts, tempo, key)


def _means(parts: Sequence[SoundPart]) -> dict[str, float]:
    """Return the mean of each part of the fit over all pairs."""
    pairs = [pair_fit(one, other) for place, one in enumerate(parts) for other in parts[:place]]
    return {name: fmean(pair.parts[name] for pair in pairs) for name in PARTS} if pairs else {}


def _better(
    user: User, state: KitState, pads: Pads, names: Sequence[str], weakest: str, aim: Aim
) -> BetterSound | None:
    """Return the sound of the class of the weakest pad that goes best with the others, if clearly better."""
    sound = pads[weakest][1]
    wanted = WantedClass(sound.kind, sound.sound or "")
    held = {pad.sample_id for pad in state.pads.values() if pad.sample_id}
    pool = read_pools(user, [wanted], FillWishes(DEFAULT_LAYOUT), aim, held)[wanted]
    here = list(load_candidates(user, [pads[name][1].id for name in names]).values())
    usable = [each.sample_id for each in pool if not any(are_near_duplicates(each, one) for one in here)]
    others = [pads[name][1].part for name in names if name != weakest]
    before = fmean(pair_fit(sound.part, other).total for other in others)
    measured = load_measured(user, usable)
    scores = {
        each: fmean(pair_fit(one.part, other).total for other in others) for each, one in measured.items()
    }
    best = max(scores, key=lambda each: (scores[each], each), default=None)
    if best is None or scores[best] < before + CLEARLY_BETTER:
        return None
    return BetterSound(weakest, best, measured[best].name, round(100 * scores[best]))


def _percent(fit: float | None) -> int | None:
    return None if fit is None else round(100 * fit)
