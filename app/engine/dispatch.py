"""The only way to the engine: a child of this process, or the process at ENGINE_URL when that is set."""

from __future__ import annotations

import atexit
from pathlib import Path

from app.engine import local_engine, remote_engine
from app.engine.contract import EngineAnswer, EngineOrder, ProgressListener
from app.extensions import settings
from app.integrations.storage import BINARY_MIME, open_store

# This worker's fork server: started with the worker or by its first job, and ended with it.
WORKER_SANDBOX = local_engine.new_sandbox()
atexit.register(WORKER_SANDBOX.close)


def warm_up() -> None:
    """Start the engine now, so that the first job does not wait for it."""
    if settings().engine_url is None:
        WORKER_SANDBOX.start()


def process_file(key: str, folder: Path, order: EngineOrder, listener: ProgressListener) -> EngineAnswer:
    """Have the engine work on an object of the store. `folder` belongs to this attempt alone.

    Raises UnreadableAudio for a bad file, EngineCancelled when the listener no longer wants the answer,
    StorageError, EngineUnavailable when there is no engine, and other EngineErrors when it failed.
    """
    config, store = settings(), open_store(settings())
    if config.engine_url is None or config.engine_secret is None:
        source = folder / "source"
        store.fetch(key, source)
        return local_engine.process_locally(WORKER_SANDBOX, source, order, listener)
    link = store.url(key, content_type=BINARY_MIME)
    url = config.base_url + link if link.startswith("/") else link
    engine = remote_engine.RemoteEngine(config.engine_url, config.engine_secret)
    return remote_engine.process_remotely(engine, url, folder, order, listener)
