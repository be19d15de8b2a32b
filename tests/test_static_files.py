"""How static files are served: for ever, compressed, and the stylesheets as one."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

from flask import Flask
from werkzeug.test import Client
from werkzeug.wrappers import Response
from whitenoise import WhiteNoise

from app import static_files
from tests.live import ROOT
from tests.support import Browser


def test_a_changed_static_file_changes_every_address(tmp_path: Path) -> None:
    (tmp_path / "app.css").write_text("a")
    first = static_files.content_hash(tmp_path)
    assert static_files.content_hash(tmp_path) == first
    (tmp_path / "app.css").write_text("b")
    assert static_files.content_hash(tmp_path) != first


def test_browsers_may_cache_static_files_for_ever(app: Flask) -> None:
    browser = Browser(app)
    page = browser.get("/sign-in").text
    for name in (r"css/all\.css", r"js/app\.js"):
        address = re.search(rf'"(/s/[^"]+/{name})"', page)
        assert address is not None
        answer = browser.get(address.group(1))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]


def test_a_page_waits_for_one_file_with_every_stylesheet(app: Flask) -> None:
    """A sheet that was written and forgotten would be missed here, and so would the compressed copy."""
    browser = Browser(app)
    addresses = re.findall(r'rel="stylesheet" href="([^"]+)"', browser.get("/sign-in").text)
    assert len(addresses) == 1
    plain = browser.get(addresses[0], headers={"Accept-Encoding": "identity"})
    assert plain.content_type == "text/css; charset=utf-8"
    sheets = {path.stem: path.read_text() for path in (static_files.STATIC_FOLDER / "css").glob("*.css")}
    assert sorted(sheets) == sorted(static_files.STYLES)
    assert plain.text == "".join(sheets[name] for name in static_files.STYLES)
    zipped = browser.get(addresses[0], headers={"Accept-Encoding": "gzip, br"})
    assert (zipped.headers["Content-Encoding"], zipped.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(zipped.data).decode() == plain.text


def test_static_files_are_sent_compressed_and_never_stale(tmp_path: Path) -> None:
    """Files compressed at set-up are sent compressed, and a file edited since is sent as it is."""
    for name in ("kept.css", "edited.css"):
        (tmp_path / name).write_text("a{}" * 1000)
    before = static_files.content_hash(tmp_path)
    command = [sys.executable, "-m", "whitenoise.compress", "--quiet", str(tmp_path)]
    subprocess.run(command, check=True)
    assert static_files.content_hash(tmp_path) == before
    (tmp_path / "edited.css").write_text("b{}" * 1000)
    os.utime(tmp_path / "edited.css", (0, 0))
    static_files.remove_stale_gzips(tmp_path)
    client = Client(WhiteNoise(Response("nothing", 404), root=str(tmp_path), prefix="/s"))
    for name, encoding in (("kept.css", "gzip"), ("edited.css", None)):
        answer = client.get(f"/s/{name}", headers={"Accept-Encoding": "gzip"})
        assert (answer.status_code, answer.headers.get("Content-Encoding")) == (200, encoding)
        assert "Accept-Encoding" in answer.headers.get("Vary", "") or encoding is None
    assert client.get("/s/kept.css").data == b"a{}" * 1000


def test_set_up_compresses_what_pages_load() -> None:
    assert "-m whitenoise.compress --quiet static" in (ROOT / "scripts" / "setup.sh").read_text()
