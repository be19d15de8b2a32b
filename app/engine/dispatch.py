"""The one door to the engine: a child of this process, or a process of its own when ENGINE_URL says where."""

from __future__ import annotations

import atexit
from pathlib import Path

from app.engine import local_engine, remote_engine
from app.engine.contract import EngineAnswer, EngineOrder, ProgressListener
from app.extensions import settings
from app.integrations.storage import BINARY_MIME, open_store

# The zygote of this worker process: started when the worker starts, or by the first job, and ended with it.
WORKER_SANDBOX = local_engine.new_sandbox()
atexit.register(WORKER_SANDBOX.close)


def warm_up() -> None:
    """The first job does not wait for the engine."""
    if settings().engine_url is None:
        WORKER_SANDBOX.start()


def process_file(key: str, folder: Path, order: EngineOrder, listener: ProgressListener) -> EngineAnswer:
    """Work on an object of the store, in a folder of this attempt's own.

    Raises UnreadableAudio for a bad file, EngineCancelled when it is not wanted any more, StorageError,
    EngineUnavailable when there is no engine, and other EngineErrors when it came to grief over the file.
    """
    now, store = settings(), open_store(settings())
    if now.engine_url is None or now.engine_secret is None:
        source = folder / "source"
        store.fetch(key, source)
        return local_engine.process_locally(WORKER_SANDBOX, source, order, listener)
    link = store.url(key, content_type=BINARY_MIME)
    url = now.base_url + link if link.startswith("/") else link
    return remote_engine.process_remotely(
        remote_engine.RemoteEngine(now.engine_url, now.engine_secret), url, folder, order, listener
    )
