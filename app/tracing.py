"""Trace what is done for one request across processes, by OpenTelemetry.

Traces are off by default, and nothing is imported for them then. Each span names what was done, with
the attributes that are given here. Addresses, exceptions and headers are never recorded, because they hold
signed links, mailed links and names of people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from app.config import Settings

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")
Attributes = Mapping[str, str | float]
Kind = Literal["internal", "server", "client", "consumer"]

TRACES_PATH = "/v1/traces"

_tracer: Tracer | None = None


def configure_tracing(settings: Settings, part: str) -> None:
    """Send the spans of this process to a collector if the settings say so; `part` names the process."""
    global _tracer
    if settings.otel_traces_exporter == "none" or _tracer is not None:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = settings.otel_service_name or f"sp404-{part}"
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    endpoint = settings.otel_exporter_otlp_endpoint + TRACES_PATH
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    _tracer = provider.get_tracer("app")


@contextmanager
def span(name: str, kind: Kind = "internal", attributes: Attributes | None = None) -> Iterator[None]:
    """Record a span around the block. An exception marks it as failed, by the name of its type alone."""
    if _tracer is None:
        yield
        return
    from opentelemetry.trace import SpanKind

    with _tracer.start_as_current_span(
        name,
        kind=SpanKind[kind.upper()],
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ):
        try:
            yield
        except Exception as error:
            mark_failed(type(error).__name__)
            raise


def traced(
    name: str, kind: Kind = "internal"
) -> Callable[[Callable[Asked, Answer]], Callable[Asked, Answer]]:
    """Return a decorator that records a span around each call of a function."""

    def decorate(function: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
        @wraps(function)
        def call(*args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
            if _tracer is None:
                return function(*args, **kwargs)
            with span(name, kind):
                return function(*args, **kwargs)

        return call

    return decorate


def set_attributes(attributes: Attributes) -> None:
    """Add attributes to the current span."""
    if _tracer is not None:
        _current_span().set_attributes(attributes)


def mark_failed(reason: str) -> None:
    """Mark the current span as failed."""
    if _tracer is not None:
        from opentelemetry.trace import StatusCode

        _current_span().set_status(StatusCode.ERROR, reason)


def current_traceparent() -> str | None:
    """Return the current span as W3C's `traceparent`, to continue the trace elsewhere; None without one."""
    if _tracer is None or not (context := _current_span().get_span_context()).is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def current_ids() -> dict[str, str]:
    """Return the ids of the current trace and span for a log line; nothing without one."""
    traceparent = current_traceparent()
    if traceparent is None:
        return {}
    _, trace_id, span_id, _ = traceparent.split("-")
    return {"trace_id": trace_id, "span_id": span_id}


def traceparent_header() -> dict[str, str]:
    """Return the header that continues this trace in another process of ours; nothing without a trace."""
    traceparent = current_traceparent()
    return {} if traceparent is None else {"traceparent": traceparent}


@contextmanager
def continue_trace(traceparent: str | None) -> Iterator[None]:
    """Make spans inside the block part of the trace that `current_traceparent` named, if there was one."""
    if _tracer is None or not traceparent:
        yield
        return
    from opentelemetry import context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    token = context.attach(TraceContextTextMapPropagator().extract({"traceparent": traceparent}))
    try:
        yield
    finally:
        context.detach(token)


def _current_span() -> Any:
    from opentelemetry.trace import get_current_span

    return get_current_span()
