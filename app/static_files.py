"""Serve static files behind a hash of their content, and the stylesheets as one file."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug import Request, Response
from whitenoise import WhiteNoise

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

GZIP_SUFFIX = ".gz"
STATIC_FOLDER = Path(__file__).resolve().parent.parent / "static"
STYLES_PATH = "css/all.css"
FOR_EVER = f"max-age={WhiteNoise.FOREVER}, public, immutable"
# In the order of the cascade.
STYLES = (
    "base", "page", "controls", "landing", "library", "alike", "duplicates", "sample", "instrument", "kits",
    "shaping", "jobs", "queue", "settings", "player", "rows",
)  # fmt: skip


def init_app(app: Flask) -> None:
    """Serve static files, and register the function that templates find their addresses with."""
    remove_stale_gzips(STATIC_FOLDER)
    prefix = f"/s/{content_hash(STATIC_FOLDER)}"
    files = WhiteNoise(
        app.wsgi_app, root=str(STATIC_FOLDER), prefix=prefix, immutable_file_test=lambda path, url: True
    )
    served = _serve_styles(files, f"{prefix}/{STYLES_PATH}")
    app.wsgi_app = served  # type: ignore[method-assign, assignment]  # Flask documents this wrapping
    base_path = app.config["SETTINGS"].base_path
    app.jinja_env.globals["static_url"] = lambda path: f"{base_path}{prefix}/{path}"
    app.jinja_env.globals["styles_path"] = STYLES_PATH


def _serve_styles(files: WSGIApplication, address: str) -> WSGIApplication:
    """Return the app of the files with one more: all stylesheets, which a page waits for, in one request."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != address:
            return files(environ, start_response)
        headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
        styles, zipped = _read_styles()
        if Request(environ).accept_encodings["gzip"]:
            styles, headers["Content-Encoding"] = zipped, "gzip"
        return Response(styles, headers=headers, mimetype="text/css")(environ, start_response)

    return serve


@cache
def _read_styles() -> tuple[bytes, bytes]:
    """Return all stylesheets, as they are and compressed."""
    styles = b"".join((STATIC_FOLDER / "css" / f"{name}.css").read_bytes() for name in STYLES)
    return styles, gzip.compress(styles, mtime=0)


def content_hash(folder: Path) -> str:
    """Return one hash of all static files: any change changes every URL, so browsers may cache for ever."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != GZIP_SUFFIX:
            digest.update(str(path.relative_to(folder)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def remove_stale_gzips(folder: Path) -> None:
    """Delete compressed copies of files that were edited since, so that the edited file is served."""
    for zipped in folder.rglob(f"*{GZIP_SUFFIX}"):
        if not _is_current(zipped):
            with suppress(FileNotFoundError):  # another process may be starting too
                zipped.unlink()


def _is_current(zipped: Path) -> bool:
    """Return whether the copy has the time of its source, which the compressor gives it."""
    source = zipped.with_suffix("")
    return source.exists() and int(source.stat().st_mtime) == int(zipped.stat().st_mtime)
