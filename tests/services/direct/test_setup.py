"""Set up a bucket for direct uploads, check the links, and run the commands of docs/api.md."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import httpx
import pytest
from flask import Flask

from app.config import Settings
from app.integrations.storage import open_store
from app.upload import direct_uploads
from tests.live import ROOT, Producer, Product
from tests.services.conftest import BUCKET
from tests.services.direct.links import URL, link
from tests.services.store_proxy import StoreProxy
from tests.support import PASSWORD, ApiScript, kick

pytestmark = pytest.mark.services


def test_the_cors_command_allows_only_the_product(app: Flask, script: ApiScript) -> None:
    ran = app.test_cli_runner().invoke(args=["storage", "cors"])
    assert f"Pages of {URL} may send files" in ran.output
    told = link(script, kick())
    for origin, code in ((URL, 200), ("https://elsewhere.example", 403)):
        asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
        answer = httpx.options(told["url"], headers=asked)
        assert answer.status_code == code
        assert ("Access-Control-Allow-Origin" in answer.headers) == (code == 200)


def test_links_have_the_style_that_each_store_needs(app: Flask, environ: dict[str, str]) -> None:
    assert (
        direct_uploads._require_bucket()
        .upload_url("k", 1)
        .startswith(f"{environ['S3_ENDPOINT_URL']}/{BUCKET}/k?")
    )
    amazon = {n: v for n, v in environ.items() if n != "S3_ENDPOINT_URL"} | {"S3_REGION": "eu-west-1"}
    url = open_store(Settings.from_env(amazon)).url("k", content_type="audio/wav")
    assert url.startswith(f"https://{BUCKET}.s3.eu-west-1.amazonaws.com/k?")


def test_the_commands_of_the_api_guide_upload_straight_to_the_store(
    environ: dict[str, str], gate: StoreProxy, tmp_path: Path
) -> None:
    """Only the address and the token differ from docs/api.md."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL)
    (helpers,) = [block.split("# upload")[0] for block in blocks if "id_of()" in block]
    (walk,) = [block for block in blocks if "$URL/api/uploads" in block]
    outside = {name: value for name, value in environ.items() if name not in {"DATA_DIR", "BASE_URL"}}
    with Product(tmp_path / "live", **outside) as product:
        producer = Producer(product)
        producer.post("/register", email="p@example.com", password=PASSWORD, timezone="UTC")
        page = producer.post("/settings/tokens", name="t", days="30", abilities="samples:write")
        secret = re.findall(r"sp404_\w{36}", page.text)[0]
        script = helpers.replace("https://samples.example.com", product.url).replace("sp404_…", secret) + walk
        (tmp_path / "loop.wav").write_bytes(kick())
        ran = subprocess.run(
            ["sh", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=False
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert '"status":"pending"' in ran.stdout
    assert gate.taken == [("", len(kick()))]
