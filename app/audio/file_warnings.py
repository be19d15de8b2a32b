"""Warn about a file that can be read but is probably not what its owner meant: a wrong name, a tiny sound."""

from __future__ import annotations

from pathlib import PurePath

from app.audio.decoding.decoder import DecodedAudio

_SHORT_S = 0.01
_EXTENSIONS = {
    "WAV": {"wav", "wave", "bwf", "rf64"},
    "AIFF": {"aif", "aiff", "aifc", "afc"},
    "FLAC": {"flac", "fla"},
    "MP3": {"mp3", "mpga", "mpg3"},
    "OGG": {"ogg", "oga"},
    "OPUS": {"opus", "ogg", "oga"},
    "M4A": {
        "m4a",
        "mp4",
        "m4b",
        "m4r",
        "m4p",
        "m4v",
        "3gp",
        "3gpp",
        "3g2",
        "mov",
        "qt",
        "f4a",
        "aac",
        "alac",
    },
}
# What follows the last dot of a name is often no extension ("Kick v1.2"), so only these count beside our own.
_OTHER_EXTENSIONS = {
    "aup", "aup3", "als", "amr", "asd", "au", "avi", "bat", "bin", "bmp", "bz2", "caf", "cmd", "com",
    "csv", "dat", "db", "dll", "dmg", "doc", "docx", "dsf", "exe", "flp", "gif", "gz", "htm", "html",
    "iso", "jar", "jpeg", "jpg", "js", "json", "log", "lnk", "m3u", "m3u8", "mid", "midi", "mkv", "mpeg",
    "mpg", "msi", "ods", "odt", "ogv", "pdf", "php", "pkg", "png", "ppt", "pptx", "ps1", "psd", "py",
    "rar", "rex", "rtf", "rx2", "scr", "sf2", "sfz", "sh", "smp", "svg", "swf", "tar", "tif", "tiff",
    "tmp", "torrent", "ts", "txt", "vbs", "vob", "w64", "webm", "webp", "wma", "wmv", "xls", "xlsx",
    "xml", "yaml", "yml", "zip", "7z",
}  # fmt: skip


def warn_about_file(decoded: DecodedAudio, name: str) -> tuple[str, ...]:
    """Return sentences for the owner of a file.

    Parameters
    ----------
    decoded : DecodedAudio
        From `decode_file`.
    name : str
        The name the file was uploaded under.
    """
    return (*_warn_of_name(decoded.format.name, name), *_warn_of_length(decoded))


def _warn_of_name(format_name: str, name: str) -> tuple[str, ...]:
    extension = PurePath(name).suffix[1:].lower()
    right = _EXTENSIONS[format_name]
    known = _OTHER_EXTENSIONS.union(*_EXTENSIONS.values())
    if extension in right or extension not in known:
        return ()
    article = "an" if format_name[0] in "AFMO" else "a"
    return (f"The file is named .{extension}, but it is {article} {format_name}. We read it as that.",)


def _warn_of_length(decoded: DecodedAudio) -> tuple[str, ...]:
    if decoded.duration_s >= _SHORT_S:
        return ()
    frames = len(decoded.samples)
    samples = "1 sample" if frames == 1 else f"{frames} samples"
    return (
        f"This sound is only {samples} long ({1_000 * decoded.duration_s:.2g} ms), too short to hear. "
        "If that is not what you meant, export it again.",
    )
