"""The one error of backups, whose message is a sentence for the operator."""

from __future__ import annotations


class BackupError(Exception):
    """A backup can't be made, read or restored; nothing was changed."""
