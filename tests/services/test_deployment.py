"""The main job on PostgreSQL, Redis, S3 and SMTP, chosen by settings alone, and on none of them."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack
from email.message import Message
from io import BytesIO
from pathlib import Path

import pytest
import soundfile

from tests.live import EngineProcess, Producer, Product
from tests.otlp_receiver import running_receiver
from tests.services.conftest import BUCKET, Inbox, s3_client
from tests.support import PASSWORD, chord, drum_loop, silence

pytestmark = pytest.mark.services
SPANS_OF_AN_UPLOAD = {
    "sp404-web": ("POST /upload", "store put"),
    "sp404-worker": ("job upload", "engine process", "store copy", "complete job"),
    "sp404-engine": ("engine work", "engine download", "engine child"),
}
SECRET = "a secret for tests, long enough to be taken"


def registered(product: Product) -> Producer:
    producer = Producer(product)
    answer = producer.post("/register", email="p@example.com", password=PASSWORD, timezone="UTC")
    assert answer.url.path == "/upload", answer.text
    return producer


def registered_by_mail(product: Product, inbox: Inbox) -> Producer:
    """Register by the link in the mail, because there is a mail server."""
    producer = Producer(product)
    producer.post("/register", email="p@example.com")
    message = wait_for_mail(inbox, 1)
    assert (message["To"], message["Subject"]) == ("p@example.com", "Finish signing up")
    link = re.search(rf"{product.url}(/register/\S+)", text_of(message))
    assert link is not None
    assert producer.post(link.group(1), password=PASSWORD, timezone="UTC").url.path == "/upload"
    return producer


def wait_for_mail(inbox: Inbox, count: int) -> Message:
    """Return the last of exactly this many mails."""
    until = time.monotonic() + 20
    while len(inbox.messages) < count and time.monotonic() < until:
        time.sleep(0.1)
    assert len(inbox.messages) == count
    return inbox.messages[-1]


def stored_keys(s3_settings: dict[str, str]) -> set[str]:
    found = s3_client(s3_settings).list_objects_v2(Bucket=BUCKET)
    return {entry["Key"] for entry in found.get("Contents", [])}


def text_of(message: Message) -> str:
    for part in message.walk():
        if part.get_content_type() == "text/plain":
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            return payload.decode()
    raise AssertionError("no text part")


def test_the_main_job_on_postgres_redis_s3_and_smtp(
    tmp_path: Path,
    postgres_url: str,
    redis_url: str,
    s3_settings: dict[str, str],
    mail_server: tuple[str, Inbox],
) -> None:
    smtp_url, inbox = mail_server
    earlier = stored_keys(s3_settings)
    product = Product(
        tmp_path / "data",
        DATABASE_URL=postgres_url,
        REDIS_URL=redis_url,
        SMTP_URL=smtp_url,
        SECRET_KEY=SECRET,
        MAIL_FROM="agent@example.com",
        FREE_TIER_DELAY_S="0",
        **s3_settings,
    )
    with product:
        producer = registered_by_mail(product, inbox)
        producer.upload(("Break 93.wav", drum_loop(93)), ("Chord.wav", chord()), ("list.wav", b"#EXTM3U\nx"))
        cards = producer.wait_for_jobs(2)
        assert "C min" in cards
        message = wait_for_mail(inbox, 2)
        assert message["Subject"] == "2 samples are ready"
        assert message["To"] == "p@example.com"
        link = re.search(rf"{product.url}/samples/\w+", text_of(message))
        assert link is not None
        page = producer.http.get(link.group())
        assert page.status_code == 200
        wav = producer.http.get(f"{link.group()}/sp404")
        assert str(wav.url).startswith(s3_settings["S3_ENDPOINT_URL"])
        info = soundfile.info(BytesIO(wav.content))
        assert (info.samplerate, info.subtype) == (48000, "PCM_16")
        stored = sorted(key.split("/")[-1] for key in stored_keys(s3_settings) - earlier)
        assert stored == sorted(2 * ["original.wav", "sp404.wav"])
    assert not (tmp_path / "data" / "library.db").exists()
    assert not (tmp_path / "data" / "store").exists()


def test_workers_and_an_engine_of_its_own_share_only_a_bucket(
    tmp_path: Path, s3_settings: dict[str, str]
) -> None:
    """The engine runs as in the Procfile, without a key to the bucket; it gets files by signed links."""
    place = {name: value for name, value in s3_settings.items() if "KEY" not in name}
    with ExitStack() as running:
        receiver = running.enter_context(running_receiver())
        traces = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        traces |= {"OTEL_BSP_SCHEDULE_DELAY": "100"}
        started = EngineProcess(tmp_path, app="app.engine.service", **place, **traces)
        engine = running.enter_context(started)
        elsewhere = engine.for_workers | {"BASE_URL": "http://127.0.0.1:5000"}
        with Product(
            tmp_path / "web", SECRET_KEY=SECRET, FREE_TIER_DELAY_S="0", **s3_settings, **elsewhere, **traces
        ) as product:
            producer = registered(product)
            producer.upload(("Break 93.wav", drum_loop(93)), ("Chord.wav", chord()))
            cards = producer.wait_for_jobs(2)
            assert cards.count('class="card completed"') == 2, product.log
            assert "C min" in cards
            assert engine.log.count("ended: success") == 2
            receiver.wait_for("POST /upload", "job upload", "engine work")
        assert list((engine.data_dir / "tmp").iterdir()) == []
        # Everything about both files, in three processes, is one trace: they came with one request.
        trace = receiver.trace_of("POST /upload")
        found = {(span.service, span.name) for span in trace}
        for service, names in SPANS_OF_AN_UPLOAD.items():
            assert found >= {(service, name) for name in names}
        assert [span.name for span in trace].count("engine child") == 2


def test_ctrl_c_leaves_no_process_and_the_next_start_finishes_the_running_job(tmp_path: Path) -> None:
    product, mails = Product(tmp_path / "data"), tmp_path / "data" / "mail"
    product.start()
    producer = Producer(product)
    producer.post("/demo")
    count = 12
    producer.upload(*[(f"{number}.wav", drum_loop(80 + number) + bytes(number)) for number in range(count)])
    assert product.stop() == 0
    assert product.processes() == []
    with product:
        page = producer.wait_for_jobs(count)
        assert page.count('class="card completed"') == count, product.log
        until = time.monotonic() + 20
        while not list(mails.glob("*.eml")) and time.monotonic() < until:
            time.sleep(0.1)
    assert product.processes() == []
    assert len(list(mails.glob("*.eml"))) == 1
    assert list((tmp_path / "data" / "tmp").iterdir()) == []


def test_a_killed_worker_loses_no_job(tmp_path: Path, postgres_url: str, redis_url: str) -> None:
    """After kill -9 in the middle, another worker takes the job, and it completes once."""
    import os
    import signal
    import subprocess

    product = Product(
        tmp_path / "data",
        DATABASE_URL=postgres_url,
        REDIS_URL=redis_url,
        SECRET_KEY=SECRET,
        FREE_TIER_DELAY_S="0",
    )
    with product:
        producer = registered(product)
        producer.upload(("long.wav", silence(100)), ("short.wav", drum_loop()))
        time.sleep(0.5)
        found = subprocess.run(
            ["pgrep", "-f", "huey_consumer app.worker.huey"], capture_output=True, text=True
        )
        ours = [
            int(pid)
            for pid in found.stdout.split()
            if f"DATA_DIR={product.data_dir}".encode() in Path(f"/proc/{pid}/environ").read_bytes()
        ]
        assert ours
        for pid in ours:
            os.kill(pid, signal.SIGKILL)
        assert product.process is not None
        product.process.wait(30)
        product.start()
        page = producer.wait_for_jobs(2)
        assert page.count('class="card completed"') == 2, product.log
