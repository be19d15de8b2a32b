"""Decode an uploaded file, which may be hostile, into samples on disk.

WAV and AIFF are read as raw PCM from where `pcm_headers` finds it, FLAC, MP3 and Ogg by libsndfile after
their tags are skipped, MP4 by ffmpeg (see `mp4`). A length in a header is only a hint.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile

from app.audio.decoding import mp4
from app.audio.decoding.decode_checks import check_decoded, check_length, check_shape
from app.audio.decoding.decode_limits import DEFAULT_LIMITS, DecodeLimits
from app.audio.decoding.file_region import FileRegion
from app.audio.decoding.format_sniffer import (
    AIFF,
    FLAC,
    HEAD_BYTES,
    M4A,
    MP3,
    WAV,
    AudioFormat,
    mp3_frame_size,
    mp3_rate_hz,
    refusal_message,
    sniff_format,
)
from app.audio.decoding.pcm_headers import EXPORT_AGAIN, PcmLayout, read_aiff_header, read_wav_header
from app.audio.decoding.scratch_file import Recording, Samples, ScratchWriter, content_sha256
from app.audio.decoding.tag_stripping import end_of_id3v2, strip_flac_metadata, strip_mp3_tags
from app.audio.errors import UnreadableAudio

_FRAMES_UNKNOWN = 1 << 50
# Damage loses the whole block it is in, so blocks are short.
_READ_VALUES = 1 << 14


@dataclass(frozen=True, slots=True)
class DecodedAudio:
    """A decoded file.

    Attributes
    ----------
    samples
        On disk, shape (frames, channels), float32, full scale ±1.
    sample_rate
        In Hz.
    format
        The container the file came in.
    content_sha256
        Digest of rate, channels and samples: equal for one sound in two lossless containers.
    warnings
        Sentences for the owner of the file.
    """

    samples: Recording
    sample_rate: int
    format: AudioFormat
    content_sha256: str
    warnings: tuple[str, ...]

    @property
    def channels(self) -> int:
        """Return the number of channels."""
        return int(self.samples.shape[1])

    @property
    def duration_s(self) -> float:
        """Return the length in seconds."""
        return len(self.samples) / self.sample_rate


@dataclass(slots=True)
class _Stream:
    """Blocks of an open file. `declared_frames` is None when the header leaves the length open."""

    sample_rate: int
    channels: int
    declared_frames: int | None
    blocks: Iterator[Samples]


def decode_file(path: Path, work_dir: Path, limits: DecodeLimits = DEFAULT_LIMITS) -> DecodedAudio:
    """Decode one audio file into a scratch file in `work_dir`.

    Parameters
    ----------
    path : Path
        The file. Its bytes tell the format; its name is not looked at.
    work_dir : Path
        A private folder for `decoded.f32` (float32, frames x channels x 4 bytes) and ffmpeg's files.
    limits : DecodeLimits
        What is refused.

    Returns
    -------
    DecodedAudio
        It stays readable as long as `work_dir` exists.

    Raises
    ------
    UnreadableAudio
        The file is no audio we read, is damaged or exceeds a limit. The message says what to do.
    """
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        found = sniff_format(file.read(HEAD_BYTES))
        if found is None:
            file.seek(0)
            raise UnreadableAudio(refusal_message(file.read(HEAD_BYTES)))
        found = _sniff_behind_tag(file, size_bytes, found)
        if found is M4A:
            with mp4.open_as_wav(file, size_bytes, work_dir, limits) as wav:
                return _write_scratch(_open_pcm(wav, wav.seek(0, 2), WAV, limits), found, work_dir, limits)
        return _write_scratch(_open_stream(file, size_bytes, found, limits), found, work_dir, limits)


def _sniff_behind_tag(file: BinaryIO, size_bytes: int, found: AudioFormat) -> AudioFormat:
    """Return the format behind a tag that is longer than the sniffed bytes; a FLAC may have one too."""
    if found is not MP3:
        return found
    file.seek(end_of_id3v2(file, size_bytes))
    return FLAC if file.read(4) == b"fLaC" else MP3


def _open_stream(file: BinaryIO, size_bytes: int, found: AudioFormat, limits: DecodeLimits) -> _Stream:
    if found in (WAV, AIFF):
        return _open_pcm(file, size_bytes, found, limits)
    if found is FLAC:
        region, info = strip_flac_metadata(file, size_bytes)
        _check_flac(info, limits)
        return _open_sndfile(region, found, limits)
    if found is MP3:
        region = strip_mp3_tags(file, size_bytes)
        _check_mp3(region)
        return _open_sndfile(region, found, limits)
    return _open_sndfile(FileRegion(file, 0, size_bytes), found, limits)


def _open_pcm(file: BinaryIO, size_bytes: int, found: AudioFormat, limits: DecodeLimits) -> _Stream:
    layout = (read_aiff_header if found is AIFF else read_wav_header)(file, size_bytes, limits)
    check_shape(layout.channels, layout.sample_rate, limits)
    present = max(size_bytes - layout.start, 0)
    declared = layout.declared_bytes
    usable = present if declared is None else min(present, declared)
    region = FileRegion(file, layout.start, usable // layout.frame_bytes * layout.frame_bytes)
    frames = None if declared is None else declared // layout.frame_bytes
    # Only the audio that is there is refused for its length; a wrong declared length gets a warning.
    check_length(len(region) // layout.frame_bytes, layout.channels, layout.sample_rate, limits)
    return _Stream(layout.sample_rate, layout.channels, frames, _read_raw_blocks(region, layout))


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


def _open_sndfile(region: FileRegion, found: AudioFormat, limits: DecodeLimits) -> _Stream:
    try:
        sound = _open_forward_only(region)
    except (soundfile.SoundFileError, OSError) as error:
        raise UnreadableAudio(f"This {found.name} is damaged and cannot be read. {EXPORT_AGAIN}") from error
    check_shape(sound.channels, sound.samplerate, limits)
    declared = sound.frames if 0 < sound.frames < _FRAMES_UNKNOWN else None
    if declared is not None:
        check_length(declared, sound.channels, sound.samplerate, limits)
    return _Stream(sound.samplerate, sound.channels, declared, _read_and_close(sound))


def _open_forward_only(region: FileRegion, **raw: Any) -> Any:
    sound = soundfile.SoundFile(region, **raw)
    # soundfile seeks after each block it reads, which makes FLAC and MP3 search for their place again.
    sound.seekable = lambda: False
    return sound


def _read_and_close(sound: Any) -> Iterator[Samples]:
    with sound:
        yield from _read_blocks(sound)


def _read_blocks(sound: Any) -> Iterator[Samples]:
    size = max(_READ_VALUES // sound.channels, 1)
    while True:
        try:
            block = sound.read(size, dtype="float32", always_2d=True)
        except soundfile.SoundFileError:
            # Damage in the middle: `check_decoded` decides whether what came before is enough.
            return
        if len(block):
            yield np.asarray(block, dtype=np.float32)
        if len(block) < size:
            return


def _write_scratch(stream: _Stream, found: AudioFormat, work_dir: Path, limits: DecodeLimits) -> DecodedAudio:
    max_frames = int(limits.duration_max_s * stream.sample_rate)
    with ScratchWriter(work_dir / "decoded.f32", stream.channels) as scratch:
        for block in stream.blocks:
            scratch.write(block)
            check_length(scratch.frames, stream.channels, stream.sample_rate, limits)
            if scratch.frames > max_frames:
                break
        warnings = check_decoded(scratch, stream.declared_frames, stream.sample_rate, found, limits)
        samples = scratch.recording()
    digest = content_sha256(stream.sample_rate, stream.channels, scratch.sha256())
    return DecodedAudio(samples, stream.sample_rate, found, digest, tuple(warnings))


def _check_flac(info: bytes, limits: DecodeLimits) -> None:
    packed = struct.unpack_from(">Q", info, 10)[0]
    rate, channels, frames = packed >> 44, (packed >> 41 & 7) + 1, packed & (1 << 36) - 1
    check_shape(channels, rate, limits)
    check_length(frames, channels, rate, limits)


def _check_mp3(region: FileRegion) -> None:
    head = region.read(HEAD_BYTES).lstrip(b"\0")
    region.seek(0)
    if not mp3_frame_size(head[:4]) or not mp3_rate_hz(head[:4]):
        raise UnreadableAudio(
            refusal_message(head) if sniff_format(head) is None else f"This MP3 is damaged. {EXPORT_AGAIN}"
        )
