"""Add header fields to every answer: what is left of the rate limit, and an ETag."""

from __future__ import annotations

from flask import Response, request

from app.extensions import limiter
from app.rate_limits import seconds_left


def add_rate_headers(response: Response) -> Response:
    """Add how many requests are left, in the RateLimit fields of the IETF draft."""
    # Of several limits, such as those of a network and of its /56, report the one with the least left.
    now = min(limiter.current_limits, key=lambda limit: limit.remaining, default=None)
    if now is not None:
        response.headers["RateLimit-Policy"] = f'"default";q={now.limit.amount};w={now.limit.get_expiry()}'
        response.headers["RateLimit"] = f'"default";r={max(now.remaining, 0)};t={seconds_left(now)}'
    return response


def add_etag(response: Response) -> Response:
    """Add an ETag to a GET's answer, and answer 304 to a client that has this answer already."""
    if request.method in {"GET", "HEAD"} and response.status_code == 200:
        response.add_etag()
        response.vary.add("Authorization")
        response.headers["Cache-Control"] = "private, no-cache"
        response.make_conditional(request)
    return response
