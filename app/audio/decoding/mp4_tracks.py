"""List the tracks of an MP4, M4A, 3GP or QuickTime file. Only the standard library, for the web process."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

_MAX_ATOMS = 1_000
_CONTAINERS = ((b"moov",), (b"trak",), (b"mdia", b"edts"), (b"minf",), (b"stbl",))
_MAX_EDIT_BYTES = 20_008
_PICTURE_HANDLERS = (b"vide", b"auxv", b"pict", b"MPEG")
# iTunes and podcasts keep cover and chapter pictures in a video track of still pictures.
_STILL_CODECS = (b"jpeg", b"png ", b"gif ", b"bmp ", b"tiff", b"mjpa", b"mjpb")
_STILL_MIN_S = 1.0


@dataclass(slots=True)
class _Track:
    """One track: its kind, its first codec, how many samples it has, its length in seconds, and its edits.

    An edit is its length in `Mp4Tracks.scale` and its start in the track in `scale`, -1 for an empty one.
    """

    handler: bytes = b""
    codec: bytes = b""
    samples: int = 0
    seconds: float = 0.0
    scale: int = 0
    edits: tuple[tuple[int, int], ...] = ()

    @property
    def is_video(self) -> bool:
        """Return whether it shows more than a still picture a second."""
        is_still = self.codec in _STILL_CODECS and (
            self.samples <= 1 or self.seconds / self.samples >= _STILL_MIN_S
        )
        return self.handler in _PICTURE_HANDLERS and not is_still


@dataclass(slots=True)
class Mp4Tracks:
    """The tracks that a file declares, and the ticks a second in which it counts the length of edits."""

    tracks: list[_Track] = field(default_factory=list)
    scale: int = 0

    @property
    def has_video(self) -> bool:
        """Return whether a track is a video; pictures for a cover or for chapters do not count."""
        return any(track.is_video for track in self.tracks)

    @property
    def has_audio(self) -> bool:
        """Return whether a track is audio."""
        return any(track.handler == b"soun" for track in self.tracks)

    @property
    def has_one_edit(self) -> bool:
        """Return whether the first audio track is one piece of what is stored."""
        return len(edits := self._sound_edits()) == 1 and edits[0][1] >= 0

    @property
    def sound_s(self) -> float | None:
        """Return the length in seconds that the edit list of the first audio track gives, None without one.

        Where one edit reaches to the end of the track, within the coarser of both scales, the track's length
        is exact.
        """
        edits = self._sound_edits()
        length = sum(length for length, start in edits if start >= 0)
        if not length or not self.scale:
            return None
        seconds = length / self.scale
        if not self.has_one_edit:
            return seconds
        track = next(track for track in self.tracks if track.handler == b"soun")
        stored = track.seconds - edits[0][1] / max(track.scale, 1)
        return stored if abs(stored - seconds) < 1.5 / self.scale else seconds

    def _sound_edits(self) -> tuple[tuple[int, int], ...]:
        return next((track.edits for track in self.tracks if track.handler == b"soun"), ())


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
        elif kind == b"mvhd":
            file.seek(body)
            found.scale, _ = _read_clock(file.read(min(end - body, 32)).ljust(32, b"\0"))
        elif found.tracks:
            file.seek(body)
            size, least = (_MAX_EDIT_BYTES, 8) if kind == b"elst" else (32, 32)
            _note_atom(found.tracks[-1], kind, file.read(min(end - body, size)).ljust(least, b"\0"))
    return found


def _read_clock(body: bytes) -> tuple[int, int]:
    """Return the ticks a second and the length in ticks of a movie or media header."""
    scale, length = struct.unpack_from(">IQ", body, 20) if body[0] else struct.unpack_from(">II", body, 12)
    return scale, length


def _read_edits(body: bytes) -> tuple[tuple[int, int], ...]:
    """Return length and start of each edit, which are followed by a rate."""
    layout = struct.Struct(">Qqi" if body[0] else ">Iii")
    count = min(struct.unpack_from(">I", body, 4)[0], (len(body) - 8) // layout.size)
    rows = [layout.unpack_from(body, 8 + i * layout.size) for i in range(count)]
    return tuple((length, start) for length, start, _ in rows)


def _note_atom(track: _Track, kind: bytes, body: bytes) -> None:
    """Record what an atom of a track says. Each begins with a version and flags of four bytes."""
    if kind == b"hdlr" and not track.handler:
        track.handler = body[8:12]
    elif kind == b"stsd":
        track.codec = body[12:16]
    elif kind == b"stsz":
        track.samples = struct.unpack_from(">I", body, 8)[0]
    elif kind == b"mdhd":
        track.scale, length = _read_clock(body)
        track.seconds = length / track.scale if track.scale else 0.0
    elif kind == b"elst" and not track.edits:
        track.edits = _read_edits(body)


def _walk(file: BinaryIO, start: int, end: int, depth: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the atoms of the tracks, each container before what it holds."""
    for kind, body, after in _iter_atoms(file, start, end):
        yield kind, body, after
        if depth < len(_CONTAINERS) and kind in _CONTAINERS[depth]:
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
