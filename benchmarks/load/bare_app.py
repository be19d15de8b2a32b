"""A Flask app with one view that does nothing, to compare with."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.get("/")
def ping() -> str:
    """Answer at once."""
    return "ok\n"
