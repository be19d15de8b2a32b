"""A studio for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audio.render.sounds import Studio


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)
