"""Describe what a refused file looks like. Standard library only, because the web process uses it."""

from __future__ import annotations

READABLE_FORMATS = "Upload WAV, AIFF, FLAC, MP3, M4A or OGG."
IMAGE_BRANDS = (
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1", b"avif", b"avis",
    b"crx ", b"jp2 ", b"jpx ", b"jxl ",
)  # fmt: skip

ZIP_ARCHIVE = "a ZIP archive"
_UNKNOWN, _ZEROS, _TEXT = "unknown data", "zeros only", "text"
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"PK\x03\x04", ZIP_ARCHIVE),
    (b"PK\x05\x06", ZIP_ARCHIVE),
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
    (b"FWS", "a Flash video"),
    (b"CWS", "a Flash video"),
    (b"#!AMR", "an AMR recording"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "a database"),
)
_PLAYLISTS = (b"#extm3u", b"ffconcat", b"[playlist]", b"v=0", b"<mpd", b"<smil", b"[reference]")
_QUICKTIME_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


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
        return _ZEROS
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    return _container_name(head) or _text_name(head) or _UNKNOWN


def is_nameless(head: bytes) -> bool:
    """Return whether the bytes are of no known kind; an MP3 may then begin somewhere in them."""
    return describe_content(head) in (_UNKNOWN, _ZEROS, _TEXT) or head[8:12] == b"RMP3"


def refusal_message(head: bytes) -> str:
    """Return the message that refuses a file with these first bytes and tells its owner what to do.

    Parameters
    ----------
    head : bytes
        The first bytes of the file.
    """
    if not head:
        return f"This file is empty. Export it again and upload the new file. {READABLE_FORMATS}"
    return f"Not audio we can read (looks like {describe_content(head)}). {READABLE_FORMATS}"


def _container_name(head: bytes) -> str | None:
    if head[:4] == b"RIFF":
        return {b"AVI ": "an AVI video", b"WEBP": "a WebP image"}.get(head[8:12], "a RIFF file without audio")
    if head[4:8] == b"ftyp":
        return "an image" if head[8:12] in IMAGE_BRANDS else "a video"
    if head[4:8] in _QUICKTIME_ATOMS:
        return "a QuickTime video"
    if head[:1] == b"\x47" and head[188:189] == b"\x47":
        return "an MPEG video"
    if head[257:262] == b"ustar" or head[32_769:32_774] == b"CD001":
        return "an archive"
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
    return _TEXT if is_utf8 and all(sign >= " " or sign in "\t\r\n\f" for sign in decoded) else None
