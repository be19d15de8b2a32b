"""The `acid` chunk of a WAV, in which programs for loops state how many beats a loop has, and its tempo."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from app.audio.decoding.chunks import iter_chunks, read_body
from app.audio.decoding.decode_limits import DecodeLimits

NAME = b"acid"
MIN_BPM, MAX_BPM = 20.0, 400.0
MAX_LENGTH_ERROR, MAX_BEATS_OFF = 0.01, 0.1
"""How far a length may be from that of the beats, as a share and in beats. A file that was cut afterwards is
further off, and so is a recording whose program noted its own tempo."""

# As libsndfile reads it: flags, root note, twice unused, beats, both numbers of the meter, BPM.
_FIELDS = struct.Struct("<IHHfIHHf")
_IS_ONE_SHOT, _STRETCHES, _IS_TRACK = 1, 4, 8
_NO_ROOT, _UNUSED = 60, 0x8000
_RIFF_SIZE_AT, _HEADER_BYTES = 4, 8


@dataclass(frozen=True, slots=True)
class StatedTempo:
    """The tempo of a loop, and how many beats it has, as its file states them."""

    bpm: float
    beats: int

    def fits(self, duration_s: float) -> bool:
        """Return whether a sound is as long as these beats are, within 1 % and a tenth of a beat.

        Parameters
        ----------
        duration_s : float
        """
        off = abs(duration_s * self.bpm / 60 - self.beats)
        return off <= min(MAX_LENGTH_ERROR * self.beats, MAX_BEATS_OFF)


def find_stated_tempo(file: BinaryIO, size_bytes: int, limits: DecodeLimits) -> StatedTempo | None:
    """Return the tempo that a WAV states; None for one that is no loop, or states none that makes sense.

    Parameters
    ----------
    file : BinaryIO
        The open file; its position is changed.
    size_bytes : int
        Its size.
    limits : DecodeLimits
        Limits the number of chunks.
    """
    # One chunk fewer than is refused: what a file states is no reason to refuse it.
    chunks = islice(iter_chunks(file, size_bytes, "<", limits), limits.chunks_max - 1)
    found = next((chunk for chunk in chunks if chunk.name == NAME), None)
    return _parse(read_body(file, found, _FIELDS.size)) if found else None


def _parse(body: bytes) -> StatedTempo | None:
    if len(body) < _FIELDS.size:
        return None
    flags, _root, _, _, beats, _lower, _upper, bpm = _FIELDS.unpack(body)
    if (
        flags & (_IS_ONE_SHOT | _IS_TRACK)
        or not beats
        or not math.isfinite(bpm)
        or not MIN_BPM <= bpm <= MAX_BPM
    ):
        return None
    return StatedTempo(round(bpm, 4), beats)  # a float of 32 bits has seven digits


def state_tempo(path: Path, tempo: StatedTempo) -> None:
    """Add the chunk to a WAV, behind its sound: the first 44 bytes and the sound stay where they are.

    Parameters
    ----------
    path : Path
        A WAV that ends with its sound.
    tempo : StatedTempo
    """
    body = _FIELDS.pack(_STRETCHES, _NO_ROOT, _UNUSED, 0.0, tempo.beats, 4, 4, tempo.bpm)
    with path.open("r+b") as file:
        file.seek(0, 2)
        file.write(struct.pack("<4sI", NAME, len(body)) + body)
        size = file.tell()
        file.seek(_RIFF_SIZE_AT)
        file.write(struct.pack("<I", size - _HEADER_BYTES))
