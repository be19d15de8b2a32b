"""Find MPEG layer III frames. Standard library only, because the web process calls this on every upload."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import BinaryIO

SEARCH_BYTES = 65_536
"""How far the first frame may be from the start of the file or the end of its tags, as in ffmpeg."""

# Sync, a version that exists and layer III; a bit rate that is neither free nor invalid.
_CANDIDATE = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xef]")
_MIN_FRAMES, _MAX_FRAMES = 4, 200_000
# An encoder delays the sound by 576 frames, and the decoder by 529 unless a Xing tag lets it undo its own.
# LAME and what is built on it end with at least 47 frames of silence and fill up the last granule.
_ENCODER_DELAY, _DECODER_DELAY, _MIN_TAIL = 576, 529, 47
# Header, checksum, side information and the four letters of the tag.
_TAG_REACH = 48


@dataclass(frozen=True, slots=True)
class EncoderPadding:
    """Silence that an MP3 encoder added and the file does not tell of, in frames of the sound.

    Attributes
    ----------
    lead : at the start.
    min_tail, max_tail : at the end, as far as it is known.
    """

    lead: int
    min_tail: int
    max_tail: int


def mp3_frame_size(header: bytes) -> int:
    """Return the length in bytes of the MPEG layer III frame with this header, 0 for any other bytes.

    Parameters
    ----------
    header : bytes
        Four bytes: sync, version and layer, bit rate and sample rate, padding (ISO/IEC 11172-3, 13818-3).
    """
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    rate_index, bitrate_index = header[2] >> 2 & 3, header[2] >> 4
    if version == 1 or layer != 1 or rate_index == 3 or bitrate_index in (0, 15):
        return 0
    padding = header[2] >> 1 & 1
    return _mp3_slot_bytes(version, bitrate_index) * 1000 // mp3_rate_hz(header) + padding


def mp3_rate_hz(header: bytes) -> int:
    """Return the sample rate in Hz of a valid MPEG layer III header of four bytes."""
    version, rate_index = header[1] >> 3 & 3, header[2] >> 2 & 3
    return (44_100, 48_000, 32_000)[rate_index] >> {3: 0, 2: 1, 0: 2}[version]


def find_first_frame(head: bytes) -> int | None:
    """Return the offset of the first frame after bytes that are not audio, None when there is none.

    A sync word occurs by chance in any file. So three more frames of the same kind have to follow, or at
    least one and then the end of the file.

    Parameters
    ----------
    head : bytes
        The first bytes of the file, or of what follows its tags. The first `SEARCH_BYTES` are searched.
    """
    for found in _CANDIDATE.finditer(head, 0, SEARCH_BYTES):
        if _count_frames(head, found.start()) >= _MIN_FRAMES:
            return found.start()
    return None


def starts_with_frame(head: bytes) -> bool:
    """Return whether the bytes start with a frame that is followed by another one, or by nothing."""
    size = mp3_frame_size(head[:4])
    following = head[size : size + 4]
    return bool(size) and (len(following) < 4 or mp3_frame_size(following) > 0)


def declares_length(head: bytes) -> bool:
    """Return whether the frame at the start says how many frames follow."""
    return b"VBRI" in head[:_TAG_REACH] or b"Xing" in head[:_TAG_REACH] or b"Info" in head[:_TAG_REACH]


def untold_padding(head: bytes) -> EncoderPadding | None:
    """Return the padding of an MP3 that does not say how much it has, None when the decoder removes it.

    Parameters
    ----------
    head : bytes
        The start of what is decoded: a frame, which may carry a Xing tag with a LAME extension.
    """
    has_tag = b"Xing" in head[:_TAG_REACH] or b"Info" in head[:_TAG_REACH]
    if has_tag and _tells_padding(head):
        return None
    granule = 1_152 if head[1] >> 3 & 3 == 3 else 576
    lead = _ENCODER_DELAY + (0 if has_tag else _DECODER_DELAY)
    return EncoderPadding(lead, _MIN_TAIL, _MIN_TAIL + granule - 1)


def _tells_padding(head: bytes) -> bool:
    """Return whether the LAME extension of the Xing tag has a delay and padding, three bytes not all 0."""
    tag = max(head.find(b"Xing", 0, _TAG_REACH), head.find(b"Info", 0, _TAG_REACH))
    flags = head[tag + 7]
    fields = 4 * (flags & 1) + 2 * (flags & 2) + 25 * (flags & 4) + (flags >> 1 & 4)
    place = tag + 8 + fields + 21
    return any(head[place : place + 3])


def has_variable_rate(file: BinaryIO) -> bool:
    """Return whether the frames of an open file, which starts with one, have different bit rates.

    It reads up to `_MAX_FRAMES` headers, more than the longest accepted file has, and stops at damage.
    """
    position, first = 0, b""
    for _ in range(_MAX_FRAMES):
        file.seek(position)
        header = file.read(4)
        size = mp3_frame_size(header)
        if not size:
            return False
        first = first or header
        if header[2] >> 4 != first[2] >> 4:
            return True
        position += size
    return False


def make_length_frame(first: bytes, duration_s: float) -> bytes:
    """Return a silent frame for the front of an MP3 that does not say how long it is.

    mpg123 guesses the length from the size of the file and the bit rate of the first frame, and libsndfile
    stops there. For a variable rate the guess may be a third of the length. The frame's Xing tag avoids that.

    Parameters
    ----------
    first : bytes
        The header of the first frame.
    duration_s : float
        The length to declare, at least that of the audio.
    """
    version, is_mono = first[1] >> 3 & 3, first[3] >> 6 == 3
    # No checksum, a middle bit rate, no padding.
    header = bytes([first[0], first[1] | 1, 0x80 | first[2] & 0x0C, first[3]])
    side_info = (17 if is_mono else 32) if version == 3 else (9 if is_mono else 17)
    count = int(duration_s * mp3_rate_hz(header) / (1_152 if version == 3 else 576)) + 1
    tag = header + bytes(side_info) + b"Xing" + struct.pack(">II", 1, count)
    return tag.ljust(mp3_frame_size(header), b"\0")


def _count_frames(head: bytes, position: int) -> int:
    """Count frames of one kind in a row, at most `_MIN_FRAMES`; two that end the file count as that many."""
    kind, count = _frame_kind(head[position : position + 4]), 0
    while count < _MIN_FRAMES and _frame_kind(header := head[position : position + 4]) == kind:
        size = mp3_frame_size(header)
        if not size:
            return 0
        count, position = count + 1, position + size
    return _MIN_FRAMES if count > 1 and position == len(head) else count


def _frame_kind(header: bytes) -> tuple[int, ...]:
    """Return what does not change within a file: version and layer, sample rate, and whether it is mono."""
    return (header[1] & 0xFE, header[2] & 0x0C, header[3] >> 6 == 3) if len(header) == 4 else ()


def _mp3_slot_bytes(version: int, bitrate_index: int) -> int:
    v1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
    v2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
    return 144 * v1[bitrate_index] if version == 3 else 72 * v2[bitrate_index]
