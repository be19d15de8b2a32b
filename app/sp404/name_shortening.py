"""Shorten a name in its middle, so that it can still be told from similar names.

Names of one pack begin alike and differ in their numbers and at their end: `Lofi Essentials Vol 2 Loop 01`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

PART = re.compile(r"(?P<lead>[^A-Za-z0-9]*)(?P<text>\d+|[A-Za-z]+)")
BEGINNING_SHARE = 5  # at least a fifth of the name is its beginning
SHORTEST_NUMBER = 3  # digits that are kept of a number that is too long


class Part(NamedTuple):
    """A word or number of a name, with the marks before it."""

    lead: str
    text: str


def shorten_name(name: str, max_length: int) -> str:
    """Return a name of at most `max_length` characters that keeps its beginning, numbers and last word.

    Parameters
    ----------
    name : str
        A name of ASCII characters, without blanks around it.
    max_length : int
        Maximum length of the result in characters.

    Returns
    -------
    str
        The name itself when it is short enough. Otherwise the last word or number, the other numbers as far
        as they fit, and as much of the beginning as there is room for, in the order of the name.
    """
    if len(name) <= max_length:
        return name
    parts = [_short_lead(Part(*match.groups())) for match in PART.finditer(name)]
    if parts and parts[0].lead == " ":
        parts[0] = parts[0]._replace(lead="")
    ending = _choose_ending(parts, max_length - max_length // BEGINNING_SHARE)
    room = max_length - sum(_lead_length(parts[place]) + len(text) for place, text in ending.items())
    result = ""
    for place, part in enumerate(parts):
        if place in ending:
            result += _join(result, part.lead, ending[place])
        elif room > 0:
            shown = _join(result, part.lead, part.text)[:room].rstrip()
            is_whole = len(shown) == len(_join(result, part.lead, part.text))
            room = room - len(shown) if is_whole else 0
            result += shown
    return (result or name[:max_length]).rstrip(" .")


def _choose_ending(parts: list[Part], room: int) -> dict[int, str]:
    """Return the last word or number and, from the right, the numbers that fit, by their places.

    A last word takes at most half of the room, and a number too long for the rest keeps its last digits.
    """
    found: dict[int, str] = {}
    last = len(parts) - 1
    for place in range(last, 0, -1):
        text, lead = parts[place].text, _lead_length(parts[place])
        if place == last and not text.isdigit():
            text = text[: room // 2]
        elif not text.isdigit():
            continue
        text = text[lead - room :] if room - lead >= SHORTEST_NUMBER else text
        if lead + len(text) > room:
            break
        found[place] = text
        room -= lead + len(text)
    return found


def _short_lead(part: Part) -> Part:
    """Return a part with at most one mark before it."""
    return part if len(part.lead) <= 1 else part._replace(lead=" ")


def _lead_length(part: Part) -> int:
    """Return the room needed before a part, which may be for a blank that keeps two numbers apart."""
    return 1 if part.text.isdigit() else len(part.lead)


def _join(result: str, lead: str, text: str) -> str:
    """Return what to append to a name: two numbers never become one where the word between them is gone."""
    touches = not lead and result[-1:].isdigit() and text[0].isdigit()
    return f"{' ' if touches else lead}{text}"
