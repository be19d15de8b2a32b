"""Fill a bank from the library by a layout or a sentence, and shuffle the pads that are not locked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import joinedload, lazyload, load_only

from app.audio.render.recipe import RecipeError
from app.extensions import db
from app.integrations.storage import StorageError
from app.kits import bank_chops, history
from app.kits.fill_candidates import load_candidates, read_pools
from app.kits.fill_wishes import FillWishes
from app.kits.heard_sounds import tempo_of_bank
from app.kits.kit_rows import load_state
from app.kits.kit_state import HUNDREDTHS, PROJECT, KitState, PadState
from app.models import AudioFeatures, Kit, Sample, User
from app.music.musical_keys import short_key_name
from app.plurals import pluralize
from app.sp404.bank_fill import Pick, fill_layout
from app.sp404.bank_layouts import LAYOUTS, BankLayout, PadRole, WantedClass
from app.sp404.filled_pad import settings_for_pick
from app.sp404.pad_candidates import Aim, PadCandidate
from app.sp404.pads import pads_of_bank

SHUFFLED = "Shuffle"


class NothingToFillError(Exception):
    """A bank can't be filled or shuffled; the message is a sentence."""


class LibraryLacksError(NothingToFillError):
    """The library has no sound for a bank; further ones would help."""


@dataclass(frozen=True)
class FillReport:
    """What became of a bank: which pads were filled and by what class, and which were not, and why."""

    layout: BankLayout
    bank: str
    filled: Mapping[str, str]
    missing: Mapping[str, str]
    bpm: float
    key: str | None

    @property
    def sentence(self) -> str:
        """What a producer is told."""
        key = f" in {short_key_name(self.key)}" if self.key else ""
        said = f"Bank {self.bank}: {pluralize(len(self.filled), 'pad')} filled at {self.bpm:g} BPM{key}."
        lacking = Counter(self.missing.values())
        if not lacking:
            return said
        names = ", ".join(f"{count} × {name}" if count > 1 else name for name, count in lacking.items())
        return f"{said} Your library has nothing more for: {names}."


def fill_bank(
    user: User, kit: Kit, bank: str, wishes: FillWishes, seed: int = 0, revision: int | None = None
) -> FillReport:
    """Fill the pads of a bank that are not locked, as one change. The same seed gives the same bank.

    Raises KitConflictError, and NothingToFillError when every pad is locked or nothing suits.
    """
    words = f"Fill bank {bank}: {wishes.layout.name}"
    return _fill(user, kit, bank, wishes, Aim(seed=seed), words, revision)


def shuffle_bank(user: User, kit: Kit, bank: str, seed: int, revision: int | None = None) -> FillReport:
    """Put other sounds of the same classes on the pads of a bank that hold one and are not locked.

    A chopped loop becomes another chopped loop. Raises KitConflictError and NothingToFillError.
    """
    state = load_state(kit)
    held = {int(pad[1:]): state.pad(pad) for pad in pads_of_bank(bank)}
    ids = [each.sample_id for each in held.values() if each.sample_id]
    known = load_candidates(user, ids)
    layout = _present_layout(held, known)
    keys = Counter(each.key for each in known.values() if each.key).most_common(1)
    aim = Aim(key=keys[0][0] if keys else None, seed=seed)
    return _fill(user, kit, bank, FillWishes(layout), aim, f"{SHUFFLED} bank {bank}", revision)


