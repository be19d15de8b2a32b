"""Files that go straight to the bucket: what a link lets in, and what completing it makes of it."""

from __future__ import annotations

import hashlib
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.billing import plans, quota
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.jobs import run, sweeps
from app.models import Batch, DirectUpload, Job, Sample, Usage, User
from app.models.base import transaction, utcnow
from app.upload import direct, intake
from tests.live import ROOT, Producer, Product
from tests.services.conftest import BUCKET, s3_client
from tests.services.gate import Gate
from tests.support import PASSWORD, Browser, Script, chord, kick

pytestmark = pytest.mark.services
SECRET = "a secret for tests, long enough to be taken"
URL = "http://127.0.0.1:5000"
PDF = b"%PDF-1.7 nothing"


@pytest.fixture
def environ(environ: dict[str, str], s3_settings: dict[str, str], gate: Gate) -> dict[str, str]:
    outside = {"SECRET_KEY": SECRET, "BASE_URL": URL, "S3_ENDPOINT_URL": gate.url}
    return environ | s3_settings | outside


def link(script: Script, content: bytes, name: str = "Kick 01.wav", **wishes: Any) -> dict[str, Any]:
    answer = script.call("POST", "/api/uploads", json={"filename": name, "size_bytes": len(content)} | wishes)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.get_json()
    return told


def send(told: dict[str, Any], content: bytes, **headers: str) -> int:
    return httpx.request(
        told["method"], told["url"], content=content, headers=told["headers"] | headers
    ).status_code


def complete(script: Script, told: dict[str, Any]) -> Any:
    return script.call("POST", f"/api/uploads/{told['upload_id']}/job")


def keys(user: User) -> list[str]:
    found = s3_client(_at()).list_objects_v2(Bucket=BUCKET)
    return sorted(entry["Key"] for entry in found.get("Contents", []) if user.id in entry["Key"])


def put(key: str, content: bytes) -> None:
    """As somebody could whom no signature stops."""
    s3_client(_at()).put_object(Bucket=BUCKET, Key=key, Body=content)


def _at() -> dict[str, str]:
    now = settings()
    names = ("s3_endpoint_url", "s3_access_key_id", "s3_secret_access_key", "s3_region")
    return {name.upper(): str(getattr(now, name)) for name in names}


def rows(table: type) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_a_file_sent_to_its_link_becomes_a_sample(script: Script, owner: User) -> None:
    content = kick()
    told = link(script, content, ai_analysis=False)
    assert send(told, content) == 200
    answer = complete(script, told)
    assert (answer.status_code, answer.get_json()["job_id"]) == (202, told["upload_id"])
    assert set(answer.get_json()) == {"job_id", "status", "estimated_completion", "message"}
    now = quota.standing(owner)
    assert (now.uploads, now.storage_bytes) == (1, len(content))
    run.run_next()
    sample = db.session.scalars(select(Sample)).one()
    assert (sample.name, sample.format, sample.vibe) == ("Kick 01", "WAV", {})
    assert sample.content_sha256 == hashlib.sha256(content).hexdigest()
    got = httpx.get(script.get(f"/api/samples/{sample.id}/download").headers["Location"])
    assert got.content == content
    assert [key.split("/")[-1] for key in keys(owner)] == ["original.wav", "sp404.wav"]


def test_the_page_does_the_same_and_knows_the_file_again(as_owner: Browser) -> None:
    content = chord()
    told = as_owner.post("/upload/links", filename="Chord.wav", size_bytes=len(content)).get_json()
    assert send(told, content) == 200
    assert as_owner.post(told["job_url"]).status_code == 201
    run.run_next()
    sha256 = hashlib.sha256(content).hexdigest()
    assert as_owner.get(f"/upload/known/{sha256}").get_json()["name"] == "Chord"


def test_a_link_takes_only_what_was_promised(script: Script, gate: Gate) -> None:
    content = kick()
    told = link(script, content)
    assert send(told, content + b"x") == 403
    assert send(told, content[:-1]) == 403
    assert send(told, content, **{"Content-Type": "text/html"}) == 403
    elsewhere = told | {"url": told["url"].replace("/arrived", "/other")}
    assert send(elsewhere, content) == 403
    assert send(told | {"url": told["url"].split("?")[0]}, content) == 403
    gate.later = timedelta(minutes=15, seconds=5)
    assert send(told, content) == 403
    gate.later = timedelta(minutes=14)
    assert send(told, content) == 200


