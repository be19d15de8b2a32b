"""Drive the API of a live product by its own OpenAPI document, and by the commands of docs/api.md."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.api.operations import OPERATIONS, PREFIX
from tests.live import JOB_S, ROOT, Producer, Product
from tests.support import drum_loop, kick

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# A wider run: SCHEMATHESIS_EXAMPLES=500 make test ARGS=tests/api/test_live.py
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "18"))
bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
BLOCKS = re.compile(r"```sh\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with Product(tmp_path_factory.mktemp("api") / "data", API_REQUESTS_PER_MINUTE="100000") as served:
        yield served


@pytest.fixture(scope="module")
def producer(product: Product) -> Producer:
    """The demo account, with two samples."""
    made = Producer(product)
    made.post("/demo")
    made.upload(("Deep kick.wav", kick()), ("Deep kick again.wav", kick()))
    made.wait_for_jobs(2)
    return made


@pytest.fixture(scope="module")
def secret(producer: Producer) -> str:
    abilities = ["samples:read", "samples:write", "jobs:read", "exports:write", "kits:read", "kits:write"]
    return producer.make_token(*abilities)


def shaped_sound(product: Product, sample_id: str, secret: str) -> str:
    """Have a sample shaped, and return the id of the result."""
    headers, until = {"Authorization": f"Bearer {secret}"}, time.monotonic() + JOB_S
    url = f"{product.url}{PREFIX}/samples/{sample_id}/renders"
    while time.monotonic() < until:
        told = httpx.post(url, json={"reverse": True}, headers=headers).json()
        if told["render"] is not None:
            return str(told["render"]["id"])
        time.sleep(0.5)
    raise AssertionError("the sample was not shaped")


REAL_PLACES = {"pad": "A1", "place": "A1", "bank": "A"}
BEAT = {"steps": {"A1": [127, *[0] * 15]}}
# A schema can't say every rule, so most generated bodies of these are refused.
ACCEPTED_BODIES: dict[str, dict[str, Any]] = {
    "create_kit": {"name": "Generated", "tempo": 93.5},
    "put_pattern": {"beat": BEAT, "bars": 2},
    "swap_pad": {"to": "next"},
}


def kit_of(producer: Producer, sample_id: str) -> str:
    """Make a kit with a sample and a pattern, and return its id."""
    page = producer.post("/kits/placements", sample=sample_id, kit="")
    kit_id = page.url.path.split("/")[2]
    producer.post(f"/kits/{kit_id}/patterns", place="A1", bars="1", beat=json.dumps(BEAT), revision="1")
    return kit_id


def make_alike(product: Product, secret: str, *samples: str) -> None:
    """Make samples one-shot kicks again, whatever generated calls have corrected them to."""
    for each in samples:
        told = httpx.patch(
            f"{product.url}{PREFIX}/samples/{each}",
            json={"kind": "one-shot", "sound": "kick"},
            headers={"Authorization": f"Bearer {secret}"},
        )
        assert told.status_code == 200, told.text


def made_card(producer: Producer, kit_id: str) -> str:
    """Have a card made of a kit, and return its id."""
    producer.post(f"/kits/{kit_id}/exports", target="import")
    until = time.monotonic() + JOB_S
    while time.monotonic() < until:
        found = re.search(r'href="/exports/(\w{26})"', producer.http.get(f"/kits/{kit_id}/card").text)
        if found is not None:
            return found.group(1)
        time.sleep(0.5)
    raise AssertionError("the card was not made")


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda each: each.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_every_answer_conforms_to_the_document(
    product: Product, producer: Producer, secret: str, operation: Any, mode: GenerationMode
) -> None:
    """All calls are generated from the document: valid ones, and ones with nulls and wrong types.

    Every other one uses ids that exist.
    """
    load_all_checks()
    first, second = re.findall(r'<tr class="row" id="sample-(\w+)"', producer.http.get("/samples").text)[:2]
    real_id = second if operation.name == "delete_sample" else first
    if operation.name == "download_render":
        real_id = shaped_sound(product, first, secret)
    elif "{kit_id}" in operation.path:
        make_alike(product, secret, first, second)
        real_id = kit_of(producer, first)
    elif operation.name == "download_export":
        real_id = made_card(producer, kit_of(producer, first))
    document = schemathesis.openapi.from_url(f"{product.url}/api/openapi.json")
    described = document[f"{PREFIX}{operation.path}"][operation.method]
    statuses: list[int] = []

    def call(case: Any) -> None:
        if len(statuses) % 2 == 0:
            case.path_parameters = dict.fromkeys(case.path_parameters or {}, real_id) | {
                name: REAL_PLACES[name] for name in case.path_parameters or {} if name in REAL_PLACES
            }
            if mode is GenerationMode.POSITIVE and operation.name in ACCEPTED_BODIES:
                case.body = ACCEPTED_BODIES[operation.name]
            if operation.form is not None and isinstance(case.body, dict):
                case.body = case.body | {"audio": kick()}
        headers = {"Authorization": f"Bearer {secret}"}
        answer = case.call(headers=headers, allow_redirects=False, timeout=30)
        statuses.append(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    limits = bounded if mode is GenerationMode.POSITIVE else settings(bounded, max_examples=EXAMPLES // 3)
    with suppress(Unsatisfiable):  # an operation that takes nothing can't be sent anything wrong
        limits(given(case=described.as_strategy(generation_mode=mode))(call))()
    assert mode is GenerationMode.NEGATIVE or set(statuses) - {404, 422}, (
        f"nothing but {set(statuses)}: the calls never got through"
    )


def test_the_commands_of_the_api_guide_work_with_curl(product: Product, secret: str, tmp_path: Path) -> None:
    """Only the address, the token and the file differ from docs/api.md."""
    guide = (ROOT / "docs" / "api.md").read_text()
    (walk,) = [block for block in BLOCKS.findall(guide) if "Idempotency-Key" in block]
    walk = walk.replace("https://samples.example.com", product.url).replace("sp404_…", secret)
    (tmp_path / "loop.wav").write_bytes(drum_loop(93))
    assert shutil.which("curl")
    ran = subprocess.run(
        ["sh", "-euc", walk], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert '"status":"completed"' in ran.stdout
    assert ran.stdout.count('"name":"loop"') == 2, "found by its name, and by what was asked for"
    assert (tmp_path / "original.wav").read_bytes() == drum_loop(93)
    assert (tmp_path / "sp404.wav").read_bytes()[:4] == b"RIFF"


def test_no_token_is_in_the_log_or_the_database(product: Product, secret: str) -> None:
    """This runs after the tests above, and after a request with a token in the wrong place."""
    other = "sp404_" + "x" * 36
    httpx.get(f"{product.url}/api/samples", params={"token": secret})
    httpx.get(f"{product.url}/api/samples", headers={"Authorization": f"Bearer {other}"})
    kept = [product.log_path, *product.data_dir.rglob("*")]
    for path in (path for path in kept if path.is_file()):
        content = path.read_bytes()
        assert secret.encode() not in content, path
        assert other.encode() not in content, path
    assert json.dumps("GET /api") not in product.log
