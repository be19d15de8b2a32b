"""Streams of samples from open files: PCM and compressed audio, read by libsndfile block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import soundfile

from app.audio.acid_chunk import StatedTempo
from app.audio.decoding.decode_checks import LENGTH_SLACK_FRAMES, check_length, check_shape
from app.audio.decoding.decode_limits import DecodeLimits
from app.audio.decoding.file_region import FileRegion
from app.audio.decoding.format_sniffer import AudioFormat
from app.audio.decoding.mp3_frames import EncoderPadding
from app.audio.decoding.pcm_layout import PcmLayout
from app.audio.decoding.scratch_file import Samples
from app.audio.errors import EXPORT_AGAIN, UnreadableAudio

_FRAMES_UNKNOWN = 1 << 50
# Damage loses the whole block it is in, so blocks are short.
_READ_VALUES = 1 << 14


@dataclass(slots=True)
class SampleStream:
    """Blocks of an open file. `declared_frames` is None when the header leaves the length open.

    `format` is the one the audio turned out to have, `warnings` are about the header, `padding` is silence
    that the encoder added, `bit_depth` is None for lossy formats, and `stated_tempo` is a WAV's own.
    """

    format: AudioFormat
    sample_rate: int
    channels: int
    declared_frames: int | None
    blocks: Iterator[Samples]
    warnings: tuple[str, ...] = ()
    padding: EncoderPadding | None = None
    bit_depth: int | None = None
    stated_tempo: StatedTempo | None = None


def open_pcm(file: BinaryIO, layout: PcmLayout, found: AudioFormat, limits: DecodeLimits) -> SampleStream:
    """Open uncompressed audio.

    Parameters
    ----------
    file : BinaryIO
        The open file.
    layout : PcmLayout
        Where the audio lies in it and how to read it.
    found : AudioFormat
        The container.
    limits : DecodeLimits
        What is refused.

    Raises
    ------
    UnreadableAudio
        The audio exceeds a limit.
    """
    check_shape(layout.channels, layout.sample_rate, limits)
    present = max(layout.end - layout.start, 0)
    declared = layout.declared_bytes
    usable = present if declared is None else min(present, declared)
    region = FileRegion(file, layout.start, usable // layout.frame_bytes * layout.frame_bytes)
    frames = None if declared is None else declared // layout.frame_bytes
    # Only the audio that is there is refused for its length; a wrong declared length gets a warning.
    check_length(len(region) // layout.frame_bytes, layout.channels, layout.sample_rate, limits)
    blocks = _read_raw_blocks(region, layout)
    stream = SampleStream(found, layout.sample_rate, layout.channels, frames, blocks, layout.warnings)
    stream.bit_depth = layout.bit_depth
    return stream


def _read_raw_blocks(region: FileRegion, layout: PcmLayout) -> Iterator[Samples]:
    if not len(region):
        return
    sound = _open_forward_only(
        region,
        samplerate=layout.sample_rate,
        channels=layout.channels,
        format="RAW",
        subtype=layout.subtype,
        endian=layout.endian,
    )
    yield from _read_and_close(sound)


def open_sndfile(
    region: FileRegion,
    found: AudioFormat,
    limits: DecodeLimits,
    frames: int | None = None,
    *,
    is_open: bool = False,
) -> SampleStream:
    """Open FLAC, MP3 or Ogg audio with libsndfile.

    Parameters
    ----------
    region : FileRegion
        The file without tags.
    found : AudioFormat
        The container.
    limits : DecodeLimits
        What is refused.
    frames : int or None
        The length, if `region` leaves it open but the file declares one.
    is_open : bool
        Whether `region` leaves the length open, so that what libsndfile says about it means nothing.

    Raises
    ------
    UnreadableAudio
        libsndfile cannot read it, or it exceeds a limit.
    """
    try:
        sound = _open_forward_only(region)
    except (soundfile.SoundFileError, OSError) as error:
        raise UnreadableAudio(f"This {found.name} is damaged and cannot be read. {EXPORT_AGAIN}") from error
    check_shape(sound.channels, sound.samplerate, limits)
    declared = frames if is_open or not 0 < sound.frames < _FRAMES_UNKNOWN else sound.frames
    if declared is not None:
        check_length(declared, sound.channels, sound.samplerate, limits)
    return SampleStream(found, sound.samplerate, sound.channels, declared, _read_and_close(sound, frames))


def _open_forward_only(region: FileRegion, **raw: Any) -> Any:
    sound = soundfile.SoundFile(region, **raw)
    # soundfile seeks after each block it reads, which makes FLAC and MP3 search for their place again.
    sound.seekable = lambda: False
    return sound


def _read_and_close(sound: Any, frames: int | None = None) -> Iterator[Samples]:
    with sound:
        yield from _read_blocks(sound, _FRAMES_UNKNOWN if frames is None else frames)


def _read_blocks(sound: Any, frames: int) -> Iterator[Samples]:
    """Yield blocks up to a length, and refuse audio that goes on: sox stops there, ffmpeg does not."""
    size, left = max(_READ_VALUES // sound.channels, 1), frames
    while left:
        wanted = min(size, left)
        block = _read_block(sound, wanted)
        if len(block):
            yield block
        if len(block) < wanted:
            return
        left -= wanted
    if len(_read_block(sound, LENGTH_SLACK_FRAMES + 1)) > LENGTH_SLACK_FRAMES:
        raise UnreadableAudio(
            "This file holds more audio than its header says, and programs play different lengths of it. "
            f"{EXPORT_AGAIN}"
        )


def _read_block(sound: Any, frames: int) -> Samples:
    try:
        return np.asarray(sound.read(frames, dtype="float32", always_2d=True), dtype=np.float32)
    except soundfile.SoundFileError:
        # Damage in the middle: `check_decoded` decides whether what came before is enough.
        return np.empty((0, sound.channels), np.float32)
