"""Define the content of a short mail about an account: sentences and one link."""

from __future__ import annotations

from dataclasses import dataclass

IF_NOT_REQUESTED = "If you did not ask for this, ignore this email. Nothing changes unless the link is used."


@dataclass(frozen=True)
class AccountNotice:
    """The content of a mail: its sentences, and one link with its label."""

    to: str
    subject: str
    sentences: tuple[str, ...]
    url: str
    label: str
