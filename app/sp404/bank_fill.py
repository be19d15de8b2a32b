"""Choose the sounds of a bank: the best of each class, then variety, and no recording twice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from app.audio.similarity import layout as vector_layout
from app.music.key_fit import MIXES, best_shift, common_key, key_fit
from app.sp404.bank_layouts import BankLayout, PadRole, WantedClass
from app.sp404.pad_candidates import Aim, PadCandidate, are_near_duplicates, chance_of, fit_to_aim

SURE = 0.5
"""From this confidence on a class counts as sure. Sounds below it are not taken: an empty pad is better."""
TYPICAL_SHARE, FEWEST_TYPICAL = 0.75, 6
"""Of so many candidates or more, the quarter that is least like the others of its class is not taken."""
GOOD_ENOUGH = 0.12
"""Of a second sound of a class, those whose worth is this far from the best compete by variety."""
SHUFFLED_BY = 0.3
"""How much chance may add to the worth of a sound for any seed but 0."""
_CONFIDENCE, _FIT, _WORDS, _LIKED = 0.45, 0.35, 0.2, 0.05
_CLASS = vector_layout.BLOCKS[vector_layout.CLASS]


@dataclass(frozen=True, slots=True)
class Pick:
    """A chosen sound, the role it has, the class that it fills, and by how many semitones it must move."""

    candidate: PadCandidate
    role: PadRole
    wanted: WantedClass
    shift: int = 0


@dataclass(frozen=True, slots=True)
class BankFill:
    """The picks by number of the pad, the roles that nothing in the library fills, and the key in force."""

    picks: Mapping[int, Pick]
    missing: Mapping[int, PadRole]
    key: str | None


def fill_layout(
    layout: BankLayout,
    pools: Mapping[WantedClass, Sequence[PadCandidate]],
    aim: Aim,
    taken: Sequence[PadCandidate] = (),
    locked: Iterable[int] = (),
) -> BankFill:
    """Choose a sound for each pad of a layout.

    Parameters
    ----------
    layout : BankLayout
        A chopped one gets a pick for its first free pad only.
    pools : mapping of WantedClass to sequence of PadCandidate
        What the library has of each class, or the part of it that comes into question.
    aim : Aim
        Without a key, layouts in key get the one that suits most of their candidates.
    taken : sequence of PadCandidate
        Sounds of locked pads: they are not chosen again, and their near duplicates neither.
    locked : iterable of int
        Pads that are left alone.

    Notes
    -----
    The roles are filled in the order of the layout, from sounds whose class is sure and that are no outliers
    of it by the similarity vector. The first pad of a class gets the sound of most worth: how sure its class
    is, how well its tempo and key fit, which words it meets, a little for a like, and chance by the seed. A
    further one of the class gets, among those of nearly the same worth, the one farthest from all chosen of
    the class (maximin, as in Gonzalez 1985). Two of one group of duplicates, or with vectors nearer than
    `MIN_VECTOR_DISTANCE`, are never chosen together. The same arguments give the same picks.
    """
    key = aim.key or (_shared_key(layout, pools) if _is_in_key(layout) else None)
    choice = _Choice(replace(aim, key=key), list(taken))
    free = {number: role for number, role in layout.roles.items() if number not in set(locked)}
    if layout.is_chopped:
        free = dict(list(free.items())[:1])
    picks = {number: pick for number, role in free.items() if (pick := choice.pick(role, pools)) is not None}
    missing = {number: role for number, role in free.items() if number not in picks}
    return BankFill(_in_pitch_order(picks), missing, key)


class _Choice:
    """The sounds chosen so far."""

    def __init__(self, aim: Aim, taken: list[PadCandidate]) -> None:
        self._aim = aim
        self._chosen = taken

    def pick(self, role: PadRole, pools: Mapping[WantedClass, Sequence[PadCandidate]]) -> Pick | None:
        """Choose a sound for a role and remember it; the first of its classes that has one counts."""
        for wanted in role.classes:
            usable = [each for each in pools.get(wanted, ()) if self._is_usable(each, role)]
            if usable:
                best = self._best(_typical(usable), wanted)
                self._chosen.append(best)
                return Pick(best, role, wanted, best_shift(best.key, self._aim.key) if role.is_in_key else 0)
        return None

    def _is_usable(self, each: PadCandidate, role: PadRole) -> bool:
        if each.confidence < SURE or any(are_near_duplicates(each, other) for other in self._chosen):
            return False
        return not role.is_in_key or _shares_key(each.key, self._aim.key)

    def _best(self, usable: Sequence[PadCandidate], wanted: WantedClass) -> PadCandidate:
        worth = {each.sample_id: self._worth(each) for each in usable}
        most = max(worth.values())
        same = [each for each in self._chosen if (each.kind, each.sound) == (wanted.kind, wanted.sound)]
        if not same:
            return max(usable, key=lambda each: (worth[each.sample_id], each.sample_id))
        good = [each for each in usable if worth[each.sample_id] >= most - GOOD_ENOUGH]
        return max(
            good, key=lambda each: (_least_distance(each, same), worth[each.sample_id], each.sample_id)
        )

    def _worth(self, each: PadCandidate) -> float:
        chance = chance_of(each.sample_id, self._aim.seed)
        fit = fit_to_aim(each, self._aim)
        own = _CONFIDENCE * each.confidence + _FIT * fit + _WORDS * each.words + _LIKED * each.liked
        return own + SHUFFLED_BY * chance


def _shares_key(key: str | None, wanted: str | None) -> bool:
    """Return whether a key mixes with another, if need be after a move; without a wanted one any does."""
    return (
        wanted is None or bool(best_shift(key, wanted)) or (key is not None and key_fit(key, wanted) >= MIXES)
    )


def _least_distance(each: PadCandidate, others: Sequence[PadCandidate]) -> float:
    return min((math.dist(each.vector, o.vector) for o in others if each.vector and o.vector), default=0.0)


def _typical(usable: Sequence[PadCandidate]) -> Sequence[PadCandidate]:
    """Return the candidates without those least like the rest, where there are enough to tell.

    A sound that was taken for another class is far from all others, so variety alone would prefer it.
    """
    known = [each for each in usable if each.vector]
    if len(known) < FEWEST_TYPICAL:
        return usable
    mean = [fmean(numbers) for numbers in zip(*(each.vector[_CLASS] for each in known), strict=True)]
    near = sorted(known, key=lambda each: (math.dist(each.vector[_CLASS], mean), each.sample_id))
    return near[: math.ceil(TYPICAL_SHARE * len(near))]


def _is_in_key(layout: BankLayout) -> bool:
    return any(role.is_in_key for role in layout.roles.values())


def _shared_key(layout: BankLayout, pools: Mapping[WantedClass, Sequence[PadCandidate]]) -> str | None:
    """Return the key that most candidates of the pads in key go with."""
    classes = {wanted for role in layout.roles.values() if role.is_in_key for wanted in role.classes}
    found = (
        each for wanted in sorted(classes, key=lambda c: (c.kind, c.sound)) for each in pools.get(wanted, ())
    )
    return common_key([(each.key, each.confidence) for each in found if each.key is not None])


def _in_pitch_order(picks: Mapping[int, Pick]) -> dict[int, Pick]:
    """Return the picks with those of ranked pads sorted from the darkest to the brightest."""
    ranked = sorted((pick.role.pitch_rank, number) for number, pick in picks.items() if pick.role.pitch_rank)
    sorted_picks = sorted(
        (picks[number] for _, number in ranked),
        key=lambda pick: (pick.candidate.brightness or 0.0, pick.candidate.sample_id),
    )
    moved = {
        number: replace(pick, role=picks[number].role)
        for (_, number), pick in zip(ranked, sorted_picks, strict=True)
    }
    return {**picks, **moved}
