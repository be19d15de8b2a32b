"""Normalize a typed password, so that it is the same on every keyboard and system.

This is the OpaqueString profile of RFC 8265, with NFKC in place of NFC, which NIST SP 800-63B also allows:
composed, decomposed, full-width and ligature spellings of the same characters are one password.
"""

from __future__ import annotations

import unicodedata

MIN_LENGTH, MAX_LENGTH = 10, 200
# Normalizing a run of accents takes quadratic time, so longer text is cut first. At most four characters
# compose to one, so a text that is cut here was far too long for a password anyway.
MAX_TYPED = 1000
LENGTH_SENTENCE = f"Use {MIN_LENGTH} to {MAX_LENGTH} characters. A short sentence works well."
# These invisible format characters are allowed: emoji and words in some scripts need them.
VISIBLE_JOINERS = frozenset({"\u200c", "\u200d", *map(chr, range(0xE0020, 0xE0080))})
REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})


def prepare_password(typed: str) -> str:
    """Return the form of a typed password that is hashed: NFKC, with every kind of space as U+0020."""
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in typed[:MAX_TYPED])
    return unicodedata.normalize("NFKC", spaced)


def password_spellings(typed: str) -> tuple[str, ...]:
    """Return the spellings whose hash may be stored, the current form first; plain ASCII has only one.

    Earlier versions hashed the typed text, composed or decomposed as the keyboard sent it. The spellings
    depend only on what was typed, so the duration of a check reveals nothing about the account.
    """
    text = typed[:MAX_TYPED]
    older = (text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text))
    return tuple(dict.fromkeys((prepare_password(text), *older)))


def form_error(typed: str) -> str | None:
    """Return why a new password can't be used: too short, too long or with an invisible character."""
    prepared = prepare_password(typed)
    if not MIN_LENGTH <= len(prepared) <= MAX_LENGTH:
        return LENGTH_SENTENCE
    hidden = next((c for c in prepared if _is_refused(c)), None)
    if hidden is not None:
        return f"The password contains an invisible character (U+{ord(hidden):04X}). Leave that out."
    return None


def _is_refused(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cf":
        return character not in VISIBLE_JOINERS
    # Unassigned characters are allowed, because they may be next year's emoji; noncharacters never will be.
    code = ord(character)
    return category in REFUSED_CATEGORIES or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
