"""File names as people see them: any script, but nothing that hides, breaks a line or turns text around."""

from __future__ import annotations

import unicodedata

MAX_LENGTH = 200
# Control, format (bidi marks, zero width), lone surrogate, private, unassigned, line and paragraph end
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def display_name(raw: str | None) -> str:
    """The name to show for a file a browser sent; never empty, at most 200 characters."""
    base = (raw or "").replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(c for c in unicodedata.normalize("NFC", base) if unicodedata.category(c) not in HIDDEN)
    return " ".join(visible.split())[:MAX_LENGTH].strip() or "untitled"
