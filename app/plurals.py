"""Put numbers, nouns and lists into words, for people to read."""

from __future__ import annotations

from collections.abc import Sequence

from humanize import intcomma


def pluralize(count: int, singular: str, plural: str = "") -> str:
    """Return the count with its noun: `1 file`, `2 files`, `1,234 files`.

    The plural is the singular with an s unless it is given.
    """
    return f"{intcomma(count)} {singular if count == 1 else plural or f'{singular}s'}"


def join_words(words: Sequence[str]) -> str:
    """Return a list as a person writes it: `kick`, `kick and snare`, `kick, snare and hat`."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
