"""The project that a kit was brought back from, packed without its sounds, and read again for a card.

Of each sound that went to a library only what its WAV lacks is kept: the header, which the unit fills with
random values, and bytes after the last whole frame. So an untouched sound is written as the same SMP again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from app.audio.unit_format import MIN_FRAMES, RATE_HZ
from app.sp404.errors import ProjectProblem, UnitFileError
from app.sp404.pad_places import pad_index, pattern_file, sound_file
from app.sp404.project.file_trees import PADCONF, open_tree, read_errors_named, read_whole, shown_path
from app.sp404.project.pad_sounds import PadSound, SmpSound, WavSound
from app.sp404.project.pcm_files import PcmShape, make_wav_header, pcm_blocks
from app.sp404.project.project_reader import read_project_of
from app.sp404.project.smp_files import HEADER_BYTES, SAMPLE_BYTES, SmpHeader, smp_blocks, swap_bytes
from app.sp404.project.unit_project import OtherFile, UnitProject
from app.sp404.project.zip_checks import MAX_DEPTH

ARCHIVE_VERSION = 1
FOLDER, FACTS = "project", "sounds.json"
MAX_FACTS_BYTES = 4 << 20
MAX_OTHERS, MAX_OTHERS_BYTES = 2_000, 48 << 20
"""How many files without a meaning here are kept with a kit, and how large they may be together."""
COPY_BYTES = 1 << 18
NOT_KEPT = "It is not kept with the kit: it lies too deep, or there is too much beside it."
WriteFile = Callable[[BinaryIO], object]


@dataclass(frozen=True)
class KeptSmp:
    """What an SMP has beside its sound.

    Attributes
    ----------
    header : bytes
        Its first 512 bytes.
    tail : bytes
        What follows its last whole frame; mostly nothing.
    pcm_sha256 : str
        Digest of the little-endian samples, as a WAV has them.
    frames, channels : int
        Of the sound.
    """

    header: bytes
    tail: bytes
    pcm_sha256: str
    frames: int
    channels: int

    def restore(self, sound: PadSound) -> PadSound:
        """Return a sound that is written as this SMP, if it is the same audio; else the sound itself."""
        shape = PcmShape(self.frames, self.channels)
        if isinstance(sound, WavSound) and plays_same(sound.path, _shape_of(sound), shape, self.pcm_sha256):
            return RestoredSmp(self, sound)
        return sound


@dataclass(frozen=True)
class RestoredSmp:
    """A WAV of a library that is written as the SMP that it came from."""

    kept: KeptSmp
    wav: WavSound

    @property
    def header(self) -> SmpHeader:
        """Return size and channels of the SMP."""
        pcm = self.kept.frames * self.kept.channels * SAMPLE_BYTES
        return SmpHeader(HEADER_BYTES + pcm + len(self.kept.tail), self.kept.channels)

    def write_smp(self, smp: BinaryIO) -> None:
        """Write the SMP as it was.

        Raises
        ------
        UnitFileError
            The WAV can no longer be read.
        """
        smp.write(self.kept.header)
        for block in pcm_blocks(self.wav.path, PcmShape(self.kept.frames, self.kept.channels)):
            smp.write(swap_bytes(block))
        smp.write(self.kept.tail)

    def write_wav(self, wav: BinaryIO) -> None:
        """Write the sound as a WAV of 48 kHz and 16 bits with a header of 44 bytes."""
        self.wav.write_wav(wav)


class BaseArchive(NamedTuple):
    """A project without its sounds, and what their SMPs had beside the sound, by pads."""

    project: UnitProject
    sounds: Mapping[str, KeptSmp]


def take_sound(sound: SmpSound, target: Path) -> KeptSmp:
    """Write the sound of an SMP as a WAV, and return what the SMP has beside it.

    Parameters
    ----------
    sound : SmpSound
    target : Path
        Of the WAV, with a header of 44 bytes.

    Raises
    ------
    UnitFileError
        The SMP has no sound, ends early or can't be read.
    """
    frames, channels = sound.header.frames, sound.header.channels
    if not frames:
        raise UnitFileError("Its sound is empty.")
    digest = hashlib.sha256()
    with (
        read_errors_named("Its sound can't be read."),
        sound.open_file() as smp,
        target.open("wb") as wav,
    ):
        header = smp.read(HEADER_BYTES)
        wav.write(make_wav_header(frames, channels, RATE_HZ))
        for block in smp_blocks(smp, frames * channels * SAMPLE_BYTES):
            pcm = swap_bytes(block)
            digest.update(pcm)
            wav.write(pcm)
        return KeptSmp(header, smp.read(SAMPLE_BYTES * channels), digest.hexdigest(), frames, channels)


def plays_same(path: Path, shape: PcmShape, wanted: PcmShape, pcm_sha256: str) -> bool:
    """Return whether a WAV has these samples; one that was too short for a pad may have silence after them.

    Parameters
    ----------
    path : Path
        Of a 16-bit WAV.
    shape : PcmShape
        Of this WAV.
    wanted : PcmShape
        Of the samples.
    pcm_sha256 : str
        Digest of the samples.

    Raises
    ------
    UnitFileError
        The WAV can't be read.
    """
    longest = max(wanted.frames, MIN_FRAMES)
    if shape.channels != wanted.channels or not wanted.frames <= shape.frames <= longest:
        return False
    digest, left = hashlib.sha256(), wanted.frames * wanted.frame_bytes
    for block in pcm_blocks(path, shape):
        digest.update(block[:left])
        if any(block[left:]):
            return False
        left = max(left - len(block), 0)
    return digest.hexdigest() == pcm_sha256


def digest_wav(path: Path, shape: PcmShape) -> str:
    """Return the SHA-256 of the samples of a 16-bit WAV.

    Raises
    ------
    UnitFileError
        The WAV can't be read.
    """
    digest = hashlib.sha256()
    for block in pcm_blocks(path, shape):
        digest.update(block)
    return digest.hexdigest()


def write_base(project: UnitProject, sounds: Mapping[str, KeptSmp], target: Path) -> list[ProjectProblem]:
    """Pack everything of a project but the sounds that were taken.

    Parameters
    ----------
    project : UnitProject
        As it was read.
    sounds : mapping of str to KeptSmp
        What was taken, by pads.
    target : Path
        Of the ZIP.

    Returns
    -------
    list of ProjectProblem
        Files that were left out, because they are too many or too large together, or lie too deep.

    Raises
    ------
    UnitFileError
        A file can't be read.
    """
    problems: list[ProjectProblem] = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(FACTS, json.dumps(_facts_of(project, sounds)))
        for path, data in _own_files(project):
            archive.writestr(f"{FOLDER}/{path}", data)
        for path in project.empty_folders:
            archive.writestr(f"{FOLDER}/{path}/", b"")
        files, left_bytes = 0, MAX_OTHERS_BYTES
        for path, size_bytes, write in _other_files(project, sounds):
            if size_bytes > left_bytes or files == MAX_OTHERS or path.count("/") >= MAX_DEPTH:
                problems.append(ProjectProblem(shown_path(path), NOT_KEPT))
                continue
            files, left_bytes = files + 1, left_bytes - size_bytes
            with archive.open(f"{FOLDER}/{path}", "w") as member:
                write(cast(BinaryIO, member))
    return problems


def read_base(path: Path) -> BaseArchive:
    """Return a project that `write_base` has packed. Its files are read from the ZIP when they are needed.

    Raises
    ------
    UnitFileError
        The file is no such ZIP.
    """
    tree = open_tree(path)
    try:
        facts = json.loads(read_whole(tree, FACTS, MAX_FACTS_BYTES, FACTS))
        sounds = {place: _kept_smp(plain) for place, plain in facts["sounds"].items()}
        folder_name = str(facts["folder_name"])
    except (KeyError, TypeError, ValueError) as error:
        raise UnitFileError("The project that is kept with the kit can't be read.") from error
    project = read_project_of(tree, FOLDER)
    return BaseArchive(replace(project, folder_name=folder_name, problems=()), sounds)


def _shape_of(sound: WavSound) -> PcmShape:
    """Return the shape of the WAV itself, without the silence that is written after it."""
    return PcmShape(sound.header.frames - sound.padding, sound.header.channels)


def _own_files(project: UnitProject) -> Iterator[tuple[str, bytes]]:
    yield PADCONF, project.base.to_bytes()
    for place, pattern in project.patterns.items():
        yield pattern_file(pad_index(place)), pattern.to_bytes()
    for path, picture in project.pictures.items():
        yield path, picture.to_bytes()


def _other_files(project: UnitProject, sounds: Mapping[str, KeptSmp]) -> Iterator[tuple[str, int, WriteFile]]:
    """Yield path, size and writer of the sounds that were not taken, and of files without a meaning here."""
    for place, pad in project.pads.items():
        if pad.sound is not None and place not in sounds:
            yield sound_file(pad_index(place)), pad.sound.header.size_bytes, pad.sound.write_smp
    for path, other in project.others.items():
        yield path, other.size_bytes, partial(_copy_other, path, other)


def _copy_other(path: str, other: OtherFile, target: BinaryIO) -> None:
    with read_errors_named(f"“{shown_path(path)}” can't be read."), other.open_file() as source:
        shutil.copyfileobj(source, target, COPY_BYTES)


def _facts_of(project: UnitProject, sounds: Mapping[str, KeptSmp]) -> dict[str, Any]:
    return {
        "version": ARCHIVE_VERSION,
        "folder_name": project.folder_name,
        "sounds": {
            place: {
                "header": kept.header.hex(),
                "tail": kept.tail.hex(),
                "pcm_sha256": kept.pcm_sha256,
                "frames": kept.frames,
                "channels": kept.channels,
            }
            for place, kept in sounds.items()
        },
    }


def _kept_smp(plain: Mapping[str, Any]) -> KeptSmp:
    return KeptSmp(
        bytes.fromhex(plain["header"]),
        bytes.fromhex(plain["tail"]),
        plain["pcm_sha256"],
        cast(int, plain["frames"]),
        cast(int, plain["channels"]),
    )
