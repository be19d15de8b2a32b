"""Recognise the audio format of a file by its first bytes.

Uses the standard library only: the web process calls this on every upload and must not load numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

HEAD_BYTES = 16_384
"""How many leading bytes `sniff_format` needs at most."""

READABLE_FORMATS = "Upload WAV, AIFF, FLAC, MP3, M4A or OGG."

_ID3_HEADER_BYTES = 10


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
    """

    name: str
    extension: str
    mime: str


WAV = AudioFormat("WAV", ".wav", "audio/wav")
AIFF = AudioFormat("AIFF", ".aiff", "audio/aiff")
FLAC = AudioFormat("FLAC", ".flac", "audio/flac")
MP3 = AudioFormat("MP3", ".mp3", "audio/mpeg")
VORBIS = AudioFormat("OGG", ".ogg", "audio/ogg")
OPUS = AudioFormat("OPUS", ".opus", "audio/ogg")
M4A = AudioFormat("M4A", ".m4a", "audio/mp4")

_MP4_BRANDS = (
    b"M4A ", b"M4B ", b"mp41", b"mp42", b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"dash", b"M4P ",
)  # fmt: skip

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"MThd", "a MIDI file"),
    (b"RFWV", "an SP-404 sample (SMP)"),
    (b"RIFX", "a big-endian RIFX file"),
    (b"caff", "Apple Core Audio (CAF)"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media (WMA)"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (b"\x00\x00\x01\xba", "an MPEG video"),
    (b"\x00\x00\x01\xb3", "an MPEG video"),
    (b"FLV", "a Flash video"),
    (b"#!AMR", "an AMR recording"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "a database"),
)

_PLAYLISTS = (b"#extm3u", b"ffconcat", b"[playlist]", b"v=0", b"<mpd", b"<smil", b"[reference]")


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
    An ID3 tag longer than `head` hides what follows it; such a file counts as MP3 until it is decoded.
    """
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return WAV
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return AIFF
    if head[:4] == b"fLaC":
        return FLAC
    if head[:4] == b"OggS":
        return _sniff_ogg(head)
    if head[4:8] == b"ftyp":
        return M4A if head[8:12] in _MP4_BRANDS else None
    return _sniff_tagged(head) if head[:3] == b"ID3" else _sniff_mp3(head)


def describe_content(head: bytes) -> str:
    """Return what a refused file looks like, such as "a PNG image", to complete "looks like …".

    Parameters
    ----------
    head : bytes
        The first bytes of the file.
    """
    if not head:
        return "an empty file"
    if not head.strip(b"\0"):
        return "zeros only"
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    return _container_name(head) or _text_name(head) or "unknown data"


def refusal_message(head: bytes) -> str:
    """Return the message for a producer that refuses a file with these first bytes and says what to do.

    Parameters
    ----------
    head : bytes
        The first bytes of the file.
    """
    if not head:
        return f"This file is empty. Export it again and upload the new file. {READABLE_FORMATS}"
    return f"Not audio we can read (looks like {describe_content(head)}). {READABLE_FORMATS}"


def id3v2_size(head: bytes) -> int:
    """Return the length in bytes of the ID3v2 tag that `head` starts with, 0 when it starts with none.

    Header, footer and body are counted (ID3v2.4.0, section 3.1: sizes have 7 bits a byte).
    """
    if len(head) < _ID3_HEADER_BYTES or head[:3] != b"ID3" or max(head[6:10]) > 0x7F:
        return 0
    body = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    footer = _ID3_HEADER_BYTES if head[5] & 0x10 else 0
    return _ID3_HEADER_BYTES + body + footer


def mp3_frame_size(header: bytes) -> int:
    """Return the length in bytes of the MPEG layer III frame with this header, 0 when it is no such header.

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


def _mp3_slot_bytes(version: int, bitrate_index: int) -> int:
    v1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
    v2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
    return 144 * v1[bitrate_index] if version == 3 else 72 * v2[bitrate_index]


def _sniff_tagged(head: bytes) -> AudioFormat | None:
    size = id3v2_size(head)
    if not size:
        return None
    rest = head[size:]
    if len(rest) < 4 or rest[:3] == b"ID3":
        return MP3
    return FLAC if rest[:4] == b"fLaC" else _sniff_mp3(rest.lstrip(b"\0"))


def _sniff_mp3(head: bytes) -> AudioFormat | None:
    size = mp3_frame_size(head[:4])
    following = head[size : size + 4]
    # Two sync bytes occur by chance in any binary file, so the next frame has to have them too.
    if not size or (len(following) == 4 and not mp3_frame_size(following)):
        return None
    return MP3


def _sniff_ogg(head: bytes) -> AudioFormat | None:
    if b"\x01vorbis" in head[:128]:
        return VORBIS
    return OPUS if b"OpusHead" in head[:128] else None


def _container_name(head: bytes) -> str | None:
    if head[:4] == b"RIFF":
        return {b"AVI ": "an AVI video", b"WEBP": "a WebP image"}.get(head[8:12], "a RIFF file without audio")
    if head[4:8] == b"ftyp":
        return "an image" if head[8:12] in (b"heic", b"avif", b"mif1") else "a video"
    if head[4:8] in (b"moov", b"mdat", b"wide"):
        return "a QuickTime video"
    if head[:1] == b"\x47" and head[188:189] == b"\x47":
        return "an MPEG video"
    if head[0] == 0xFF and head[1:2] and head[1] & 0xF6 == 0xF0:
        return "a raw AAC stream"
    return "an Ogg file without Vorbis or Opus" if head[:4] == b"OggS" else None


def _text_name(head: bytes) -> str | None:
    start = head[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(_PLAYLISTS) or b"<mpd" in start:
        return "a playlist"
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    decoded = head[:512].decode("utf-8", "ignore")
    # The cut after 512 bytes may remove up to three bytes of the last character.
    is_utf8 = decoded.strip() and len(decoded.encode()) >= len(head[:512]) - 3
    return "text" if is_utf8 and all(sign >= " " or sign in "\t\r\n\f" for sign in decoded) else None
