"""The errors of a run in a child process; any process can import them at no cost."""

from __future__ import annotations


class EngineError(Exception):
    """The engine failed, which says nothing certain about the file.

    `exit_status` is the child's exit code, or minus the signal that ended it; None when there was no child.
    """

    def __init__(self, message: str = "", exit_status: int | None = None) -> None:
        super().__init__(message)
        self.exit_status = exit_status


class EngineCrashed(EngineError):
    """The child died or raised; the message has the signal or exit code, and the end of its output."""


class EngineUnavailable(EngineError):
    """No child could be started, which is the machine's fault and not the file's."""


class EngineTimeout(EngineError):
    """The child exceeded its time limit and was killed with everything it had started."""


class EngineOutOfMemory(EngineError):
    """The child exceeded its memory limit."""


class EngineCancelled(EngineError):
    """The caller no longer wanted the answer, so the child was killed."""
