"""Plan the pads of a card: their final names and settings, and what is changed for it."""

from __future__ import annotations

from dataclasses import dataclass

from app.sp404.card.card_sounds import CardSound, CardSounds, MissingSound
from app.sp404.card.repairs import Repair, repair_settings
from app.sp404.kit_document import KitDocument
from app.sp404.pad_names import MAX_PAD_NAME, append_facts, numbered_name, safe_name
from app.sp404.pad_settings import PadSettings
from app.sp404.pads import PAD_NAMES, bank_of

MISSING_TEXTS = {
    "gone": "Its sample is no longer in the library.",
    "analysing": "Its sample is still being analysed.",
    "empty": "Its sound is empty.",
    "too long": "Its sound is longer than the 16 minutes that a pad holds.",
    "unreadable": "Its sound can't be read.",
    "unfit": "Its sample can't be shaped as the pad is set.",
}


@dataclass(frozen=True)
class PlannedPad:
    """A pad as it is written.

    Attributes
    ----------
    pad : str
        ``A1`` to ``J16``.
    settings : PadSettings
        With its final name.
    sound : CardSound
    sample_name : str
        Of the library.
    repairs : tuple of Repair
        What of the settings had to be changed.
    """

    pad: str
    settings: PadSettings
    sound: CardSound
    sample_name: str
    repairs: tuple[Repair, ...]


@dataclass(frozen=True)
class CardPlan:
    """What is written of a kit.

    Attributes
    ----------
    kit : KitDocument
    pads : dict of str to PlannedPad
        Those that are written, in order.
    left_out : dict of str to str
        A sentence for each pad with a sample that is not written.
    """

    kit: KitDocument
    pads: dict[str, PlannedPad]
    left_out: dict[str, str]

    @property
    def banks(self) -> list[str]:
        """The letters of the banks that have a sound."""
        return sorted({bank_of(pad) for pad in self.pads})


def plan_card(kit: KitDocument, sounds: CardSounds) -> CardPlan:
    """Return what is written of a kit.

    Parameters
    ----------
    kit : KitDocument
    sounds : mapping of str to CardSound or MissingSound
        By pads. A pad with a sample and no sound here counts as gone.
    """
    pads: dict[str, PlannedPad] = {}
    left_out: dict[str, str] = {}
    taken = {
        (bank_of(pad), document.settings.name.casefold())
        for pad, document in kit.pads.items()
        if document.settings.name
    }
    for pad in PAD_NAMES:
        document = kit.pads.get(pad)
        if document is None or document.sample is None:
            continue
        sound = sounds.get(pad, MissingSound("gone", document.sample.name))
        if isinstance(sound, MissingSound):
            left_out[pad] = MISSING_TEXTS[sound.reason]
            continue
        settings, repairs = repair_settings(document.settings, sound.audio.header)
        sample_name = sound.name or document.sample.name
        if not settings.name:
            name = free_name(name_pad(sample_name or pad, sound), bank_of(pad), taken)
            settings = settings.changed({"name": name})
        pads[pad] = PlannedPad(pad, settings, sound, sample_name, repairs)
    return CardPlan(kit, pads, left_out)


def name_pad(sample_name: str, sound: CardSound) -> str:
    """Return the name of a pad that has none of its own: the sample's, then tempo and key.

    A hit says no tempo, and a tempo that is not sure is not said.
    """
    bpm = sound.bpm if sound.tempo_is_sure and sound.kind != "one-shot" else None
    return append_facts(sample_name, bpm, sound.key)


def free_name(name: str, bank: str, taken: set[tuple[str, str]]) -> str:
    """Return a name that no other pad of the bank has, and take it. Case does not count."""
    number, candidate = 1, safe_name(name, MAX_PAD_NAME)
    while (bank, candidate.casefold()) in taken:
        number += 1
        candidate = numbered_name(name, number, MAX_PAD_NAME)
    taken.add((bank, candidate.casefold()))
    return candidate
