"""Names as people see them: any script, but nothing that hides, breaks a line or turns text around."""

from __future__ import annotations

import unicodedata

MAX_NAME = 200
# Normalising takes time in the square of a run of accents, so what can't be shown is cut off before.
MAX_READ = 1000
# Control, format (bidi marks, zero width), lone surrogate, private, unassigned, line and paragraph end
HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def display_name(raw: str | None) -> str:
    """The name to show for what somebody sent; never empty, at most 200 characters."""
    return visible_text((raw or "")[:MAX_READ])[:MAX_NAME].strip() or "untitled"


def file_name(raw: str | None) -> str:
    """The display name of a file a browser sent, without the folders some send along."""
    return display_name((raw or "")[-MAX_READ:].replace("\\", "/").rsplit("/", 1)[-1])


def visible_text(text: str) -> str:
    """One line of what can be seen, its spaces single."""
    shown = "".join(
        c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) not in HIDDEN_CATEGORIES
    )
    return " ".join(shown.split())
