"""Swap the sound of a pad: for the next alike, walked forwards and back, or for a brighter, shorter … one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from app.extensions import db
from app.kits import history
from app.kits.kit_rows import load_state
from app.kits.kit_state import KitState, PadState
from app.kits.pad_edits import EmptyPadError, pad_for_sample
from app.models import Kit, KitChange, Sample, User, ownership
from app.models.ownership import RowNotFoundError
from app.search.sample_query import SampleQuery
from app.search.similar_samples import NoVectorError, SimilarQuery, find_similar, read_source
from app.sp404.pad_settings import PadSettings, read_settings

ALTERNATIVES = 10
CHANGES = ("brighter", "darker", "shorter", "punchier")
NEXT, PREVIOUS = 1, -1
# What belongs to the sound and not to the pad
_OF_SOUND = ("name", "bpm", "bpm_sync", "start", "end", "loop_top", "chops", "recipe", "kept")


class NothingAlikeError(Exception):
    """A pad's sound can't be swapped as asked; the message is a sentence."""


def swap_pad(user: User, kit: Kit, pad: str, step: int = NEXT, revision: int | None = None) -> Sample:
    """Put the next, or with `PREVIOUS` the previous, of ten sounds alike on a pad; return it.

    The ten are those nearest to the sound that the walk began with, which is the eleventh stop. A walk ends
    when anything else is done to the kit. Raises EmptyPadError, NothingAlikeError and KitConflictError.
    """
    held = _held_pad(kit, pad)
    begun_with = _walk_begin(kit, pad) or held.sample_id or ""
    stops = [begun_with, *_sounds_alike(user, kit, pad, begun_with)]
    if len(stops) == 1:
        raise NothingAlikeError(f"Your library has no other sound like the one on {pad}.")
    at = stops.index(held.sample_id) if held.sample_id in stops else 0
    return _replace(user, kit, pad, stops[(at + step) % len(stops)], _walk_words(pad), revision)


def change_pad(user: User, kit: Kit, pad: str, change: str, revision: int | None = None) -> Sample:
    """Put the sound on a pad that is most alike but clearly brighter, darker, shorter or punchier; return it.

    Raises EmptyPadError, NothingAlikeError and KitConflictError.
    """
    held = _held_pad(kit, pad)
    found = _sounds_alike(user, kit, pad, held.sample_id or "", change)
    if not found:
        raise NothingAlikeError(f"Your library has no sound like the one on {pad} that is clearly {change}.")
    return _replace(user, kit, pad, found[0], f"Make {pad} {change}", revision)


def settings_after_swap(old: PadSettings, fresh: PadSettings) -> PadSettings:
    """Return the settings of a pad for another sound: its own, but for what belongs to the sound."""
    own = {name: value for name, value in old.to_dict().items() if name not in _OF_SOUND}
    return read_settings(own | {name: value for name, value in fresh.to_dict().items() if name in _OF_SOUND})


def _held_pad(kit: Kit, pad: str) -> PadState:
    held = load_state(kit).pad(pad)
    if held.sample_id is None:
        raise EmptyPadError(pad)
    if held.locked:
        raise NothingAlikeError(f"Pad {pad} is locked. Unlock it to swap its sound.")
    return held


def _sounds_alike(user: User, kit: Kit, pad: str, sample_id: str, change: str = "") -> list[str]:
    """Return the sounds of the same class that are nearest to one, without those on other pads of the kit."""
    others = {each.sample_id for name, each in load_state(kit).pads.items() if name != pad and each.sample_id}
    try:
        sample = _owned_sample(user, sample_id)
        source = read_source(user, [sample_id])
    except (NoVectorError, RowNotFoundError) as error:
        raise NothingAlikeError(
            f"The sound on {pad} has not been measured for likeness yet. Analyse it again first."
        ) from error
    wanted = SimilarQuery(but=change, search=SampleQuery(kind=sample.kind, sound=sample.sound or ""))
    found = find_similar(user, source, wanted, {*others, sample_id}, ALTERNATIVES)
    return [each.sample_id for each in found]


def _replace(user: User, kit: Kit, pad: str, sample_id: str, words: str, revision: int | None) -> Sample:
    sample = _owned_sample(user, sample_id)
    fresh = pad_for_sample(sample)

    def edit(state: KitState) -> KitState:
        settings = settings_after_swap(state.pad(pad).settings, fresh.settings)
        return state.with_pads({pad: replace(fresh, locked=state.pad(pad).locked, settings=settings)})

    history.change_kit(kit, words, edit, revision)
    return sample


def _owned_sample(user: User, sample_id: str) -> Sample:
    return ownership.owned_by(user, Sample, sample_id, Sample.deleted_at.is_(None))


def _walk_words(pad: str) -> str:
    return f"Swap {pad} for one alike"


def _walk_begin(kit: Kit, pad: str) -> str | None:
    """Return the sample that the present walk of a pad began with; None when there is no walk."""
    latest = select(KitChange).where(KitChange.kit_id == kit.id, KitChange.number <= kit.position)
    begun_with = None
    for change in db.session.scalars(latest.order_by(KitChange.number.desc()).limit(2 * ALTERNATIVES)):
        if change.words != _walk_words(pad):
            break
        before: Mapping[str, Any] = json.loads(change.before)
        begun_with = before["pads"][pad]["sample_id"]
    return begun_with
