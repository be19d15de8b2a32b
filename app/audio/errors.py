"""The verdict on a file that cannot be used; light enough for any process to import."""

from __future__ import annotations


class UnreadableAudio(Exception):
    """The verdict that a file can't be used. The message is a sentence for a producer; no retry helps."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