def test_completing_twice_makes_one_job(script: Script, owner: User) -> None:
    told = link(script, kick())
    send(told, kick())
    answers = [complete(script, told) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {202}
    assert {answer.get_json()["job_id"] for answer in answers} == {told["upload_id"]}
    assert (rows(Job), quota.standing(owner).uploads) == (1, 1)


def test_of_completions_at_once_one_makes_the_job(app: Flask, script: Script, owner: User) -> None:
    told = link(script, kick())
    send(told, kick())
    path, headers = f"/api/uploads/{told['upload_id']}/job", {"Authorization": f"Bearer {script.secret}"}

    def complete_it(_: int) -> int:
        return app.test_client(use_cookies=False).post(path, headers=headers).status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(complete_it, range(6))) == {202}
    db.session.commit()
    assert (rows(Job), quota.standing(owner).uploads) == (1, 1)
    job = db.session.scalars(select(Job)).one()
    assert job.incoming_key in keys(owner)
    run.run_next()
    assert rows(Sample) == 1


@pytest.mark.parametrize("request_", ["HEAD", "GET", "PUT"])
def test_a_completion_that_is_overtaken_answers_with_the_job(
    script: Script, app: Flask, owner: User, gate: Gate, request_: str
) -> None:
    """Whichever of the slower one's requests finds the file gone."""
    told = link(script, kick())
    send(told, kick())
    path, headers = f"/api/uploads/{told['upload_id']}/job", {"Authorization": f"Bearer {script.secret}"}
    faster: list[int] = []

    def overtake() -> None:
        faster.append(app.test_client(use_cookies=False).post(path, headers=headers).status_code)

    gate.meanwhile[request_] = overtake
    answer = complete(script, told)
    assert (answer.status_code, faster) == (202, [202])
    assert answer.get_json()["job_id"] == told["upload_id"]
    assert (rows(Job), quota.standing(owner).uploads) == (1, 1)
    assert len(keys(owner)) == 1


def test_what_has_not_arrived_can_arrive_yet(script: Script) -> None:
    told = link(script, kick())
    early = complete(script, told)
    assert (early.status_code, early.content_type) == (409, "application/problem+json")
    assert "has not arrived yet" in early.get_json()["detail"]
    send(told, kick())
    assert complete(script, told).status_code == 202


@pytest.mark.parametrize(
    ("came", "sentence"),
    [
        (PDF, "is not audio we can read (looks like PDF)"),
        (b"", "is empty (0 bytes)"),
        (kick() + b"more", "bytes instead of"),
    ],
)
def test_what_is_refused_says_why_and_is_removed(
    script: Script, owner: User, came: bytes, sentence: str
) -> None:
    told = link(script, PDF if came == PDF else kick())
    put(db.session.scalars(select(DirectUpload)).one().arrival_key, came)
    for _ in range(2):
        answer = complete(script, told)
        assert answer.status_code == 422
        assert sentence in answer.get_json()["detail"]
    assert (rows(Job), rows(Usage), keys(owner)) == (0, 0, [])
    assert db.session.scalars(select(Batch)).one().refused == 1


def test_what_is_over_the_plan_is_refused_before_and_after(app: Flask, freeloader: User) -> None:
    script = Script(app, freeloader)
    big = {"filename": "big.wav", "size_bytes": 10 * plans.MB + 1}
    answer = script.call("POST", "/api/uploads", json=big)
    assert "larger than the 10 MB a file that Free takes" in answer.get_json()["detail"]
    told = link(script, kick())
    with transaction() as session:
        session.add(
            Usage(user_id=freeloader.id, kind="storage", entry_key="filled", quantity=100 * plans.MB - 100)
        )
    send(told, kick())
    assert "of samples you no longer need" in complete(script, told).get_json()["detail"]
    assert keys(freeloader) == []
    answer = script.call("POST", "/api/uploads", json={"filename": "a.wav", "size_bytes": 1000})
    assert "of samples you no longer need" in answer.get_json()["detail"]


