"""Watch every request: count it by its status, time it by its address, and record its span."""

from __future__ import annotations

import time
from contextlib import ExitStack

from flask import Flask, Response, g, request

from app import tracing
from app.admin import request_metrics


def init_app(app: Flask) -> None:
    """Register before everything else, so that reading the body and every refusal are watched too."""
    app.before_request(start_watching)
    app.after_request(note_answer)
    app.teardown_request(stop_watching)


def start_watching() -> None:
    """Note the time and open the request's span; no header of a client has a say in traces."""
    g.watch_started, g.watch_span = time.perf_counter(), ExitStack()
    g.watch_span.enter_context(tracing.span(route_name(), "server"))


def note_answer(response: Response) -> Response:
    """Count the answer; those of an unknown address share one name."""
    if "watch_started" in g:
        request_metrics.count_request(
            route_name(), response.status_code, time.perf_counter() - g.watch_started
        )
        tracing.set_attributes(
            {"http.response.status_code": response.status_code, "request_id": g.get("request_id", "")}
        )
        if response.status_code >= 500:
            tracing.mark_failed(str(response.status_code))
    return response


def stop_watching(_: BaseException | None) -> None:
    """Close the span."""
    if "watch_span" in g:
        g.watch_span.close()


def route_name() -> str:
    """Return the method and the pattern of the address, such as `GET /samples/<sample_id>`.

    What only a client has named is not repeated: no ids, no unknown addresses and no unknown methods.
    """
    if request.url_rule is None:
        return "unknown"
    return f"{request.method} {request.url_rule.rule}"
