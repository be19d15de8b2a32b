"""A client generated from the OpenAPI document uses the whole API with its own types."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.api.test_live import secret
from tests.live import Producer, Product
from tests.support import drum_loop

__all__ = ["secret"]
NAME = "sample_client"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with Product(tmp_path_factory.mktemp("client") / "data") as served:
        yield served


@pytest.fixture(scope="module")
def producer(product: Product) -> Producer:
    made = Producer(product)
    made.post("/demo")
    return made


@pytest.fixture(scope="module")
def made(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The generated package. A warning of the generator fails: it means that something was left out."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "config.json").write_text(json.dumps({"package_name_override": NAME, "post_hooks": []}))
    command = [str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--fail-on-warning"]
    options = ["--url", f"{product.url}/api/openapi.json", "--config", str(folder / "config.json")]
    where = ["--output-path", str(folder / "out"), "--meta", "none"]
    ran = subprocess.run([*command, *options, *where], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "arning" not in ran.stdout + ran.stderr
    (folder / "out").rename(folder / NAME)
    sys.path.insert(0, str(folder))
    yield importlib.import_module(NAME)
    sys.path.remove(str(folder))


class Api:
    """Call the generated functions by the names of their operations."""

    def __init__(self, made: ModuleType, url: str, secret: str) -> None:
        self.client = made.AuthenticatedClient(base_url=url, token=secret, raise_on_unexpected_status=True)
        self.models = importlib.import_module(f"{NAME}.models")
        self.types = importlib.import_module(f"{NAME}.types")

    def call(self, operation: str, *arguments: Any, **options: Any) -> Any:
        """Return the typed answer; the client raises on a status that is not in the document."""
        module = importlib.import_module(f"{NAME}.api.default.{operation}")
        answer = module.sync_detailed(*arguments, client=self.client, **options)
        self.status = int(answer.status_code)
        self.headers = answer.headers
        return answer.parsed


@pytest.fixture
def api(made: ModuleType, product: Product, secret: str) -> Api:
    return Api(made, product.url, secret)


def test_a_generated_client_uploads_edits_downloads_and_deletes(api: Api) -> None:
    job = _finished(api, _uploaded(api))
    assert (job.status, job.filename) == ("completed", "Loop 93.wav")

    found = api.call("list_samples", q="loop", sort=api.models.ListSamplesSort("newest"), limit=10)
    assert (found.total, found.next_after, found.samples[0].id) == (1, None, job.sample_id)
    sample = api.call("show_sample", job.sample_id)
    assert (sample.bpm, sample.kind, sample.liked) == (93.0, "loop", False)
    assert sample.vibe.description == "A snappy drum loop at 93 BPM."

    patch = api.models.SamplePatch(name="Mine", tags=["dusty"], bpm=None, liked=True)
    edited = api.call("edit_sample", job.sample_id, body=patch)
    assert (edited.name, edited.tags, edited.bpm, edited.liked) == ("Mine", ["dusty"], None, True)
    assert edited.key == sample.key, "what is not sent is not changed"

    api.call("download_sample", job.sample_id, format_=api.models.DownloadSampleFormat("original"))
    assert api.status == 302
    url = httpx.URL(str(api.client.get_httpx_client().base_url)).join(api.headers["Location"])
    assert httpx.get(url).content == drum_loop(93)

    usage = api.call("show_usage")
    assert (usage.plan, usage.period, usage.uploads.used) == ("pro", "month", 1)
    assert usage.storage_bytes.used == len(drum_loop(93))

    assert api.call("delete_sample", job.sample_id) is None
    assert api.status == 204
    problem = api.call("show_sample", job.sample_id)
    assert (api.status, problem.status, problem.title) == (404, 404, "Not Found")


def test_a_generated_client_reads_problems(api: Api) -> None:
    refused = api.call("upload", body=_file(api, "list.wav", b"%PDF-1.7"))
    assert (api.status, "looks like PDF" in refused.detail) == (422, True)
    told = api.call("start_upload", body=api.models.LinkRequest(filename="a.wav", size_bytes=1))
    assert (api.status, told.title) == (409, "Conflict")
    api.call("complete_upload", "0" * 26)
    assert api.status == 404


def _uploaded(api: Api) -> str:
    body = _file(api, "Loop 93.wav", drum_loop(93))
    answer = api.call("upload", body=body, idempotency_key="walk")
    assert (api.status, answer.message) == (202, "Queued.")
    again = api.call("upload", body=_file(api, "Loop 93.wav", drum_loop(93)), idempotency_key="walk")
    assert again.job_id == answer.job_id
    return str(answer.job_id)


def _file(api: Api, name: str, content: bytes) -> Any:
    audio = api.types.File(payload=BytesIO(content), file_name=name, mime_type="audio/wav")
    return api.models.UploadForm(audio=audio, export_sp404=True)


def _finished(api: Api, job_id: str) -> Any:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        job = api.call("show_job", job_id)
        if job.finished_at is not None:
            return job
        time.sleep(0.2)
    raise AssertionError(f"not finished within a minute: {job}")
