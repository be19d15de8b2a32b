"""Tell what kind of answer a request asks for."""

from __future__ import annotations

from flask import request


def wants_fragment() -> bool:
    """Return whether htmx wants part of a page; when it restores a page from history, it wants all of it."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def wants_json() -> bool:
    """Return whether the request prefers JSON."""
    return request.accept_mimetypes.best == "application/json"


def is_api_request() -> bool:
    """Return whether the request is for the JSON API, also at an address that does not exist."""
    return request.path == "/api" or request.path.startswith("/api/")
