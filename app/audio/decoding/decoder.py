"""Decode an uploaded file, which may be hostile, into samples on disk.

WAV and AIFF are read as raw PCM, which `wav_header` and `aiff_header` find; FLAC, MP3 and Ogg are read by
libsndfile, after their tags are skipped; MP4 by ffmpeg (see `mp4`). A length in a header is only a hint.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from app.audio.acid_chunk import StatedTempo, find_stated_tempo
from app.audio.decoding import mp4
from app.audio.decoding.aiff_header import read_aiff_layout
from app.audio.decoding.content_names import refusal_message
from app.audio.decoding.decode_checks import check_decoded, check_length, check_shape
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
from app.audio.decoding.mp3_frames import (
    EncoderPadding,
    declares_length,
    find_first_frame,
    has_variable_rate,
    make_length_frame,
    starts_with_frame,
    untold_padding,
)
from app.audio.decoding.sample_stream import SampleStream, open_pcm, open_sndfile
from app.audio.decoding.scratch_file import Recording, Samples, ScratchWriter, content_sha256
from app.audio.decoding.tag_stripping import strip_trailing_tags
from app.audio.decoding.wav_format import MP3_TAG
from app.audio.decoding.wav_header import WavChunks, read_wav_chunks, read_wav_layout
from app.audio.errors import EXPORT_AGAIN, UnreadableAudio


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
        Digest of rate, channels and samples as float32: equal for one sound in two lossless containers, also
        when one stores its 16-bit samples in 24 bits.
    warnings
        Sentences for the owner of the file.
    padding
        Silence that an MP3 encoder added at either end, when the file does not say how much.
    bit_depth
        Of the samples in the file; None for lossy formats.
    stated_tempo
        The tempo and the beats that a WAV states.
    """

    samples: Recording
    sample_rate: int
    format: AudioFormat
    content_sha256: str
    warnings: tuple[str, ...]
    padding: EncoderPadding | None = None
    bit_depth: int | None = None
    stated_tempo: StatedTempo | None = None

    @property
    def channels(self) -> int:
        """Return the number of channels."""
        return int(self.samples.shape[1])

    @property
    def duration_s(self) -> float:
        """Return the length in seconds."""
        return len(self.samples) / self.sample_rate


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
            with mp4.open_as_wav(_as_file(region), len(region), work_dir, limits) as (wav, length_s):
                stream = _open_wav(wav, wav.seek(0, 2), limits)
                stream.format, stream.bit_depth = found, None  # ffmpeg chose the depth of its WAV
                return _write_scratch(_end_at(stream, length_s), work_dir, limits)
        return _write_scratch(_open_stream(region, found, limits), work_dir, limits)


def _skip_tags(file: BinaryIO, size_bytes: int) -> FileRegion:
    """Return the file without its leading ID3v2 and APEv2 tags; taggers write them in front of any format."""
    start = skip_leading_tags(file, size_bytes)
    return FileRegion(file, start, size_bytes - start)


def _as_file(region: FileRegion) -> BinaryIO:
    return cast(BinaryIO, region)


def _open_stream(region: FileRegion, found: AudioFormat, limits: DecodeLimits) -> SampleStream:
    file, size_bytes = _as_file(region), len(region)
    if found is WAV:
        return _open_wav(file, size_bytes, limits)
    if found is AIFF:
        return open_pcm(file, read_aiff_layout(file, size_bytes, limits), found, limits)
    if found is FLAC:
        return _open_flac(strip_trailing_tags(file, size_bytes), limits)
    if found is MP3:
        return _open_mp3(region, limits)
    region.seek(0)
    return open_sndfile(region, found, limits)


def _open_wav(file: BinaryIO, size_bytes: int, limits: DecodeLimits) -> SampleStream:
    chunks = read_wav_chunks(file, size_bytes, limits)
    if chunks.format.tag == MP3_TAG and (inside := _find_mp3_inside(file, size_bytes, chunks)):
        return _open_mp3(inside, limits)
    stated = find_stated_tempo(file, size_bytes, limits)
    stream = open_pcm(file, read_wav_layout(file, size_bytes, chunks, limits), WAV, limits)
    stream.stated_tempo = stated
    return stream


def _find_mp3_inside(file: BinaryIO, size_bytes: int, chunks: WavChunks) -> FileRegion | None:
    """Return the MP3 in the audio chunk of a WAV, or None when there is none."""
    present = size_bytes - chunks.data.start
    inside = FileRegion(file, chunks.data.start, min(chunks.data.size or present, present))
    return inside if sniff_format(inside.read(HEAD_BYTES)) is MP3 else None


def _end_at(stream: SampleStream, length_s: float | None) -> SampleStream:
    """Return a stream that ends after a time, which may lie beyond its end."""
    if length_s is None:
        return stream
    frames = max(round(length_s * stream.sample_rate), 1)
    stream.blocks = _first_frames(stream.blocks, frames)
    if stream.declared_frames is not None:
        stream.declared_frames = min(stream.declared_frames, frames)
    return stream


def _first_frames(blocks: Iterator[Samples], frames: int) -> Iterator[Samples]:
    for block in blocks:
        yield block[:frames]
        frames -= len(block)
        if frames <= 0:
            return


def _open_flac(region: FileRegion, limits: DecodeLimits) -> SampleStream:
    header = read_flac_header(_as_file(region), len(region))
    check_shape(header.channels, header.sample_rate, limits)
    check_length(header.frames, header.channels, header.sample_rate, limits)
    stream = open_sndfile(header.stream, FLAC, limits, header.frames or None, is_open=True)
    stream.bit_depth = header.bits
    return stream


def _open_mp3(region: FileRegion, limits: DecodeLimits) -> SampleStream:
    """Open an MP3 at its first frame; what precedes it may be junk, zeros or part of a frame."""
    stripped = strip_trailing_tags(_as_file(region), len(region))
    head = stripped.read(HEAD_BYTES)
    first = 0 if starts_with_frame(head) else find_first_frame(head)
    if first is None:
        raise UnreadableAudio(f"This MP3 is damaged. {EXPORT_AGAIN}")
    frames = FileRegion(_as_file(stripped), first, len(stripped) - first)
    is_open = not declares_length(head[first:]) and has_variable_rate(_as_file(frames))
    if is_open:
        lead = make_length_frame(head[first:], limits.duration_max_s + 1)
        frames = FileRegion(_as_file(stripped), first, len(stripped) - first, lead)
    frames.seek(0)
    start = frames.read(HEAD_BYTES)
    frames.seek(0)
    stream = open_sndfile(frames, MP3, limits, is_open=is_open)
    stream.padding = untold_padding(start)
    if head[:first].strip(b"\0"):
        stream.warnings = (f"This MP3 begins with {first:,} bytes that are not audio. We skipped them.",)
    return stream


def _write_scratch(stream: SampleStream, work_dir: Path, limits: DecodeLimits) -> DecodedAudio:
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
    every_warning = (*stream.warnings, *warnings)
    return DecodedAudio(
        samples,
        rate,
        found,
        digest,
        every_warning,
        stream.padding,
        stream.bit_depth,
        stream.stated_tempo,
    )
