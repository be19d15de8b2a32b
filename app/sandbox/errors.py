"""What can go wrong with a child process; light enough for any process to import."""

from __future__ import annotations


class EngineError(Exception):
    """The engine came to grief, which says nothing certain about the file.

    `exit_status` is the child's exit code, or minus the signal that ended it; None when there was no child.
    """

    def __init__(self, message: str = "", exit_status: int | None = None) -> None:
        super().__init__(message)
        self.exit_status = exit_status


class EngineCrashed(EngineError):
    """The child died or raised; the message has the signal or exit code and the end of its output."""


class EngineUnavailable(EngineError):
    """No child could be started: the machine is at fault and no file is."""


class EngineTimeout(EngineError):
    """The child took longer than its limit and was killed with everything it had started."""


class EngineOutOfMemory(EngineError):
    """The child needed more memory than its limit."""


class EngineCancelled(EngineError):
    """The caller gave the job up, so the child was killed."""
