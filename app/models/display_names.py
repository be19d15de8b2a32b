"""Clean up names for display: any script and any emoji, but nothing that hides or reorders text.

The tables list code points instead of using the categories of Python's Unicode tables: a character that was
added to Unicode after this Python was released has no category yet, and must not vanish from a name.
"""

from __future__ import annotations

import re
import unicodedata

MAX_NAME, MAX_TAG = 200, 40
# Normalising takes quadratic time in a run of accents, so text that can't be shown is cut off first.
MAX_READ = 1000
MAX_CLUSTER = 32  # a longer run of accents on one letter may be cut
# Controls; line and paragraph separators; embeddings, overrides and isolates of the direction; deprecated
# format characters; byte order mark; marks of annotations; half surrogates; what is no character at all
DANGEROUS = re.compile(
    "[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(17))
    + "]"
)
# Tag characters and runs of variation selectors show nothing, so a whole message can hide in them. A flag of
# a region, such as Scotland's, is the one picture that needs tags; a letter has one variation selector.
HIDDEN_TAGS = re.compile("(\U0001f3f4[\U000e0030-\U000e007a]{2,6}\U000e007f)|[\U000e0000-\U000e007f]")
VARIATION_RUN = re.compile("([\ufe00-\ufe0f\U000e0100-\U000e01ef])[\ufe00-\ufe0f\U000e0100-\U000e01ef]+")
# Characters that show nothing alone: joiners, marks of direction, fillers, blank Braille, selectors, tags
BLANK = re.compile(
    "[\\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2065\u2800\u3164"
    "\ufe00-\ufe0f\uffa0\U0001d173-\U0001d17a\U000e0000-\U000e0fff]*"
)
INVISIBLE_MARKS = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u2060-\u2065]")
# Characters that belong to the one before, besides combining marks: joiners, selectors, skin tones, tags
CONTINUES = re.compile(
    "[\u200c\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\U000e0100-\U000e01ef]"
)
FLAG_LETTERS = re.compile("[\U0001f1e6-\U0001f1ff]*$")
JOINER = "\u200d"


def display_name(raw: str | None) -> str:
    """Return the name to display for what a user sent; never empty, at most 200 characters."""
    name = cut_text(visible_text((raw or "")[:MAX_READ]), MAX_NAME).strip()
    return "untitled" if is_blank(name) else name


def file_name(raw: str | None) -> str:
    """Return the display name of an uploaded file, without the folders that some browsers send along."""
    return display_name((raw or "")[-MAX_READ:].replace("\\", "/").rsplit("/", 1)[-1])


def file_title(name: str) -> str:
    """Return a file's name without its extension."""
    stem, dot, extension = name.rpartition(".")
    return stem.strip() if dot and not is_blank(stem) and len(extension) <= 5 else name


def tag_name(raw: str) -> str:
    """Return a tag as it is stored, the same however it is typed: `#Lo fi` becomes `lo-fi`."""
    plain = unicodedata.normalize("NFKC", INVISIBLE_MARKS.sub("", visible_text(raw)))
    words = unicodedata.normalize("NFKC", plain.lstrip("# ").casefold()).split()
    tag = cut_text("-".join(words), MAX_TAG)
    return "" if is_blank(tag) else tag


def is_blank(text: str) -> bool:
    """Return whether a text shows nothing."""
    return BLANK.fullmatch(text) is not None


def visible_text(text: str) -> str:
    """Return the text as one line with single spaces, without what hides or reorders a part of it."""
    shown = DANGEROUS.sub("", unicodedata.normalize("NFC", text))
    shown = VARIATION_RUN.sub(r"\1", HIDDEN_TAGS.sub(r"\1", shown))
    return " ".join(shown.split())


def cut_text(text: str, longest: int) -> str:
    """Return the first characters of a text; an emoji or a letter with its accents is never cut in two."""
    if len(text) <= longest:
        return text
    end = next((end for end in range(longest, longest - MAX_CLUSTER, -1) if _is_boundary(text, end)), longest)
    return text[: max(end, 0)]


def _is_boundary(text: str, at: int) -> bool:
    """Return whether a text can be cut at a place."""
    following, before = text[at], text[:at]
    if before.endswith(JOINER) or CONTINUES.match(following) or unicodedata.category(following)[0] == "M":
        return False
    flags = FLAG_LETTERS.search(before)
    return not (flags and len(flags[0]) % 2 and FLAG_LETTERS.fullmatch(following))
