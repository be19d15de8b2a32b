"""Put a number and its noun together, as they are shown to a person."""

from __future__ import annotations

from humanize import intcomma


def pluralize(count: int, singular: str, plural: str = "") -> str:
    """Return the count with its noun: `1 file`, `2 files`, `1,234 files`.

    The plural is the singular with an s unless it is given.
    """
    return f"{intcomma(count)} {singular if count == 1 else plural or f'{singular}s'}"
