"""Build absolute URLs for mails from BASE_URL, never from a request's Host header."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import current_app

from app.extensions import settings


def external_url(endpoint: str, **values: Any) -> str:
    """Return the absolute URL of an endpoint."""
    base = urlsplit(settings().base_url)
    adapter = current_app.url_map.bind(base.netloc, script_name=base.path or "/", url_scheme=base.scheme)
    return adapter.build(endpoint, values, force_external=True)
