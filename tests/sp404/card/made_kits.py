"""Kits and sounds for tests of cards, made without the code that is tested."""

from __future__ import annotations

import math
import struct
import wave
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.sp404.card.card_sounds import CardSound
from app.sp404.card.sound_facts import SoundFacts
from app.sp404.kit_document import KitDocument, PadDocument, SampleReference
from app.sp404.pad_settings import PadSettings, read_settings
from app.sp404.project.pad_sounds import wav_sound

CLEAN = SoundFacts(peak=0.5)
FOUR_BEATS_AT_90 = 128_000


def write_wav_file(
    path: Path, frames: int, channels: int = 1, rate: int = 48_000, chunk: bytes = b""
) -> Path:
    """Write a decaying tone, with another chunk before the sound where one is given."""
    tone = [round(9_000 * math.exp(-i / 4_000) * math.sin(i / 9)) for i in range(frames)]
    samples = array("h", [value for value in tone for _channel in range(channels)])
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(samples.tobytes())
    if chunk:
        data = path.read_bytes()
        more = b"LIST" + struct.pack("<I", len(chunk)) + chunk
        path.write_bytes(
            b"RIFF" + struct.pack("<I", len(data) - 8 + len(more)) + data[8:36] + more + data[36:]
        )
    return path


def card_sound(folder: Path, frames: int = 6_000, channels: int = 1, **known: Any) -> CardSound:
    """Return a sound, with the same tone at 44.1 kHz for the SP-404SX."""
    path = folder / f"{frames}-{channels}.wav"
    if not path.exists():
        write_wav_file(path, frames, channels)
    at_44100 = folder / f"{frames}-{channels}-44100.wav"
    if not at_44100.exists():
        write_wav_file(at_44100, round(frames * 44_100 / 48_000), channels, 44_100)
    values: dict[str, Any] = {
        "facts": CLEAN,
        "at_44100": lambda: at_44100,
        "digest": f"{frames}-{channels}",
    } | known
    return CardSound(wav_sound(path, 4_900), **values)


def pad(name: str = "Kick", **settings: Any) -> PadDocument:
    """Return a pad with a sample of this name."""
    return PadDocument(sample=SampleReference(name=name), locked=False, settings=read_settings(settings))


def make_kit(pads: Mapping[str, PadDocument], name: str = "Dusty Kit", **values: Any) -> KitDocument:
    return KitDocument(name=name, pads=dict(pads), **values)


def full_bank(folder: Path, bank: str = "A") -> tuple[dict[str, PadDocument], dict[str, CardSound]]:
    """Return 16 pads with hits in mono and loops in stereo, two of them in a mute group."""
    pads, sounds = {}, {}
    for number in range(1, 17):
        place = f"{bank}{number}"
        is_loop = number > 12
        settings = PadSettings(bpm=92.17, bpm_sync=True, loop=True) if is_loop else PadSettings(gate=False)
        if number in (3, 4):
            settings = settings.changed({"mute_group": 1})
        reference = SampleReference(name=f"Sämple “{number}” of a very long pack name #{number}")
        pads[place] = PadDocument(sample=reference, locked=False, settings=settings)
        known = {"kind": "loop", "bpm": 92.17, "tempo_is_sure": True, "key": "F# minor"} if is_loop else {}
        sounds[place] = card_sound(folder, 6_000 + number, 2 if is_loop else 1, **known)
    return pads, sounds