def test_links_that_are_out_take_up_room(app: Flask, freeloader: User) -> None:
    script = Script(app, freeloader)
    file = {"filename": "a.wav", "size_bytes": 10 * plans.MB}
    codes = [script.call("POST", "/api/uploads", json=file).status_code for _ in range(11)]
    assert codes == [201] * 10 + [422]
    with transaction() as session:
        session.execute(update(DirectUpload).values(created_at=utcnow() - timedelta(minutes=16)))
    assert script.call("POST", "/api/uploads", json=file).status_code == 201


def test_nobody_completes_what_is_not_theirs(
    app: Flask, script: Script, stranger: User, as_stranger: Browser
) -> None:
    told = link(script, kick())
    send(told, kick())
    assert complete(Script(app, stranger), told).status_code == 404
    assert as_stranger.post(f"/upload/links/{told['upload_id']}/job").status_code == 404
    assert complete(script, told).status_code == 202
    assert complete(Script(app, stranger), told).status_code == 404


def test_a_link_that_is_used_again_changes_no_job(script: Script) -> None:
    first, second = kick(), kick()[:-1] + b"\x7f"
    told = link(script, first)
    send(told, first)
    complete(script, told)
    assert send(told, second) == 200
    run.run_next()
    sample = db.session.scalars(select(Sample)).one()
    assert sample.content_sha256 == hashlib.sha256(first).hexdigest()


def test_what_changes_while_it_is_looked_at_is_not_taken(
    script: Script, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = link(script, kick())
    send(told, kick())
    seen = intake.checked_format

    def then_changed(name: str, head: bytes) -> Any:
        send(told, kick()[:-1] + b"\x7f")
        return seen(name, head)

    with monkeypatch.context() as patch:
        patch.setattr("app.upload.intake.checked_format", then_changed)
        answer = complete(script, told)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert rows(Job) == 0
    assert complete(script, told).status_code == 202


def test_what_is_never_completed_is_swept(script: Script, owner: User) -> None:
    told = link(script, kick())
    send(told, kick())
    direct.purge()
    assert len(keys(owner)) == 1
    with transaction() as session:
        session.execute(update(DirectUpload).values(created_at=utcnow() - timedelta(hours=4)))
    direct.purge()
    assert (keys(owner), rows(DirectUpload)) == ([], 0)
    assert complete(script, told).status_code == 404


def test_what_a_late_link_left_behind_is_an_orphan(
    script: Script, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = link(script, kick())
    send(told, kick())
    complete(script, told)
    send(told, kick())
    monkeypatch.setattr(sweeps, "OLD_OBJECT", -timedelta(minutes=1))
    sweeps.orphans()
    assert keys(owner) == [db.session.scalars(select(Job.incoming_key)).one()]


def test_the_store_being_down_loses_nothing(script: Script, gate: Gate) -> None:
    told = link(script, kick())
    send(told, kick())
    gate.is_shut = True
    answer = complete(script, told)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    gate.is_shut = False
    assert complete(script, told).status_code == 202


def test_the_cors_command_lets_in_the_product_and_nobody_else(app: Flask, script: Script) -> None:
    ran = app.test_cli_runner().invoke(args=["storage", "cors"])
    assert f"Pages of {URL} may send files" in ran.output
    told = link(script, kick())
    for origin, code in ((URL, 200), ("https://elsewhere.example", 403)):
        asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
        answer = httpx.options(told["url"], headers=asked)
        assert answer.status_code == code
        assert ("Access-Control-Allow-Origin" in answer.headers) == (code == 200)


def test_an_endpoint_gets_path_links_and_amazon_regional_ones(app: Flask, environ: dict[str, str]) -> None:
    from app.config import Settings

    assert direct._bucket().upload_url("k", 1).startswith(f"{environ['S3_ENDPOINT_URL']}/{BUCKET}/k?")
    amazon = {n: v for n, v in environ.items() if n != "S3_ENDPOINT_URL"} | {"S3_REGION": "eu-west-1"}
    url = open_store(Settings.from_env(amazon)).url("k", content_type="audio/wav")
    assert url.startswith(f"https://{BUCKET}.s3.eu-west-1.amazonaws.com/k?")


def test_the_walk_of_the_readme_past_the_app(environ: dict[str, str], gate: Gate, tmp_path: Path) -> None:
    """By curl, run as it stands there but for address and token."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
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
