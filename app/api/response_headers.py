"""Add header fields to every answer: what is left of the rate limit, and an ETag."""

from __future__ import annotations

import math
import time

from flask import Response, request

from app.extensions import limiter


def add_rate_headers(response: Response) -> Response:
    """Add how many requests are left, in the RateLimit fields of the IETF draft."""
    now = limiter.current_limit
    if now is not None:
        window_s = now.limit.get_expiry()
        reset_s = min(max(math.ceil(now.reset_at - time.time()), 1), window_s)
        response.headers["RateLimit-Policy"] = f'"default";q={now.limit.amount};w={window_s}'
        response.headers["RateLimit"] = f'"default";r={max(now.remaining, 0)};t={reset_s}'
        if response.status_code == 429:
            response.headers["Retry-After"] = str(reset_s)
    return response


def add_etag(response: Response) -> Response:
    """Add an ETag to a GET's answer, and answer 304 to a client that has this answer already."""
    if request.method in {"GET", "HEAD"} and response.status_code == 200:
        response.add_etag()
        response.vary.add("Authorization")
        response.headers["Cache-Control"] = "private, no-cache"
        response.make_conditional(request)
    return response
