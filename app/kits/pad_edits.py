"""Edits of a kit's pads and banks. Each returns a function of the kit's content, for `history.change_kit`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from app.kits.history import KitEdit
from app.kits.kit_state import KitState, PadState
from app.models import Sample
from app.plurals import pluralize
from app.sp404.fresh_pad import settings_for_sound
from app.sp404.pad_settings import PadSettings
from app.sp404.pads import PAD_NAMES, pads_of_bank


class EmptyPadError(Exception):
    """A pad holds no sound; the message is a sentence."""

    def __init__(self, pad: str) -> None:
        super().__init__(f"Pad {pad} is empty. Place a sample on it first.")


class KitFullError(Exception):
    """A kit has fewer free pads than are needed; the message is a sentence."""

    def __init__(self, free: int, wanted: int) -> None:
        if free:
            pads = "1 pad is" if free == 1 else f"{free} pads are"
            super().__init__(f"Only {pads} free for {pluralize(wanted, 'sample')}. Make a new kit from them.")
        else:
            super().__init__(f"All {len(PAD_NAMES)} pads of this kit are taken. Clear one, or choose a pad.")


def pad_for_sample(sample: Sample, settings: PadSettings | None = None, locked: bool = False) -> PadState:
    """Return a pad with a sample; without settings it gets those that suit the sound."""
    settings = settings or settings_for_sound(sample.kind, sample.sound, sample.bpm)
    return PadState(sample.id, sample.name, sample.content_sha256, locked, settings)


def place(pad: str, held: PadState) -> KitEdit:
    """Put a sound on a pad, in place of what is there; a locked pad stays locked."""
    return lambda kit: kit.with_pads({pad: replace(held, locked=held.locked or kit.pad(pad).locked)})


def place_on_free(sounds: list[PadState], first_bank: str = "A") -> KitEdit:
    """Put sounds on the first free pads from a bank on, all or none. Raises KitFullError."""

    def edit(kit: KitState) -> KitState:
        free = free_pads(kit, first_bank)
        if len(free) < len(sounds):
            raise KitFullError(len(free), len(sounds))
        return kit.with_pads(dict(zip(free, sounds, strict=False)))

    return edit


def free_pads(kit: KitState, first_bank: str = "A") -> list[str]:
    """Return the pads that hold no sound and are not locked, from a bank on and then from A."""
    start = PAD_NAMES.index(f"{first_bank}1")
    return [name for name in (*PAD_NAMES[start:], *PAD_NAMES[:start]) if kit.pad(name).is_blank]


def put(pad: str, held: PadState) -> KitEdit:
    """Make a pad exactly this, its lock included."""
    return lambda kit: kit.with_pads({pad: held})


def clear(pads: list[str]) -> KitEdit:
    """Empty pads, their settings and locks included."""
    return lambda kit: kit.with_pads(dict.fromkeys(pads, PadState()))


def exchange(pad: str, other: str) -> KitEdit:
    """Exchange what two pads hold, their settings and locks included."""
    return lambda kit: kit.with_pads({pad: kit.pad(other), other: kit.pad(pad)})


def copy_pad(source: str, target: str) -> KitEdit:
    """Copy a pad with its settings onto another; the other's lock stays. Raises EmptyPadError."""
    return lambda kit: kit.with_pads(
        {target: replace(_filled(kit, source), locked=kit.pad(target).locked)} if source != target else {}
    )


def copy_bank(source: str, target: str) -> KitEdit:
    """Copy a bank with all its pads and settings in place of another one."""

    def edit(kit: KitState) -> KitState:
        pairs = zip(pads_of_bank(source), pads_of_bank(target), strict=True)
        return kit.with_pads({there: kit.pad(here) for here, there in pairs}).with_banks(
            {target: kit.bank(source)}
        )

    return edit


def lock(pads: list[str], locked: bool) -> KitEdit:
    """Lock pads against filling and shuffling, or unlock them; an empty pad can be locked too."""
    return lambda kit: kit.with_pads({name: replace(kit.pad(name), locked=locked) for name in pads})


def change_settings(pad: str, changes: Mapping[str, Any]) -> KitEdit:
    """Change some settings of a pad. Raises EmptyPadError or PadSettingsError."""

    def edit(kit: KitState) -> KitState:
        held = _filled(kit, pad)
        return kit.with_pads({pad: replace(held, settings=held.settings.changed(changes))})

    return edit


def change_several(pads: Collection[str], changes: Mapping[str, Any]) -> KitEdit:
    """Change some settings of those pads that hold a sound. Raises PadSettingsError."""

    def edit(kit: KitState) -> KitState:
        held = {name: kit.pad(name) for name in pads if kit.pad(name).holds_a_sound}
        return kit.with_pads(
            {name: replace(pad, settings=pad.settings.changed(changes)) for name, pad in held.items()}
        )

    return edit


def change_values(**values: Any) -> KitEdit:
    """Change the name, the tempo in hundredths, its source or the notes of a kit; they must be valid."""
    return lambda kit: replace(kit, **values)


def change_bank(bank: str, **values: Any) -> KitEdit:
    """Change the tempo in hundredths, the volume or the protection of a bank; they must be valid."""
    return lambda kit: kit.with_banks({bank: replace(kit.bank(bank), **values)})


def in_order(*edits: KitEdit) -> KitEdit:
    """Make several edits as one change."""

    def edit(kit: KitState) -> KitState:
        for each in edits:
            kit = each(kit)
        return kit

    return edit


def _filled(kit: KitState, pad: str) -> PadState:
    held = kit.pad(pad)
    if not held.holds_a_sound:
        raise EmptyPadError(pad)
    return held
