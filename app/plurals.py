"""Put numbers, nouns and lists into words, for people to read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from humanize import intcomma, naturaldelta


def pluralize(count: int, singular: str, plural: str = "") -> str:
    """Return the count with its noun: `1 file`, `2 files`, `1,234 files`.

    The plural is the singular with an s unless it is given.
    """
    return f"{intcomma(count)} {singular if count == 1 else plural or f'{singular}s'}"


def name_span(seconds: float) -> str:
    """Return a span of time in words: `12 hours`."""
    return naturaldelta(timedelta(seconds=seconds))


def join_words(words: Sequence[str]) -> str:
    """Return a list as a person writes it: `kick`, `kick and snare`, `kick, snare and hat`."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
