"""The error for a file that cannot be used. Any process can import it: it loads nothing."""

from __future__ import annotations

EXPORT_AGAIN = "Export it again and upload the new file."


class UnreadableAudio(Exception):
    """A file can't be used, and a retry would not help. The message is a sentence for a producer."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
