"""Say in sentences when files of the Free plan are analysed, before anybody uploads one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from app.billing import quota
from app.extensions import settings
from app.models import User
from app.models.base import utcnow
from app.plurals import name_span, pluralize

EXAMPLE = datetime(2026, 1, 1, 10, tzinfo=UTC)  # any day: only its hour is told


def summary() -> str:
    """Say when uploads of the Free plan start: `First 10 files right away, later ones after 12 hours`."""
    first, wait = settings().free_immediate_files, _wait()
    if wait is None:
        return "Processed right away, after paid uploads"
    if first == 0:
        return f"Processed {wait} after the upload"
    return f"First {pluralize(first, 'file')} right away, later ones after {wait}"


def example() -> str:
    """Say the same to somebody without an account, with an hour: `uploaded at 10:00 is analysed at 22:00`."""
    first, wait = settings().free_immediate_files, _wait()
    if wait is None:
        return "On the Free plan, files are analysed right away, after paid uploads."
    begin = "On the Free plan, "
    if first:
        files = "file is" if first == 1 else f"{first} files are"
        begin = f"On the Free plan, your first {files} analysed right away. After that, "
    due = EXAMPLE + timedelta(seconds=settings().free_tier_delay_s)
    days = (due.date() - EXAMPLE.date()).days
    day = "" if days == 0 else " the next day" if days == 1 else f" {days} days later"
    return (
        f"{begin}a file waits {wait}: uploaded at {EXAMPLE:%H:%M}, it is analysed at {due:%H:%M}{day}. "
        "It plays right away."
    )


def sentence_for(user: User) -> str:
    """Say when files that this user uploads now are analysed, with the hour in the user's own time zone."""
    wait = _wait()
    if wait is None:
        return "On the Free plan, files are analysed right away, after paid uploads."
    due = utcnow() + timedelta(seconds=settings().free_tier_delay_s)
    hour = f"{due.astimezone(ZoneInfo(user.timezone)):%-d %b, %H:%M}"
    left = quota.immediate_files_left(user)
    if not left:
        return (
            f"On the Free plan, a file uploaded now is analysed on {hour}, {wait} later. It plays right away."
        )
    files = "file is" if left == 1 else f"{left} files are"
    return (
        f"Your next {files} analysed right away. Any file after that waits {wait} on the Free plan: "
        f"uploaded now, it would be analysed on {hour}. All files play right away."
    )


def _wait() -> str | None:
    delay_s = settings().free_tier_delay_s
    return name_span(delay_s) if delay_s else None
