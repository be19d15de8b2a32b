"""Name downloaded files so that Windows, macOS and Linux can all save and open them; and the type of ZIPs."""

from __future__ import annotations

import re

# What Windows refuses in a name, and what no name should contain: control characters and half surrogates
FORBIDDEN = re.compile('[<>:"/\\\\|?*\\x00-\\x1f\\x7f-\\x9f\ud800-\udfff]')
# Names of devices on Windows, with any extension. Windows reads superscript digits as digits.
RESERVED = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"}
)
MAX_NAME_BYTES = 240  # file systems take 255, and a browser may add a number to a name that exists already
MAX_EXTENSION = 8
ZIP_TYPE = "application/zip"


def safe_file_name(name: str) -> str:
    """Return the closest name to the given one that a file can have on any system.

    `aux.wav` becomes `_aux.wav`, `.hidden.wav` becomes `_.hidden.wav`, and `a/b?.wav` becomes `a_b_.wav`. No
    name begins with a hyphen, which commands would read as an option, or ends with a dot or blank.
    """
    tidy = _shorten(FORBIDDEN.sub("_", name).strip(" ").rstrip(" ."))
    return f"_{tidy}" if is_reserved(tidy) or tidy.startswith((".", "-")) else tidy or "download"


def is_reserved(name: str) -> bool:
    """Return whether Windows takes a name for a device, by the part before its first dot."""
    return name.partition(".")[0].strip(" ").lower() in RESERVED


def _shorten(name: str) -> str:
    """Return a name that fits into the bytes that file systems take, cut before its extension."""
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    ending = dot + extension if stem and len(extension) <= MAX_EXTENSION else ""
    kept = name.removesuffix(ending).encode()[: MAX_NAME_BYTES - len(ending.encode())]
    return kept.decode(errors="ignore").rstrip(" .\u200d") + ending
