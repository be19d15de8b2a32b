"""Recognise the audio format of a file by its first bytes.

Uses the standard library only: the web process calls this on every upload and must not load numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.audio.decoding.content_names import IMAGE_BRANDS, is_nameless
from app.audio.decoding.leading_tags import MAX_TAGS, leading_tag_size
from app.audio.decoding.mp3_frames import SEARCH_BYTES, find_first_frame, starts_with_frame

HEAD_BYTES = SEARCH_BYTES
"""How many leading bytes `sniff_format` needs at most."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """A container we accept.

    Attributes
    ----------
    name
        As people write it, such as "WAV".
    extension
        Lower case, with its dot.
    mime
        Media type for HTTP.
    plays_in_browsers
        Whether the common browsers play such files.
    """

    name: str
    extension: str
    mime: str
    plays_in_browsers: bool = True


WAV = AudioFormat("WAV", ".wav", "audio/wav")
AIFF = AudioFormat("AIFF", ".aiff", "audio/aiff", plays_in_browsers=False)
FLAC = AudioFormat("FLAC", ".flac", "audio/flac")
MP3 = AudioFormat("MP3", ".mp3", "audio/mpeg")
VORBIS = AudioFormat("OGG", ".ogg", "audio/ogg")
OPUS = AudioFormat("OPUS", ".opus", "audio/ogg")
M4A = AudioFormat("M4A", ".m4a", "audio/mp4")
FORMATS = {each.name: each for each in (WAV, AIFF, FLAC, MP3, VORBIS, OPUS, M4A)}

# QuickTime files older than 2001 have no `ftyp`. The tracks of an MP4, not its brand, say whether it is a
# video.
_MP4_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


def sniff_format(head: bytes) -> AudioFormat | None:
    """Return the format the first bytes announce, or None when it is not one we accept.

    Parameters
    ----------
    head : bytes
        The first `HEAD_BYTES` bytes of the file, or all of a shorter file.

    Returns
    -------
    AudioFormat or None
        One of the constants of this module.

    Notes
    -----
    Tags longer than `head` hide what follows them; such a file counts as an MP3 until it is decoded. An MP4
    may turn out to be a video.
    """
    rest = head
    for _ in range(MAX_TAGS):
        size = leading_tag_size(rest)
        if not size:
            return _sniff_untagged(rest)
        rest = rest[size:]
        if len(rest) < 4:
            return MP3
    return MP3


def _sniff_untagged(head: bytes) -> AudioFormat | None:
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return WAV
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return AIFF
    if head[:4] == b"fLaC":
        return FLAC
    if head[:4] == b"OggS":
        return _sniff_ogg(head)
    if head[4:8] in _MP4_ATOMS:
        return None if head[8:12] in IMAGE_BRANDS else M4A
    return _sniff_mp3(head)


def _sniff_mp3(head: bytes) -> AudioFormat | None:
    if starts_with_frame(head):
        return MP3
    return MP3 if is_nameless(head) and find_first_frame(head) is not None else None


def _sniff_ogg(head: bytes) -> AudioFormat | None:
    if b"\x01vorbis" in head[:128]:
        return VORBIS
    return OPUS if b"OpusHead" in head[:128] else None
