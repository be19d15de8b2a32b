"""Header fields of every answer: what is left of the allowance, and whether anything has changed."""

from __future__ import annotations

import math
import time

from flask import Response, request

from app.extensions import limiter


def add_rate_headers(response: Response) -> Response:
    """How many requests are left, in the fields of the IETF's draft."""
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
    """Who polls sends the ETag of the last answer, and gets the next one only when it is another."""
    if request.method in {"GET", "HEAD"} and response.status_code == 200:
        response.add_etag()
        response.vary.add("Authorization")
        response.headers["Cache-Control"] = "private, no-cache"
        response.make_conditional(request)
    return response
