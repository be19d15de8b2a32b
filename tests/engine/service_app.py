"""The engine's app with a child that misbehaves for files of certain names."""

from __future__ import annotations

import os

from flask import Flask

from app.engine import service, wire_format
from app.sandbox.runner import Sandbox


def create_app() -> Flask:
    wire_format.MAX_SILENCE_S = float(os.environ.get("ENGINE_TEST_SILENCE_S", wire_format.MAX_SILENCE_S))
    entry = os.environ.get("ENGINE_TEST_ENTRY", "tests.engine.misbehaving_child:analyse_or_misbehave")
    warm = None if "ENGINE_TEST_ENTRY" in os.environ else "app.audio.warm:warm_cache"
    return service.create_app(sandbox=Sandbox(entry, warm=warm))
