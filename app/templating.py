"""What templates need: static files behind a content hash, and values in the words of the interface."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Flask
from flask_login import current_user
from whitenoise import WhiteNoise

from app.billing import plans
from app.extensions import settings
from app.integrations.mailer import mail_folder
from app.jobs import purposes
from app.models.base import utcnow
from app.music import musical_keys

NO_VALUE = "–"
GZIP_SUFFIX = ".gz"
STATIC_FOLDER = Path(__file__).resolve().parent.parent / "static"


def init_app(app: Flask) -> None:
    remove_stale_gzips(STATIC_FOLDER)
    version = content_hash(STATIC_FOLDER)
    prefix = f"/s/{version}"
    # Flask's own way to wrap an app, which its types don't know.
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app, root=str(STATIC_FOLDER), prefix=prefix, immutable_file_test=lambda path, url: True
    )
    app.jinja_env.globals["static_url"] = lambda path: f"{prefix}/{path}"
    app.jinja_env.globals["find_purpose"] = purposes.find_purpose
    app.jinja_env.globals["my_plan"] = lambda: plans.plan_for_user(current_user)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for show in (
        ago, bars_path, bpm, clock, decibels, megabytes, money, musical_key, percent, since, span, usd, when,
    ):  # fmt: skip
        app.add_template_filter(show)
    app.context_processor(_deployment_facts)


def content_hash(folder: Path) -> str:
    """One hash for all static files: a changed file changes every address, so all may be cached for ever."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != GZIP_SUFFIX:
            digest.update(str(path.relative_to(folder)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def remove_stale_gzips(folder: Path) -> None:
    """Whoever edits a file is not served what set-up has compressed of it before."""
    for zipped in folder.rglob(f"*{GZIP_SUFFIX}"):
        if not _is_current(zipped):
            with suppress(FileNotFoundError):  # another process may be starting too
                zipped.unlink()


def _is_current(zipped: Path) -> bool:
    """It was given the time of the file it is made of."""
    source = zipped.with_suffix("")
    return source.exists() and int(source.stat().st_mtime) == int(zipped.stat().st_mtime)


def bars_path(heights: Sequence[int], half: float = 16.0) -> str:
    """Heights of 0..255 as one SVG path of vertical strokes around the middle line."""
    strokes = []
    for x, height in enumerate(heights):
        reach = max(height / 255 * half * 0.94, 0.35)
        strokes.append(f"M{x + 0.5:g} {half - reach:.2f}v{2 * reach:.2f}")
    return "".join(strokes)


def bpm(value: float | None) -> str:
    """93 or 93.5: never more decimals than a person would set on the unit."""
    if value is None:
        return NO_VALUE
    rounded = round(value, 1)
    return f"{rounded:.0f}" if abs(value - round(value)) < 0.05 else f"{rounded:.1f}"


def clock(seconds: float | None) -> str:
    """0.42 s, 5.2 s, 3:07."""
    if seconds is None:
        return NO_VALUE
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def ago(time: datetime | None) -> str:
    """How long since."""
    return NO_VALUE if time is None else span(max((utcnow() - time).total_seconds(), 0))


def since(time: datetime) -> str:
    """The same in a sentence; a page that stays open soon lies about seconds."""
    return "just now" if utcnow() - time < timedelta(minutes=1) else f"{ago(time)} ago"


def span(seconds: float | None) -> str:
    """0.4 s, 42 s, 12 min, 3.5 h, 2.1 d."""
    if seconds is None:
        return NO_VALUE
    for unit, factor in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * factor:
            return f"{seconds / factor:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def decibels(value: float | None) -> str:
    return NO_VALUE if value is None else f"{value:.1f}".replace("-", "−")


def megabytes(size_bytes: int) -> str:
    for unit, factor in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size_bytes / 1000:.0f} kB"


def money(cents: int, currency: str) -> str:
    """$15.00, or 15.00 EUR."""
    sign, value = "−" if cents < 0 else "", f"{abs(cents) / 100:,.2f}"
    return f"{sign}${value}" if currency == "usd" else f"{sign}{value} {currency.upper()}"


def musical_key(key: str | None) -> str:
    return musical_keys.format_key(
        key, current_user.key_notation if current_user.is_authenticated else "musical"
    )


def percent(share: float | None) -> str:
    """Nothing measured is ever quite certain, so 99 % is the most."""
    return NO_VALUE if share is None else f"{min(round(100 * share), 99)} %"


def usd(dollars: Decimal) -> str:
    """$12.34, and $0.0012 where cents would say nothing."""
    sign, size = "−" if dollars < 0 else "", abs(dollars)
    decimals = 4 if 0 < size < 1 and size != round(size, 2) else 2
    return f"{sign}${size:,.{decimals}f}"


def when(time: datetime | None) -> str:
    """Date and time in the user's own zone."""
    if time is None:
        return NO_VALUE
    zone = ZoneInfo(current_user.timezone if current_user.is_authenticated else "UTC")
    return f"{time.astimezone(zone):%-d %b %Y, %H:%M}"


def _deployment_facts() -> dict[str, object]:
    now = settings()
    return {
        "embedded": now.embedded,
        "has_bucket": now.s3_bucket is not None,
        "mail_folder": mail_folder(now) if now.embedded else None,
    }
