"""A plain Flask app with a ping and an upload, to measure our web process beside."""

from __future__ import annotations

import os
import tempfile

from flask import Flask, Response, request

app = Flask(__name__)


@app.get("/healthz")
def healthz() -> Response:
    """Answer as long as the process runs."""
    return Response("ok\n", mimetype="text/plain")


@app.post("/api/upload")
def upload() -> tuple[str, int]:
    """Store the file of a form, as Flask's documentation shows it."""
    handle, path = tempfile.mkstemp(dir=os.environ["DATA_DIR"])
    os.close(handle)
    request.files["audio"].save(path)
    return "stored\n", 202
