"""A collector of traces: it takes OpenTelemetry's protocol over HTTP and keeps the spans."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

WAIT_S = 20


@dataclass(frozen=True)
class ReceivedSpan:
    """A span as the protocol carries it."""

    name: str
    service: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    is_failed: bool
    raw: str


@dataclass
class OtlpReceiver:
    """Where to send traces, and the spans that came."""

    url: str
    spans: list[ReceivedSpan] = field(default_factory=list)

    def wait_for(self, *names: str) -> None:
        """Wait until spans of all these names have come."""
        until = time.monotonic() + WAIT_S
        while missing := set(names) - {span.name for span in self.spans}:
            assert time.monotonic() < until, f"{missing} did not come, only {self.spans}"
            time.sleep(0.05)

    def trace_of(self, name: str) -> list[ReceivedSpan]:
        """Return all spans of the trace in which the one span of this name is."""
        (trace_id,) = {span.trace_id for span in self.spans if span.name == name}
        return [span for span in self.spans if span.trace_id == trace_id]


@contextmanager
def running_receiver() -> Iterator[OtlpReceiver]:
    """Receive traces on a free port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    @cached_property
    def receiver(self) -> OtlpReceiver:
        return OtlpReceiver(f"http://127.0.0.1:{self.server_port}")


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        is_ours = (self.path, self.headers["Content-Type"]) == ("/v1/traces", "application/x-protobuf")
        if is_ours:
            self.server.receiver.spans += _read_spans(ExportTraceServiceRequest.FromString(body))
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200 if is_ours else 404)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Keep the test's output free of request lines."""


def _read_spans(message: ExportTraceServiceRequest) -> Iterator[ReceivedSpan]:
    for resource in message.resource_spans:
        service = _plain(resource.resource.attributes)["service.name"]
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            yield ReceivedSpan(
                span.name,
                service,
                span.trace_id.hex(),
                span.span_id.hex(),
                span.parent_span_id.hex(),
                _plain(span.attributes),
                span.status.code == 2,
                str(span),
            )


def _plain(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}
