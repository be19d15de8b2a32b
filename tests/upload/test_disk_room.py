"""Uploads reserve the disk they need before they are read, and a full disk refuses them in a sentence."""

from __future__ import annotations

import errno
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from flask import Flask

from app.extensions import db, settings
from app.models import Job
from app.upload import spool
from tests.support import ApiScript, Browser, kick

Disk = namedtuple("Disk", "total used free")
GB = 10**9


@pytest.fixture
def free_gb(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Say what is free of a disk of 100 GB; 5 of them are never given away."""
    free = [50.0]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(100 * GB, 0, int(free[0] * GB)))
    return free


def left_behind() -> list[Path]:
    folders = (settings().data_dir / name for name in ("tmp", "store"))
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def test_what_one_upload_needs_is_not_there_for_another(app: Flask, free_gb: list[float]) -> None:
    first = spool.reserve_room(20 * GB)  # twice that: as received, and as stored
    with pytest.raises(spool.DiskFullError, match="nearly full"):
        spool.reserve_room(3 * GB)
    second = spool.reserve_room(2 * GB)
    first.release()
    first.release()
    third = spool.reserve_room(20 * GB)
    for room in (second, third):
        room.release()
    assert left_behind() == []


def test_what_has_arrived_is_no_longer_reserved(app: Flask, free_gb: list[float]) -> None:
    room = spool.reserve_room(20 * GB)
    room.use(15 * GB)
    free_gb[0] -= 15
    spool.reserve_room(2 * GB).release()
    with pytest.raises(spool.DiskFullError):
        spool.reserve_room(3 * GB)
    room.release()


@pytest.mark.parametrize("call", ["app.upload.spool.os.pwrite", "pathlib.Path.rename"])
def test_a_disk_too_full_for_the_reservation_itself_leaves_nothing_open(
    app: Flask, free_gb: list[float], monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    spool.spool_folder()
    before = len(os.listdir("/proc/self/fd"))
    with monkeypatch.context() as patched:
        patched.setattr(call, lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left")))
        for _ in range(20):
            with pytest.raises(spool.DiskFullError):
                spool.reserve_room(GB)
    assert len(os.listdir("/proc/self/fd")) == before
    assert left_behind() == []


def test_an_object_store_needs_no_second_copy_on_this_disk(
    app: Flask, free_gb: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings().model_copy(update={"s3_bucket": "samples"})
    monkeypatch.setitem(app.config, "SETTINGS", config)
    spool.reserve_room(40 * GB).release()


def test_a_reservation_of_a_killed_process_counts_no_more(app: Flask, free_gb: list[float]) -> None:
    abandoned = spool.spool_folder() / f"{spool.RESERVATION_PREFIX}abandoned"
    abandoned.write_bytes(b"%020d" % (40 * GB))
    spool.reserve_room(20 * GB).release()
    assert not abandoned.exists()


def test_a_nearly_full_disk_refuses_before_anything_is_stored(
    script: ApiScript, as_owner: Browser, free_gb: list[float]
) -> None:
    free_gb[0] = 4.9
    by_script = script.upload("kick.wav", kick())
    assert (by_script.status_code, by_script.content_type) == (507, "application/problem+json")
    assert "uploads are paused. Nothing was stored" in by_script.get_json()["detail"]
    assert int(by_script.headers["Retry-After"]) > 0
    by_page = as_owner.upload(("kick.wav", kick()))
    assert (by_page.status_code, by_page.get_json()["error"]) == (507, spool.NEARLY_FULL)
    assert as_owner.post("/upload/demo-sounds").status_code == 303
    assert "disk is nearly full, so uploads are paused" in as_owner.get("/upload").text
    assert left_behind() == []
    assert db.session.query(Job).count() == 0


def test_a_store_whose_disk_is_full_refuses_and_keeps_nothing(
    script: ApiScript, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_half(source: Path, target: Path) -> None:
        Path(target).write_bytes(source.read_bytes()[:1000])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", write_half)
    assert script.upload("kick.wav", kick()).status_code == 507
    assert left_behind() == []


def test_other_errors_of_the_system_are_not_taken_for_a_full_disk(
    script: ApiScript, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(shutil, "disk_usage", fail)
    assert script.upload("kick.wav", kick()).status_code == 500
