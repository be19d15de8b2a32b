"""The one door to the engine: a child of this process, or a process of its own when ENGINE_URL says where."""

from __future__ import annotations

import atexit
from pathlib import Path

from app.engine import local, remote
from app.engine.order import Answer, Listener, Order
from app.extensions import settings
from app.integrations.storage import BINARY, open_store

# The zygote of this worker process: started when the worker starts, or by the first job, and ended with it.
SANDBOX = local.sandbox()
atexit.register(SANDBOX.close)


def get_ready() -> None:
    """The first job does not wait for the engine."""
    if settings().engine_url is None:
        SANDBOX.start()


def process(key: str, folder: Path, order: Order, listener: Listener) -> Answer:
    """Work on an object of the store, in a folder of this attempt's own.

    Raises UnreadableAudio for a bad file, EngineCancelled when it is not wanted any more, StorageError,
    EngineUnavailable when there is no engine, and other EngineErrors when it came to grief over the file.
    """
    now, store = settings(), open_store(settings())
    if now.engine_url is None or now.engine_secret is None:
        source = folder / "source"
        store.fetch(key, source)
        return local.process(SANDBOX, source, order, listener)
    link = store.url(key, content_type=BINARY)
    url = now.base_url + link if link.startswith("/") else link
    return remote.process(remote.Service(now.engine_url, now.engine_secret), url, folder, order, listener)
