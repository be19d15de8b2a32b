"""The engine as a process of its own: gunicorn "app.engine.service:create_app()".

It has no database, no session and no key of anything: a signed link comes in, what was found goes out.
Whoever holds the secret may ask; it is meant for the workers and never stands in the open.
"""

from __future__ import annotations

import hmac
import os
import socket
import sys
import threading

from flask import Flask, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, ValidationError
from werkzeug.exceptions import HTTPException, ServiceUnavailable, Unauthorized, UnprocessableEntity

from app import logs
from app.audio.version import ENGINE_VERSION
from app.config import Settings
from app.engine import local_engine, wire_format
from app.engine.answer_stream import AnswerStream
from app.engine.contract import EngineOrder
from app.engine.source_download import is_from_store
from app.integrations.storage import link_prefix
from app.sandbox.runner import Sandbox

MAX_BODY_BYTES = 16 * 1024
RETRY_AFTER_S = 1


class ProcessRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str
    options: EngineOrder = EngineOrder()


class EngineService:
    """One warmed zygote, and as many files at once as there are slots."""

    def __init__(self, settings: Settings, sandbox: Sandbox) -> None:
        self._settings, self._sandbox = settings, sandbox
        self._prefix = link_prefix(settings)
        self._busy, self._lock = 0, threading.Lock()
        self._warm_up()

    def health(self) -> tuple[Response, int]:
        """Open to whoever reaches it: it says nothing that a balancer may not know."""
        ready = self._sandbox.is_ready
        told = {"status": "ready" if ready else "warming", "version": ENGINE_VERSION}
        slots = {"slots": self._settings.engine_slots, "busy": self._busy}
        return jsonify(told | slots), 200 if ready else 503

    def process(self) -> Response:
        self._authorise()
        try:
            body = ProcessRequest.model_validate_json(request.get_data())
        except ValidationError as error:
            raise UnprocessableEntity(str(error)) from error
        if not is_from_store(body.url, self._prefix):
            raise UnprocessableEntity("That link does not lead into the store.")
        self._take_slot()
        _limit_write_time(request.environ.get("gunicorn.socket"))
        limit_s = min(body.options.limit_s, self._settings.job_limit_s)
        order = body.options.model_copy(update={"limit_s": limit_s})
        stream = AnswerStream(self._sandbox, self._settings, body.url, order)
        response = Response(stream.lines(), mimetype="application/x-ndjson")
        # Called however the request ends, also when nobody has read a line of it.
        response.call_on_close(self._give_slot_back)
        return response

    def _authorise(self) -> None:
        given = request.headers.get("Authorization", "").encode("latin-1", "replace")
        if not hmac.compare_digest(given, f"Bearer {self._settings.engine_secret}".encode()):
            raise Unauthorized("The engine's secret is needed.")

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
        """Beside whatever is asked meanwhile; a second call waits for the first and finds it done."""
        threading.Thread(target=self._sandbox.start, name="warm-up", daemon=True).start()


def _limit_write_time(connection: socket.socket | None) -> None:
    """Who reads nothing for so long, or whose machine is gone without a word, has hung up."""
    if connection is not None:
        connection.settimeout(wire_format.MAX_SILENCE_S)
        if sys.platform == "linux":
            silence_ms = round(1000 * wire_format.MAX_SILENCE_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, silence_ms)


def create_app(settings: Settings | None = None, sandbox: Sandbox | None = None) -> Flask:
    settings = settings or Settings.for_engine(os.environ)
    logs.configure_logging()
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    engine = EngineService(settings, sandbox or local_engine.new_sandbox())
    app.add_url_rule(wire_format.HEALTH_PATH, "health", engine.health)
    app.add_url_rule(wire_format.PROCESS_PATH, "process", engine.process, methods=["POST"])
    app.register_error_handler(HTTPException, _json_error)
    return app


def _json_error(error: HTTPException) -> Response:
    told = {"success": False, "error": {"kind": "refused", "message": error.description}}
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    return Response(wire_format.encode_line(told), error.code, headers, mimetype="application/json")
