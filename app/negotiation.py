"""What kind of answer a request asks for."""

from __future__ import annotations

from flask import request


def wants_fragment() -> bool:
    """htmx asks for a part of a page, unless it restores one that is no longer in its history."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def wants_json() -> bool:
    return request.accept_mimetypes.best == "application/json"


def is_api_request() -> bool:
    """Whether it is the JSON API that was asked, be it at an address that does not exist."""
    return request.path == "/api" or request.path.startswith("/api/")
