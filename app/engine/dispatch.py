"""The only way to the engine: a child of this process, or the process at ENGINE_URL when that is set."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from pathlib import Path

from app import tracing
from app.engine import local_engine, remote_engine
from app.engine.contract import (
    CutOrder,
    EngineAnswer,
    EngineOrder,
    ProgressListener,
    RenderOrder,
    RenderReport,
)
from app.extensions import settings
from app.integrations.storage import BINARY_MIME, open_store

# This worker's fork server: started with the worker or by its first job, and ended with it.
WORKER_SANDBOX = local_engine.new_sandbox()
atexit.register(WORKER_SANDBOX.close)


def warm_up() -> None:
    """Start the engine now, so that the first job does not wait for it."""
    if settings().engine_url is None:
        WORKER_SANDBOX.start()


@tracing.traced("engine process", "client")
def process_file(key: str, folder: Path, order: EngineOrder, listener: ProgressListener) -> EngineAnswer:
    """Have the engine work on an object of the store. `folder` belongs to this attempt alone.

    Raises UnreadableAudio for a bad file, EngineCancelled when the listener no longer wants the answer,
    StorageError, EngineUnavailable when there is no engine, and other EngineErrors when it failed.
    """
    engine = _remote_engine()
    if engine is None:
        return local_engine.process_locally(WORKER_SANDBOX, _fetch(key, folder), order, listener)
    return remote_engine.process_remotely(engine, _link(key), folder, order, listener)


@tracing.traced("engine render", "client")
def render_file(
    key: str, folder: Path, order: RenderOrder | CutOrder, still_wanted: Callable[[], bool]
) -> RenderReport:
    """Have the engine shape or cut an object of the store; the result is in `folder`, as `RENDERED_NAME`.

    Raises as `process_file` does; UnreadableAudio also for a recipe that does not suit the sound.
    """
    engine = _remote_engine()
    if engine is None:
        return local_engine.render_locally(WORKER_SANDBOX, _fetch(key, folder), order, still_wanted)
    return remote_engine.render_remotely(engine, _link(key), folder, order, still_wanted)


def _remote_engine() -> remote_engine.RemoteEngine | None:
    config = settings()
    if config.engine_url is None or config.engine_secret is None:
        return None
    return remote_engine.RemoteEngine(config.engine_url, config.engine_secret)


def _fetch(key: str, folder: Path) -> Path:
    source = folder / "source"
    open_store(settings()).fetch(key, source)
    return source


def _link(key: str) -> str:
    link = open_store(settings()).url(key, content_type=BINARY_MIME)
    return settings().origin + link if link.startswith("/") else link
