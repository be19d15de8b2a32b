"""The engine downloads complete files by links of the configured store, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config import Settings
from app.engine.source_download import is_from_store
from app.integrations.storage import link_prefix, open_store
from tests.engine.engine_client import ask_engine, parse_stream
from tests.engine.fake_store import FakeStore, running_store
from tests.live import ENGINE_SECRET, EngineProcess, free_port
from tests.support import kick


@pytest.mark.parametrize(
    "store",
    [
        {"S3_ENDPOINT_URL": "https://acc.r2.cloudflarestorage.com"},
        {"S3_ENDPOINT_URL": "http://minio:9000"},
        {"S3_REGION": "eu-west-1"},
        {"S3_REGION": "eu-west-1", "S3_BUCKET": "with.dots"},
        {"S3_BUCKET": ""},
    ],
)
def test_links_of_every_kind_of_store_are_accepted(store: dict[str, str], tmp_path: Path) -> None:
    """A worker's credentials sign them; the engine that checks them has none."""
    place = {"DATA_DIR": str(tmp_path), "S3_BUCKET": "samples"} | store
    keys = {"SECRET_KEY": "s" * 40, "S3_ACCESS_KEY_ID": "k", "S3_SECRET_ACCESS_KEY": "s"}
    link = open_store(Settings.from_env(place | keys)).url("incoming/1/a.wav", content_type="audio/wav")
    engine = Settings.for_engine(place | {"ENGINE_SECRET": ENGINE_SECRET})
    url = engine.base_url + link if link.startswith("/") else link
    assert is_from_store(url, link_prefix(engine))


FOREIGN = [
    "http://127.0.0.1:{trap}/media/x",
    "http://127.0.0.1:{store}@127.0.0.1:{trap}/media/x",
    "http://127.0.0.1:{store}/media/@127.0.0.1:{trap}/../../admin",
    "http://127.0.0.1:{store}/media/%2e%2e/admin",
    "http://127.0.0.1:{store}/media/%252e%252e/admin",
    "http://127.0.0.1:{store}/media",
    "http://127.0.0.1:{store}/medias/x",
    "http://127.0.0.1:{store}/",
    "http://127.0.0.1:{store}0/media/x",
    "http://127.0.0.1/media/x",
    "http://localhost:{store}/media/x",
    "http://127.1:{store}/media/x",
    "http://2130706433:{store}/media/x",
    "http://[::ffff:127.0.0.1]:{store}/media/x",
    "https://127.0.0.1:{store}/media/x",
    "HTTP://127.0.0.1:{store}/media/x",
    "//127.0.0.1:{store}/media/x",
    "/media/x",
    "file:///etc/passwd",
    "ftp://127.0.0.1:{store}/media/x",
    "http://127.0.0.1:{store}\\@127.0.0.1:{trap}/media/x",
    "http://127.0.0.1:{store}/media/x#y",
    "http://127.0.0.1:{store}/media/x y",
    "http://127.0.0.1:{store}/media/x\r\nHost: evil",
    "http://127.0.0.1:{store}/media/\u0445",
    "http://user:pass@127.0.0.1:{store}/media/x",
    "http://169.254.169.254/latest/meta-data/",
    "gopher://127.0.0.1:{trap}/x",
    "",
]


@pytest.mark.parametrize("link", FOREIGN)
def test_a_link_to_anywhere_else_is_refused_and_not_requested(
    engine_process: EngineProcess, store: FakeStore, link: str
) -> None:
    with running_store(free_port()) as trap:
        trap_port = trap.url.rpartition(":")[2]
        url = link.format(store=engine_process.store_port, trap=trap_port)
        assert ask_engine(engine_process, url).status_code == 422
        assert trap.asked == store.asked == []


def test_a_redirect_is_not_followed(engine_process: EngineProcess, store: FakeStore) -> None:
    with running_store(free_port()) as trap:
        target = trap.keep("x", kick())
        headers = {"Location": target, "Content-Length": "0"}
        messages, _ = parse_stream(ask_engine(engine_process, store.answer("x", 302, headers)).content)
        assert messages[-1]["error"]["kind"] == "store"
        assert (len(store.asked), trap.asked) == (1, [])


@pytest.mark.parametrize(
    ("status", "headers", "content"),
    [
        (404, {"Content-Length": "0"}, b""),
        (200, {}, kick()),
        (200, {"Content-Length": str(2**40)}, kick()),
        (200, {"Content-Length": str(len(kick()) + 1)}, kick()),
        (206, {"Content-Length": "10"}, kick()[:10]),
    ],
)
def test_an_incomplete_download_blames_the_store_and_not_the_file(
    engine_process: EngineProcess, store: FakeStore, status: int, headers: dict[str, str], content: bytes
) -> None:
    messages, _ = parse_stream(
        ask_engine(engine_process, store.answer("x", status, headers, content)).content
    )
    assert messages[-1]["error"]["kind"] == "store"
