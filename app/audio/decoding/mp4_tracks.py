"""List the tracks of an MP4, M4A, 3GP or QuickTime file. Only the standard library, for the web process."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

_MAX_ATOMS = 1_000
_CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
_PICTURE_HANDLERS = (b"vide", b"auxv", b"pict", b"MPEG")
# iTunes and podcasts keep cover and chapter pictures in a video track of still pictures.
_STILL_CODECS = (b"jpeg", b"png ", b"gif ", b"bmp ", b"tiff", b"mjpa", b"mjpb")
_STILL_MIN_S = 1.0


@dataclass(slots=True)
class _Track:
    """One track: its kind, its first codec, how many samples it has, and its length in seconds."""

    handler: bytes = b""
    codec: bytes = b""
    samples: int = 0
    seconds: float = 0.0

    @property
    def is_video(self) -> bool:
        """Return whether it shows more than a still picture a second."""
        is_still = self.codec in _STILL_CODECS and (
            self.samples <= 1 or self.seconds / self.samples >= _STILL_MIN_S
        )
        return self.handler in _PICTURE_HANDLERS and not is_still


@dataclass(slots=True)
class Mp4Tracks:
    """The tracks that a file declares."""

    tracks: list[_Track] = field(default_factory=list)

    @property
    def has_video(self) -> bool:
        """Return whether a track is a video; pictures for a cover or for chapters do not count."""
        return any(track.is_video for track in self.tracks)

    @property
    def has_audio(self) -> bool:
        """Return whether a track is audio."""
        return any(track.handler == b"soun" for track in self.tracks)


def read_mp4_tracks(file: BinaryIO, size_bytes: int) -> Mp4Tracks:
    """Return the tracks that a file declares.

    Parameters
    ----------
    file : BinaryIO
        The open file; its position is changed.
    size_bytes : int
        Its size.

    Notes
    -----
    The brand in `ftyp` does not tell: phones write audio as 3gp4, and editors write qt or avc1.
    """
    found = Mp4Tracks()
    for kind, body, end in _walk(file, 0, size_bytes, 0):
        if kind == b"trak":
            found.tracks.append(_Track())
        elif found.tracks:
            file.seek(body)
            _note_atom(found.tracks[-1], kind, file.read(min(end - body, 32)).ljust(32, b"\0"))
    return found


def _note_atom(track: _Track, kind: bytes, body: bytes) -> None:
    """Record what an atom of a track says. Each begins with a version and flags of four bytes."""
    if kind == b"hdlr" and not track.handler:
        track.handler = body[8:12]
    elif kind == b"stsd":
        track.codec = body[12:16]
    elif kind == b"stsz":
        track.samples = struct.unpack_from(">I", body, 8)[0]
    elif kind == b"mdhd":
        scale, length = (
            struct.unpack_from(">IQ", body, 20) if body[0] else struct.unpack_from(">II", body, 12)
        )
        track.seconds = length / scale if scale else 0.0


def _walk(file: BinaryIO, start: int, end: int, depth: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the atoms of the tracks, each container before what it holds."""
    for kind, body, after in _iter_atoms(file, start, end):
        yield kind, body, after
        if depth < len(_CONTAINERS) and kind == _CONTAINERS[depth]:
            yield from _walk(file, body, after, depth + 1)


def _iter_atoms(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    position = start
    for _ in range(_MAX_ATOMS):
        # A declared size may be up to 2^64; no file can seek that far.
        if position + 8 > end:
            return
        file.seek(position)
        head = file.read(16).ljust(16, b"\0")
        size, kind, long_size = struct.unpack(">I4sQ", head)
        body = position + (16 if size == 1 else 8)
        size = {0: end - position, 1: long_size}.get(size, size)
        if size < body - position:
            return
        yield kind, body, min(position + size, end)
        position += size
