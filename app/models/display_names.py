"""Clean up names for display: any script, but no hidden characters, line breaks or changes of direction."""

from __future__ import annotations

import unicodedata

MAX_NAME = 200
# Normalising takes quadratic time in a run of accents, so text that can't be shown is cut off first.
MAX_READ = 1000
# Control, format (bidi marks, zero width), lone surrogate, private, unassigned, line and paragraph end
HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def display_name(raw: str | None) -> str:
    """Return the name to display for what a user sent; never empty, at most 200 characters."""
    return visible_text((raw or "")[:MAX_READ])[:MAX_NAME].strip() or "untitled"


def file_name(raw: str | None) -> str:
    """Return the display name of an uploaded file, without the folders that some browsers send along."""
    return display_name((raw or "")[-MAX_READ:].replace("\\", "/").rsplit("/", 1)[-1])


def visible_text(text: str) -> str:
    """Return the visible characters as one line with single spaces."""
    shown = "".join(
        c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) not in HIDDEN_CATEGORIES
    )
    return " ".join(shown.split())
