"""Decode an uploaded file, which may be hostile, into samples on disk.

WAV and AIFF are read as raw PCM from where `wav_header` and `aiff_header` find it, FLAC, MP3 and Ogg by
libsndfile after their tags are skipped, MP4 by ffmpeg (see `mp4`). A length in a header is only a hint.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import soundfile

from app.audio.decoding import mp4
from app.audio.decoding.aiff_header import read_aiff_layout
from app.audio.decoding.content_names import refusal_message
from app.audio.decoding.decode_checks import LENGTH_SLACK_FRAMES, check_decoded, check_length, check_shape
from app.audio.decoding.decode_limits import DEFAULT_LIMITS, DecodeLimits
from app.audio.decoding.file_region import FileRegion
from app.audio.decoding.flac_header import read_flac_header
from app.audio.decoding.format_sniffer import (
    AIFF,
    FLAC,
    HEAD_BYTES,
    M4A,
    MP3,
    WAV,
    AudioFormat,
    sniff_format,
)
from app.audio.decoding.leading_tags import skip_leading_tags
from app.audio.decoding.mp3_frames import find_first_frame, starts_with_frame
from app.audio.decoding.pcm_layout import PcmLayout
from app.audio.decoding.scratch_file import Recording, Samples, ScratchWriter, content_sha256
from app.audio.decoding.tag_stripping import strip_trailing_tags
from app.audio.decoding.wav_format import MP3_TAG
from app.audio.decoding.wav_header import WavChunks, read_wav_chunks, read_wav_layout
from app.audio.errors import EXPORT_AGAIN, UnreadableAudio

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
    """Blocks of an open file. `declared_frames` is None when the header leaves the length open.

    `format` is the one the audio turned out to have, and `warnings` are about the header.
    """

    format: AudioFormat
    sample_rate: int
    channels: int
    declared_frames: int | None
    blocks: Iterator[Samples]
    warnings: tuple[str, ...] = ()


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
    with path.open("rb") as file:
        region = _skip_tags(file, path.stat().st_size)
        head = region.read(HEAD_BYTES)
        found = sniff_format(head)
        if found is None:
            raise UnreadableAudio(refusal_message(head))
        if found is M4A:
            with mp4.open_as_wav(_as_file(region), len(region), work_dir, limits) as wav:
                stream = _open_wav(wav, wav.seek(0, 2), limits)
                stream.format = found
                return _write_scratch(stream, work_dir, limits)
        return _write_scratch(_open_stream(region, found, limits), work_dir, limits)


def _skip_tags(file: BinaryIO, size_bytes: int) -> FileRegion:
    """Return the file behind its ID3v2 and APEv2 tags; taggers write them in front of any format."""
    start = skip_leading_tags(file, size_bytes)
    return FileRegion(file, start, size_bytes - start)


def _as_file(region: FileRegion) -> BinaryIO:
    return cast(BinaryIO, region)


def _open_stream(region: FileRegion, found: AudioFormat, limits: DecodeLimits) -> _Stream:
    file, size_bytes = _as_file(region), len(region)
    if found is WAV:
        return _open_wav(file, size_bytes, limits)
    if found is AIFF:
        return _open_pcm(file, read_aiff_layout(file, size_bytes, limits), found, limits)
    if found is FLAC:
        return _open_flac(strip_trailing_tags(file, size_bytes), limits)
    if found is MP3:
        return _open_mp3(region, limits)
    region.seek(0)
    return _open_sndfile(region, found, limits)


def _open_wav(file: BinaryIO, size_bytes: int, limits: DecodeLimits) -> _Stream:
    chunks = read_wav_chunks(file, size_bytes, limits)
    if chunks.format.tag == MP3_TAG and (inside := _find_mp3_inside(file, size_bytes, chunks)):
        return _open_mp3(inside, limits)
    return _open_pcm(file, read_wav_layout(file, size_bytes, chunks, limits), WAV, limits)


def _find_mp3_inside(file: BinaryIO, size_bytes: int, chunks: WavChunks) -> FileRegion | None:
    """Return the MP3 in the audio chunk of a WAV, None when there is none."""
    present = size_bytes - chunks.data.start
    inside = FileRegion(file, chunks.data.start, min(chunks.data.size or present, present))
    return inside if sniff_format(inside.read(HEAD_BYTES)) is MP3 else None


def _open_flac(region: FileRegion, limits: DecodeLimits) -> _Stream:
    header = read_flac_header(_as_file(region), len(region))
    check_shape(header.channels, header.sample_rate, limits)
    check_length(header.frames, header.channels, header.sample_rate, limits)
    return _open_sndfile(header.stream, FLAC, limits, header.frames or None)


def _open_mp3(region: FileRegion, limits: DecodeLimits) -> _Stream:
    """Open an MP3 at its first frame; what precedes it may be junk, zeros or part of a frame."""
    stripped = strip_trailing_tags(_as_file(region), len(region))
    head = stripped.read(HEAD_BYTES)
    first = 0 if starts_with_frame(head) else find_first_frame(head)
    if first is None:
        raise UnreadableAudio(f"This MP3 is damaged. {EXPORT_AGAIN}")
    stream = _open_sndfile(FileRegion(_as_file(stripped), first, len(stripped) - first), MP3, limits)
    if head[:first].strip(b"\0"):
        stream.warnings = (f"This MP3 begins with {first:,} bytes that are not audio. We skipped them.",)
    return stream


def _open_pcm(file: BinaryIO, layout: PcmLayout, found: AudioFormat, limits: DecodeLimits) -> _Stream:
    check_shape(layout.channels, layout.sample_rate, limits)
    present = max(layout.end - layout.start, 0)
    declared = layout.declared_bytes
    usable = present if declared is None else min(present, declared)
    region = FileRegion(file, layout.start, usable // layout.frame_bytes * layout.frame_bytes)
    frames = None if declared is None else declared // layout.frame_bytes
    # Only the audio that is there is refused for its length; a wrong declared length gets a warning.
    check_length(len(region) // layout.frame_bytes, layout.channels, layout.sample_rate, limits)
    blocks = _read_raw_blocks(region, layout)
    return _Stream(found, layout.sample_rate, layout.channels, frames, blocks, layout.warnings)


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


def _open_sndfile(
    region: FileRegion, found: AudioFormat, limits: DecodeLimits, frames: int | None = None
) -> _Stream:
    """Open a compressed file; `frames` is its length where its own header leaves it open."""
    try:
        sound = _open_forward_only(region)
    except (soundfile.SoundFileError, OSError) as error:
        raise UnreadableAudio(f"This {found.name} is damaged and cannot be read. {EXPORT_AGAIN}") from error
    check_shape(sound.channels, sound.samplerate, limits)
    declared = sound.frames if 0 < sound.frames < _FRAMES_UNKNOWN else frames
    if declared is not None:
        check_length(declared, sound.channels, sound.samplerate, limits)
    return _Stream(found, sound.samplerate, sound.channels, declared, _read_and_close(sound, frames))


def _open_forward_only(region: FileRegion, **raw: Any) -> Any:
    sound = soundfile.SoundFile(region, **raw)
    # soundfile seeks after each block it reads, which makes FLAC and MP3 search for their place again.
    sound.seekable = lambda: False
    return sound


def _read_and_close(sound: Any, frames: int | None = None) -> Iterator[Samples]:
    with sound:
        yield from _read_blocks(sound, _FRAMES_UNKNOWN if frames is None else frames)


def _read_blocks(sound: Any, frames: int) -> Iterator[Samples]:
    """Yield blocks up to a length, and refuse audio that goes on: sox stops there and ffmpeg does not."""
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


def _write_scratch(stream: _Stream, work_dir: Path, limits: DecodeLimits) -> DecodedAudio:
    rate, channels, found = stream.sample_rate, stream.channels, stream.format
    max_frames = int(limits.duration_max_s * rate)
    with ScratchWriter(work_dir / "decoded.f32", channels) as scratch:
        for block in stream.blocks:
            scratch.write(block)
            check_length(scratch.frames, channels, rate, limits)
            if scratch.frames > max_frames:
                break
        warnings = check_decoded(scratch, stream.declared_frames, rate, found, limits)
        samples = scratch.recording()
    digest = content_sha256(rate, channels, scratch.sha256())
    return DecodedAudio(samples, rate, found, digest, (*stream.warnings, *warnings))