def _fill(
    user: User, kit: Kit, bank: str, wishes: FillWishes, aim: Aim, words: str, revision: int | None
) -> FillReport:
    state = load_state(kit)
    pads = pads_of_bank(bank)
    locked = [number for number, pad in enumerate(pads, 1) if state.pad(pad).locked]
    free = [
        pad for number, pad in enumerate(pads, 1) if number in wishes.layout.roles and number not in locked
    ]
    if not free:
        raise NothingToFillError(f"Bank {bank} has no pad to fill: unlock some, or place sounds first.")
    aim = replace(aim, bpm=wishes.bpm or tempo_of_bank(state, bank), key=wishes.key or aim.key)
    staying = {pad.sample_id for name, pad in state.pads.items() if name not in free and pad.sample_id}
    classes = [wanted for role in wishes.layout.roles.values() for wanted in role.classes]
    pools = read_pools(user, classes, wishes, aim, staying)
    here = {state.pad(pad).sample_id for pad in pads if pad not in free}
    taken = load_candidates(user, [each for each in here if each])
    chosen = fill_layout(wishes.layout, pools, aim, list(taken.values()), locked)
    if not chosen.picks:
        name = wishes.layout.name
        raise LibraryLacksError(f"Your library has no other sound for “{name}”. Upload some first.")
    samples = _load_samples(user, [pick.candidate.sample_id for pick in chosen.picks.values()])
    placed = _chopped_pads(wishes.layout, chosen.picks, samples, free) or {
        f"{bank}{number}": _pad_state(pick, samples[pick.candidate.sample_id])
        for number, pick in chosen.picks.items()
        if pick.candidate.sample_id in samples
    }
    missing = {} if wishes.layout.is_chopped else _missing(bank, chosen.missing)
    history.change_kit(kit, words, _edit(bank, free, placed, wishes.bpm), revision)
    titles = {pad: wishes.layout.roles[int(pad[1:])].title for pad in placed}
    return FillReport(wishes.layout, bank, titles, missing, aim.bpm or 0.0, chosen.key)


def _edit(bank: str, free: list[str], placed: Mapping[str, PadState], bpm: float | None) -> history.KitEdit:
    """Put the sounds on the pads, empty those without one, and set the tempo that was asked for."""

    def edit(kit: KitState) -> KitState:
        changed = {pad: placed.get(pad, PadState()) for pad in free if not kit.pad(pad).locked}
        kit = kit.with_pads(changed)
        if bpm is None:
            return kit
        tempo = round(bpm * HUNDREDTHS)
        if kit.tempo_source == PROJECT:
            return replace(kit, tempo=tempo)
        return kit.with_banks({bank: replace(kit.bank(bank), tempo=tempo)})

    return edit


def _missing(bank: str, roles: Mapping[int, PadRole]) -> dict[str, str]:
    return {f"{bank}{number}": role.classes[0].label for number, role in sorted(roles.items())}


def _present_layout(held: Mapping[int, PadState], known: Mapping[str, PadCandidate]) -> BankLayout:
    """Return the classes that the pads of a bank hold as a layout."""
    if bank_chops.is_chopped(list(held.values())):
        return LAYOUTS["breaks"]
    roles = {}
    for number, pad in held.items():
        each = known.get(pad.sample_id or "")
        if each is not None:
            wanted = WantedClass(each.kind, each.sound)
            roles[number] = PadRole(wanted.label, (wanted,), {"mute_group": pad.settings.mute_group})
    return BankLayout("", SHUFFLED, (), "", roles)


def _chopped_pads(
    layout: BankLayout, picks: Mapping[int, Pick], samples: Mapping[str, Sample], free: list[str]
) -> dict[str, PadState]:
    """Return the slices of the chosen loop on the free pads; nothing for a layout that is not chopped."""
    if not layout.is_chopped:
        return {}
    pick = next(iter(picks.values()))
    sample = samples.get(pick.candidate.sample_id)
    try:
        return bank_chops.chop_over(sample, free, pick.role.settings) if sample else {}
    except (RecipeError, StorageError) as error:
        raise NothingToFillError("The loop that suits best can't be cut at the moment. Try again.") from error


def _load_samples(user: User, ids: list[str]) -> dict[str, Sample]:
    own = Sample.user_id == user.id, Sample.id.in_(ids), Sample.deleted_at.is_(None)
    features = joinedload(Sample.features)
    rows = select(Sample).where(*own).options(lazyload(Sample.tags), lazyload(Sample.vector))
    rows = rows.options(features.load_only(AudioFeatures.channels, AudioFeatures.sample_rate))
    columns = load_only(
        Sample.name, Sample.content_sha256, Sample.kind, Sample.sound, Sample.bpm, Sample.duration_s,
        Sample.sp404_key, Sample.user_id,
    )  # fmt: skip
    return {sample.id: sample for sample in db.session.scalars(rows.options(columns))}


def _pad_state(pick: Pick, sample: Sample) -> PadState:
    settings = settings_for_pick(pick, sample.features.channels)
    return PadState(sample.id, sample.name, sample.content_sha256, settings=settings)
