"""Run the app with a bucket behind a proxy that checks signatures as a real store does."""

from __future__ import annotations

import pytest

from tests.services.direct.links import URL
from tests.services.store_proxy import StoreProxy

SECRET = "a secret for tests, long enough to be taken"


@pytest.fixture
def environ(environ: dict[str, str], s3_settings: dict[str, str], gate: StoreProxy) -> dict[str, str]:
    outside = {"SECRET_KEY": SECRET, "BASE_URL": URL, "S3_ENDPOINT_URL": gate.url}
    return environ | s3_settings | outside
