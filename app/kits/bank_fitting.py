"""Fit the pads of a bank to its tempo, its key and one loudness, as one change that can be undone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from app.kits import history
from app.kits.heard_sounds import tempo_of_bank
from app.kits.kit_rows import load_state
from app.kits.kit_state import KitState
from app.kits.measured_pads import MeasuredSound, measured_bank
from app.models import Kit, User
from app.sp404.pad_fit import FitSound, fit_bank, key_of_bank
from app.sp404.pads import PAD_NAMES


def fit_pads(
    user: User, kit: Kit, bank: str, revision: int | None = None, only: Collection[str] = PAD_NAMES
) -> dict[str, tuple[str, ...]]:
    """Fit the pads of a bank that are not locked; return in words what was done to each that was changed.

    `only` names those that may change. Raises KitConflictError.
    """
    state = load_state(kit)
    pads = measured_bank(user, state, bank)
    open_pads = {
        name: (pad.settings, fit_sound(sound))
        for name, (pad, sound) in pads.items()
        if not pad.locked and name in only
    }
    key = key_of_bank([fit_sound(sound) for _, sound in pads.values()])
    fitted = fit_bank(open_pads, tempo_of_bank(state, bank), key)
    ids: Mapping[str, str] = {name: sound.id for name, (_, sound) in pads.items()}

    def edit(now: KitState) -> KitState:
        same = {name for name in fitted if now.pad(name).sample_id == ids[name] and not now.pad(name).locked}
        return now.with_pads({name: replace(now.pad(name), settings=fitted[name].settings) for name in same})

    history.change_kit(kit, f"Fit bank {bank}", edit, revision if revision is not None else kit.revision)
    return {name: pad.steps for name, pad in fitted.items()}


def fit_sound(sound: MeasuredSound) -> FitSound:
    """Return what fitting needs to know of a sound."""
    return FitSound(
        sound.kind,
        sound.sound,
        sound.bpm,
        sound.tempo_confidence,
        sound.key,
        sound.channels,
        sound.figure("loudness_db"),
        str(sound.measured.get("loudness_unit") or ""),
        sound.figure("true_peak_db"),
    )
