"""Find the audio of a FLAC after its metadata, and refuse headers that contradict the frames (RFC 9639)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from app.audio.decoding.file_region import FileRegion
from app.audio.errors import EXPORT_AGAIN, UnreadableAudio

_MAX_BLOCKS = 1_000
_STREAMINFO_BYTES = 34
_FRAMES_MASK = (1 << 36) - 1
_RATES_HZ = (0, 88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000)
_BITS = (0, 8, 12, 0, 16, 20, 24, 32)


@dataclass(frozen=True, slots=True)
class FlacHeader:
    """The format that a FLAC declares in its STREAMINFO block, and its stream without other metadata.

    The rate is in Hz; `frames` is 0 when the length is open. STREAMINFO in `stream` always leaves the length
    open, so that the decoder reads all that is really there.
    """

    channels: int
    sample_rate: int
    bits: int
    frames: int
    stream: FileRegion


def read_flac_header(file: BinaryIO, size_bytes: int) -> FlacHeader:
    """Return the header of a FLAC.

    Parameters
    ----------
    file : BinaryIO
        The open file, which starts with "fLaC"; its position is changed.
    size_bytes : int
        Its size.

    Raises
    ------
    UnreadableAudio
        The file ends inside its header, or the first frame contradicts it.
    """
    info, audio = _find_audio(file, len(b"fLaC"))
    packed = struct.unpack_from(">Q", info, 10)[0]
    open_info = info[:10] + struct.pack(">Q", packed & ~_FRAMES_MASK) + info[18:]
    head = b"fLaC" + struct.pack(">I", 0x8000_0000 | len(info)) + open_info
    header = FlacHeader(
        channels=(packed >> 41 & 7) + 1,
        sample_rate=packed >> 44,
        bits=(packed >> 36 & 31) + 1,
        frames=packed & _FRAMES_MASK,
        stream=FileRegion(file, audio, size_bytes - audio, head),
    )
    file.seek(audio)
    _compare_first_frame(file.read(4), header)
    return header


def _find_audio(file: BinaryIO, position: int) -> tuple[bytes, int]:
    """Return STREAMINFO and the offset of the first frame."""
    info = b""
    for _ in range(_MAX_BLOCKS):
        file.seek(position)
        head = file.read(4)
        if len(head) < 4:
            break
        kind, size = head[0] & 0x7F, int.from_bytes(head[1:4], "big")
        if kind == 0 and not info:
            info = file.read(min(size, _STREAMINFO_BYTES))
        position += 4 + size
        if head[0] & 0x80 and len(info) == _STREAMINFO_BYTES:
            return info, position
    raise UnreadableAudio(f"This FLAC is cut short: it ends inside its header. {EXPORT_AGAIN}")


def _compare_first_frame(frame: bytes, header: FlacHeader) -> None:
    """Refuse a header whose rate, width or channels differ from the first frame's; sox refuses it too."""
    if len(frame) < 4 or frame[0] != 0xFF or frame[1] & 0xFE != 0xF8:
        return
    rate_code, mode, bits = frame[2] & 15, frame[3] >> 4, _BITS[frame[3] >> 1 & 7]
    rate = _RATES_HZ[rate_code] if rate_code < len(_RATES_HZ) else 0
    channels = mode + 1 if mode < 8 else 2
    pairs = ((rate, header.sample_rate), (bits, header.bits), (channels, header.channels))
    if mode <= 10 and any(said and said != declared for said, declared in pairs):
        raise UnreadableAudio(
            "This FLAC's header contradicts its audio in sample rate, bits or channels, and programs read it "
            f"differently. {EXPORT_AGAIN}"
        )
