"""A fake store at the address that the engine's process knows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.fake_store import FakeStore, running_store
from tests.live import EngineProcess


@pytest.fixture
def store(engine_process: EngineProcess) -> Iterator[FakeStore]:
    with running_store(engine_process.store_port) as store:
        yield store
