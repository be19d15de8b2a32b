"""Set up what templates need: globals, and filters that format values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Flask
from flask_login import current_user
from humanize import naturalsize, naturaltime

from app.billing import free_wait, plans
from app.billing.subscription_status import is_live
from app.extensions import settings
from app.integrations import payments
from app.integrations.mailer import mail_folder
from app.jobs import preview, purposes
from app.mail_addresses import readable_address
from app.models.base import utcnow
from app.models.sample_places import folders_above
from app.music import musical_keys
from app.plurals import pluralize

NO_VALUE = "–"
HALF_WAVE = 16.0  # a waveform is drawn so far above and below its middle line
ROW_REACH = 15  # the same in a row, with its square line ends


def _draw_stroke(height: int) -> str:
    reach = max(height / 255 * HALF_WAVE * 0.94, 0.35)
    return f"{HALF_WAVE - reach:.2f}v{2 * reach:.2f}"


STROKES = tuple(map(_draw_stroke, range(256)))  # a page of the library draws 3,200 of them


def init_app(app: Flask) -> None:
    """Register the globals and filters that templates use."""
    app.jinja_env.globals["find_purpose"] = purposes.find_purpose
    app.jinja_env.globals["find_playable"] = preview.find_playable
    app.jinja_env.globals["unplayable_format"] = preview.unplayable_format
    app.jinja_env.tests["live"] = is_live
    app.jinja_env.globals["key_notation"] = key_notation
    app.jinja_env.globals["camelot_order"] = musical_keys.CAMELOT_ORDER
    app.jinja_env.globals["compatible_keys"] = musical_keys.compatible_keys
    app.jinja_env.globals["my_plan"] = lambda: plans.plan_for_user(current_user)
    app.jinja_env.globals["larger_plan"] = lambda: plans.next_larger_plan(plans.plan_for_user(current_user))
    app.jinja_env.globals["free_start"] = free_wait.summary
    app.jinja_env.globals["free_start_example"] = free_wait.example
    app.jinja_env.globals["free_start_for_me"] = lambda: free_wait.sentence_for(current_user)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters |= FILTERS
    app.context_processor(_deployment_facts)


def bars_path(heights: Iterable[int]) -> str:
    """Return heights of 0 to 255 as one SVG path of vertical strokes around the middle line."""
    return "".join([f"M{x}.5 {STROKES[height]}" for x, height in enumerate(heights)])


def row_bars(heights: Iterable[int]) -> str:
    """Return about the same strokes in whole units and with half as many characters.

    Every other stroke goes upwards, so that each begins near the end of the one before.
    """
    path, end = "M-.5 16", 0
    for x, height in enumerate(heights):
        reach = round(height * ROW_REACH / 255) * (1 - 2 * (x % 2))
        step, end = -reach - end, reach
        path += f"m1{'' if step < 0 else ' '}{step}V{16 + reach}"
    return path


def format_bpm(value: float | None) -> str:
    """Return `93` or `93.5`: no more decimals than a person would set on the unit."""
    if value is None:
        return NO_VALUE
    rounded = round(value, 1)
    return f"{rounded:.0f}" if abs(value - round(value)) < 0.05 else f"{rounded:.1f}"


def format_length(seconds: float | None) -> str:
    """Return the length of a sound: `0.42 s`, `5.2 s`, `3:07`."""
    if seconds is None:
        return NO_VALUE
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def format_age(time: datetime | None) -> str:
    """Return the time since a moment, short enough for a table: `12 min`."""
    return NO_VALUE if time is None else format_span(max((utcnow() - time).total_seconds(), 0))


def describe_age(time: datetime) -> str:
    """Return the time since a moment in words: `12 minutes ago`.

    The first minute is `just now`, because a page that stays open would soon be wrong about seconds.
    """
    age = utcnow() - time
    return "just now" if age < timedelta(minutes=1) else naturaltime(age)


def format_span(seconds: float | None) -> str:
    """Return a span of time, short enough for a table: `0.4 s`, `42 s`, `12 min`, `3.5 h`, `2.1 d`."""
    if seconds is None:
        return NO_VALUE
    for unit, factor in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * factor:
            return f"{seconds / factor:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def format_decibels(value: float | None) -> str:
    """Return decibels with one decimal and a real minus sign, not a hyphen."""
    return NO_VALUE if value is None else f"{value:.1f}".replace("-", "−")


def format_size(size_bytes: int) -> str:
    """Return a size in units of 1000 bytes: `27 kB`, `1.5 MB`, `10 GB`."""
    return naturalsize(size_bytes, format="%.1f").replace(".0 ", " ")


def format_money(cents: int, currency: str) -> str:
    """Return an amount in a currency: `$15.00`, or `15.00 EUR`."""
    sign, value = "−" if cents < 0 else "", f"{abs(cents) / 100:,.2f}"
    return f"{sign}${value}" if currency == "usd" else f"{sign}{value} {currency.upper()}"


def format_key(key: str | None, notation: str | None = None) -> str:
    """Return a key in a notation, by default in the one the user has chosen."""
    return musical_keys.format_key(key, notation or key_notation())


def key_notation() -> str:
    """Return the notation of keys that the user has chosen."""
    return current_user.key_notation if current_user.is_authenticated else "musical"


def format_percent(share: float | None) -> str:
    """Return a confidence of 0 to 1 as `87%`; never above 99%, as no measurement is quite certain."""
    return NO_VALUE if share is None else f"{min(round(100 * share), 99)}%"


def format_usd(dollars: Decimal) -> str:
    """Return `$12.34`, or four decimals such as `$0.0012` where cents would round too much away."""
    sign, size = "−" if dollars < 0 else "", abs(dollars)
    decimals = 4 if 0 < size < 1 and size != round(size, 2) else 2
    return f"{sign}${size:,.{decimals}f}"


def format_time(time: datetime | None) -> str:
    """Return date and time in the user's own time zone: `3 May 2026, 14:05`."""
    if time is None:
        return NO_VALUE
    zone = ZoneInfo(current_user.timezone if current_user.is_authenticated else "UTC")
    return f"{time.astimezone(zone):%-d %b %Y, %H:%M}"


def query_text(arguments: dict[str, str]) -> str:
    """Return arguments as the end of an address: `?kind=loop&liked=1`, or nothing without any."""
    return f"?{urlencode(arguments)}" if arguments else ""


def _deployment_facts() -> dict[str, object]:
    """Return what every template may need to know about this run."""
    current = settings()
    return {
        "embedded": current.embedded,
        "takes_payments": payments.is_set_up(current),
        "has_bucket": current.s3_bucket is not None,
        "mail_folder": mail_folder(current) if current.embedded else None,
    }


FILTERS = {
    "address": readable_address,
    "ago": format_age,
    "bars_path": bars_path,
    "row_bars": row_bars,
    "bpm": format_bpm,
    "clock": format_length,
    "decibels": format_decibels,
    "folders_above": folders_above,
    "megabytes": format_size,
    "money": format_money,
    "musical_key": format_key,
    "percent": format_percent,
    "query_text": query_text,
    "pluralize": pluralize,
    "since": describe_age,
    "span": format_span,
    "usd": format_usd,
    "when": format_time,
}
