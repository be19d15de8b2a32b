"""What can go wrong with the unit's own files."""

from __future__ import annotations

from typing import NamedTuple


class UnitFileError(Exception):
    """A file can't be read, or can't be written as asked. The message is a sentence for a producer."""


class ProjectProblem(NamedTuple):
    """Something in a project that was wrong, and what was done about it.

    Attributes
    ----------
    place : str
        Where it is: a pad such as ``A1``, a file, ``Bank C`` or ``Pattern B2``; ``Project`` for the whole.
    text : str
        A sentence.
    """

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"
