"""Names as people see them: any script, but nothing that hides, breaks a line or turns text around."""

from __future__ import annotations

import unicodedata

MAX_NAME = 200
# Normalising takes time in the square of a run of accents, so what can't be shown is cut off before.
MOST_READ = 1000
# Control, format (bidi marks, zero width), lone surrogate, private, unassigned, line and paragraph end
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def display_name(raw: str | None) -> str:
    """The name to show for what somebody sent; never empty, at most 200 characters."""
    return visible((raw or "")[:MOST_READ])[:MAX_NAME].strip() or "untitled"


def file_name(raw: str | None) -> str:
    """The display name of a file a browser sent, without the folders some send along."""
    return display_name((raw or "")[-MOST_READ:].replace("\\", "/").rsplit("/", 1)[-1])


def visible(text: str) -> str:
    """One line of what can be seen, its spaces single."""
    shown = "".join(c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) not in HIDDEN)
    return " ".join(shown.split())
