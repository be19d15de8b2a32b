"""One trace follows an upload to its finished card, and says nothing about who sent what."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import tracing
from app.integrations import storage
from app.logs import JsonFormatter
from app.models import User
from app.notify import outbox
from tests.billing.paying_producer import add_meter, add_usage_row, stripe_settings, subscribe
from tests.fake_openrouter import KEY, FakeOpenRouter
from tests.fake_stripe.server import FakeStripe
from tests.otlp_receiver import OtlpReceiver, ReceivedSpan, running_receiver
from tests.support import Browser, drum_loop, finished_job

STRANGE_TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with running_receiver() as receiver:
        yield receiver


@pytest.fixture
def stripe() -> Iterator[FakeStripe]:
    with FakeStripe() as served:
        add_meter(served.world)
        yield served


@pytest.fixture
def environ(
    environ: dict[str, str],
    receiver: OtlpReceiver,
    stripe: FakeStripe,
    fake: FakeOpenRouter,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    monkeypatch.setattr(tracing, "_tracer", None)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")  # milliseconds between two reports
    models = {"OPENROUTER_API_KEY": KEY, "OPENROUTER_BASE_URL": fake.url}
    traces = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
    return environ | stripe_settings(stripe) | models | traces


def path_to(trace: list[ReceivedSpan], name: str) -> list[str]:
    """Return the names from the root of a trace to the first span of this name."""
    by_id = {span.span_id: span for span in trace}
    span: ReceivedSpan | None = next(span for span in trace if span.name == name)
    names: list[str] = []
    while span is not None:
        names.insert(0, span.name)
        assert not span.parent_id or span.parent_id in by_id, f"the parent of {span.name} is not in the trace"
        span = by_id.get(span.parent_id)
    return names


def test_one_trace_follows_an_upload_to_the_store_the_engine_a_model_and_stripe(
    as_owner: Browser, owner: User, stripe: FakeStripe, receiver: OtlpReceiver
) -> None:
    subscribe(stripe.world, owner)
    add_usage_row(owner, "upload", 1000)
    as_owner.post("/billing/overage", cap_usd="5")
    job = finished_job(as_owner, "Secret break.wav", drum_loop(93))
    assert job.state == "completed"
    assert outbox.deliver_usage() == 1
    reported = "stripe POST /v1/billing/meter_events"
    receiver.wait_for(reported)
    trace = receiver.trace_of("job upload")
    root, attempt = "POST /upload", [*path_to(trace, "job upload")]
    assert attempt == [root, "job upload"]
    assert path_to(trace, "store put") == [root, "store put"]
    measure = [*attempt, "step analysed", "engine process"]
    assert path_to(trace, "engine child") == [*measure, "engine child"]
    assert path_to(trace, "store fetch") == [*measure, "store fetch"]
    assert path_to(trace, "openrouter chat") == [*attempt, "step described", "openrouter chat"]
    assert path_to(trace, "store delete") == [*attempt, "complete job", "store delete"]
    assert path_to(trace, reported) == [root, "job upload", "complete job", "send meter", reported]
    (finished,) = (span for span in trace if span.name == "job upload")
    assert finished.attributes == {"job.id": job.id, "job.attempt": 1, "job.ending": "completed"}
    assert not any(span.is_failed for span in trace)
    sent = " ".join(span.raw for span in receiver.spans)
    assert not [word for word in (owner.email, "Secret", KEY, "sk_test", "cus_", "samples/") if word in sent]


def test_a_failure_is_marked_by_its_type_alone(
    as_owner: Browser, receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no room for a@example.com")

    monkeypatch.setattr("app.integrations.storage.disk_store._copy_atomically", refuse)
    assert as_owner.upload(("a.wav", drum_loop())).status_code == 503
    receiver.wait_for("POST /upload")
    failed = {span.name: span for span in receiver.trace_of("store put") if span.is_failed}
    assert failed.keys() == {"POST /upload", "store put"}
    assert failed["POST /upload"].attributes["http.response.status_code"] == 503
    assert storage.StorageError.__name__ in failed["store put"].raw
    assert "example.com" not in failed["store put"].raw


def test_a_client_neither_continues_a_trace_nor_names_a_span(
    app: Flask, client: FlaskClient, receiver: OtlpReceiver
) -> None:
    client.get("/healthz", headers={"traceparent": f"00-{STRANGE_TRACE}-b7ad6b7169203331-01"})
    client.open("/no-such-page/with-a-token", method="BREW")
    receiver.wait_for("GET /healthz", "unknown")
    assert STRANGE_TRACE not in {span.trace_id for span in receiver.spans}
    assert "with-a-token" not in " ".join(span.raw for span in receiver.spans)


def test_a_log_line_names_the_trace_it_belongs_to(app: Flask) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 1, "hello", (), None)
    with tracing.span("outer"):
        traceparent = tracing.current_traceparent()
        line = json.loads(JsonFormatter().format(record))
    assert traceparent is not None
    assert traceparent.split("-")[1:3] == [line["trace_id"], line["span_id"]]
    assert "trace_id" not in json.loads(JsonFormatter().format(record))
