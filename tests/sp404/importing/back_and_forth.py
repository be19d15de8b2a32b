"""A project goes to a library and back: unpacked, kept as the product keeps it, and written again."""

from __future__ import annotations

import wave
from collections.abc import Callable, Mapping
from pathlib import Path

from app.audio.unit_format import MIN_FRAMES
from app.sp404.card.card_builder import build
from app.sp404.card.card_files import write_files
from app.sp404.card.card_options import CardOptions
from app.sp404.card.card_sounds import CardSound
from app.sp404.importing.unpacking import BASE, Unpacked, unpack
from app.sp404.kit_document import KitDocument
from app.sp404.project.base_archive import read_base
from app.sp404.project.pad_sounds import wav_sound
from tests.sp404.project.made_files import read_files, zipped

ChangeKit = Callable[[KitDocument], KitDocument]


def unpacked(files: Mapping[str, bytes], folder: Path, prefix: str = "P07_Dusty/") -> Unpacked:
    """Unpack the ZIP of a project."""
    folder.mkdir(parents=True)
    archive = folder / "sent.zip"
    archive.write_bytes(zipped(files, prefix))
    return unpack(archive, prefix.rstrip("/"), "sent", folder)


def there_and_back(
    files: Mapping[str, bytes], folder: Path, change: ChangeKit = lambda kit: kit
) -> dict[str, bytes]:
    """Return the files of a project after it was a kit, which may have been changed there."""
    done = unpacked(files, folder)
    kit = change(done.kit)
    sounds = {}
    for pad, document in kit.pads.items():
        if document.sample is not None and document.sample.path:
            path = folder / document.sample.path
            lengthen(path)
            sounds[pad] = CardSound(wav_sound(path))
    base = read_base(folder / BASE)
    options = CardOptions(base=base.project, kept_sounds=base.sounds)
    write_files(build(kit, sounds, ["mk2"], options), folder / "card")
    return read_files(folder / "card/EXPORT/PROJECT/PROJECT_01")


def lengthen(path: Path) -> None:
    """Give a WAV that is too short for a pad silence at its end, as the library's own WAVs have it."""
    with wave.open(str(path)) as reader:
        values, pcm = reader.getparams(), reader.readframes(reader.getnframes())
    with wave.open(str(path), "wb") as writer:
        writer.setparams(values)
        writer.writeframes(pcm.ljust(MIN_FRAMES * values.sampwidth * values.nchannels, b"\0"))
