"""The sounds that go on a card, with what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from app.sp404.card.sound_facts import SoundFacts
from app.sp404.project.pad_sounds import PadSound

MissingReason = Literal["gone", "analysing", "empty", "too long", "unreadable", "unfit"]


@dataclass(frozen=True)
class CardSound:
    """The sound of a pad, rendered as the unit plays it, and what the analysis found.

    Attributes
    ----------
    audio : PadSound
        48 kHz and 16 bits: `wav_sound` of a rendered WAV, or the SMP of a project that was read.
    name : str
        Of the sample in the library. It names a pad that has no name of its own.
    kind : str
        One of `app.music.sound_classes.KINDS`, or empty.
    sound_class : str or None
        Such as ``open hat``.
    bpm : float or None
        Tempo of the rendered sound.
    tempo_is_sure : bool
    key : str or None
        Like ``A minor``, of the rendered sound.
    digest : str
        Equal for equal audio; empty where it is not known.
    facts : SoundFacts or None
        What was measured in the rendered sound; None where nothing was.
    done : tuple of str
        What rendering did, for the report: ``converted from 44.1 kHz, 24 bit``.
    at_44100 : callable or None
        Returns a WAV of 44.1 kHz and 16 bits, rendered from the original, for the SP-404SX. It is called when
        that file is written, and the file is read before the next one is asked for.
    """

    audio: PadSound
    name: str = ""
    kind: str = ""
    sound_class: str | None = None
    bpm: float | None = None
    tempo_is_sure: bool = False
    key: str | None = None
    digest: str = ""
    facts: SoundFacts | None = None
    done: tuple[str, ...] = ()
    at_44100: Callable[[], Path] | None = field(default=None, compare=False)

    @property
    def frames(self) -> int:
        """Length at 48 kHz."""
        return self.audio.header.frames

    @property
    def channels(self) -> int:
        return self.audio.header.channels


@dataclass(frozen=True)
class MissingSound:
    """The sample of a pad that has no sound to write.

    Attributes
    ----------
    reason : str
        "gone" from the library, "analysing" still, "empty", "too long", "unreadable", or "unfit": its recipe
        does not suit it.
    name : str
        Of the sample.
    rate_hz : int or None
        Of the original, where the sound is too long for a pad.
    """

    reason: MissingReason
    name: str = ""
    rate_hz: int | None = None


CardSounds = Mapping[str, CardSound | MissingSound]
"""By pads, A1 to J16."""
