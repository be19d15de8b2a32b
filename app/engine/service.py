"""The engine as a process of its own: gunicorn "app.engine.service:create_app()".

It has no database, no session and no credentials of the store: a signed link comes in, and the measurement
goes out. A caller needs the engine's secret. It is meant for the workers and not for the public internet.
"""

from __future__ import annotations

import hmac
import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, ValidationError
from werkzeug.exceptions import HTTPException, ServiceUnavailable, Unauthorized, UnprocessableEntity

from app import logs, tracing
from app.audio.version import ENGINE_VERSION
from app.config import Settings
from app.engine import local_engine, wire_format
from app.engine.answer_stream import AnswerStream, Work
from app.engine.contract import RENDERED_NAME, CutOrder, EngineOrder, ProgressListener, RenderOrder
from app.engine.source_download import is_from_store
from app.integrations.openrouter.chat_client import configured_endpoint
from app.integrations.storage import link_prefix
from app.sandbox.runner import Sandbox

Body = TypeVar("Body", bound=BaseModel)

MAX_BODY_BYTES = 64 * 1024  # a recipe may list 2,000 onsets
RETRY_AFTER_S = 1


class ProcessRequest(BaseModel):
    """The body of a request: the file's signed link, and what is wanted for it."""

    model_config = ConfigDict(extra="forbid")

    url: str
    options: EngineOrder = EngineOrder()


class ShapeRequest(BaseModel):
    """The body of a request for a shaped sound or for slices: the original's signed link, and the order."""

    model_config = ConfigDict(extra="forbid")

    url: str
    options: RenderOrder | CutOrder


class EngineService:
    """The routes around one warm fork server; it works on as many files at once as there are slots."""

    def __init__(self, settings: Settings, sandbox: Sandbox) -> None:
        self._settings, self._sandbox = settings, sandbox
        self._prefix = link_prefix(settings)
        self._busy, self._lock = 0, threading.Lock()
        self._warm_up()

    def health(self) -> tuple[Response, int]:
        """Answer whether the engine is ready and how busy; a load balancer may ask without the secret."""
        ready = self._sandbox.is_ready
        state = {"status": "ready" if ready else "warming", "version": ENGINE_VERSION}
        slots = {"slots": self._settings.engine_slots, "busy": self._busy}
        return jsonify(state | slots), 200 if ready else 503

    def process(self) -> Response:
        """Stream the answer about one file; refuse when the request is not allowed, not valid or too many."""
        self._authorise()
        body = _valid_body(ProcessRequest)
        order = body.options.model_copy(update={"limit_s": self._limit_s(body.options.limit_s)})

        def work(source: Path, listener: ProgressListener) -> dict[str, Any]:
            server = configured_endpoint(self._settings)
            answer = local_engine.process_locally(self._sandbox, source, order, listener, server)
            return wire_format.plain_answer(answer)

        return self._stream(body.url, order.about, work)

    def render(self) -> Response:
        """Stream a shaped sound or slices; refuse as `process` does."""
        self._authorise()
        body = _valid_body(ShapeRequest)
        order = body.options.model_copy(update={"limit_s": self._limit_s(body.options.limit_s)})

        def work(source: Path, listener: ProgressListener) -> dict[str, Any]:
            answer = local_engine.render_locally(self._sandbox, source, order, listener.still_wanted)
            listener.on_decoded(source.parent / RENDERED_NAME)
            return {"rendered": answer.to_dict()}

        return self._stream(body.url, order.about, work)

    def _limit_s(self, asked_s: float) -> float:
        return min(asked_s, self._settings.job_limit_s)

    def _stream(self, url: str, about: str, work: Work) -> Response:
        if not is_from_store(url, self._prefix):
            raise UnprocessableEntity("The link does not point into the store.")
        self._take_slot()
        _limit_write_time(request.environ.get("gunicorn.socket"))
        stream = AnswerStream(
            self._settings, url, about, work, _request_id(), request.headers.get("traceparent")
        )
        response = Response(stream.lines(), mimetype="application/x-ndjson")
        # This is called however the request ends, even when not a line of it was read.
        response.call_on_close(self._give_slot_back)
        return response

    def _authorise(self) -> None:
        given = request.headers.get("Authorization", "").encode("latin-1", "replace")
        if not hmac.compare_digest(given, f"Bearer {self._settings.engine_secret}".encode()):
            raise Unauthorized("Send the engine's secret as a bearer token.")

    def _take_slot(self) -> None:
        if not self._sandbox.is_ready:
            self._warm_up()
            raise ServiceUnavailable("The engine is not warm yet.", retry_after=RETRY_AFTER_S)
        with self._lock:
            if self._busy >= self._settings.engine_slots:
                raise ServiceUnavailable("Every slot is taken.", retry_after=RETRY_AFTER_S)
            self._busy += 1

    def _give_slot_back(self) -> None:
        with self._lock:
            self._busy -= 1

    def _warm_up(self) -> None:
        """Start the fork server in the background; a second call waits for the first, then does nothing."""
        threading.Thread(target=self._sandbox.start, name="warm-up", daemon=True).start()


def _request_id() -> str:
    """Return the id of the request that the caller works for, to be logged here too."""
    return logs.valid_request_id(request.headers.get(wire_format.REQUEST_ID_HEADER, ""))


def _valid_body(model: type[Body]) -> Body:
    """Return the body of the request, or answer 422."""
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as error:
        raise UnprocessableEntity(str(error)) from error


def _limit_write_time(connection: socket.socket | None) -> None:
    """Treat a caller who reads nothing for MAX_SILENCE_S, or whose machine vanished, as gone."""
    if connection is not None:
        connection.settimeout(wire_format.MAX_SILENCE_S)
        if sys.platform == "linux":
            silence_ms = round(1000 * wire_format.MAX_SILENCE_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, silence_ms)


def create_app(settings: Settings | None = None, sandbox: Sandbox | None = None) -> Flask:
    """Return the engine's app, by default with the environment's settings. Raises ConfigError."""
    settings = settings or Settings.for_engine(os.environ)
    logs.configure_logging(settings.log_format)
    tracing.configure_tracing(settings, "engine")
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    engine = EngineService(settings, sandbox or local_engine.new_sandbox())
    app.add_url_rule(wire_format.HEALTH_PATH, "health", engine.health)
    app.add_url_rule(wire_format.PROCESS_PATH, "process", engine.process, methods=["POST"])
    app.add_url_rule(wire_format.RENDER_PATH, "render", engine.render, methods=["POST"])
    app.register_error_handler(HTTPException, _json_error)
    return app


def _json_error(error: HTTPException) -> Response:
    body = {"success": False, "error": {"kind": "refused", "message": error.description}}
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    return Response(wire_format.encode_line(body), error.code, headers, mimetype="application/json")
