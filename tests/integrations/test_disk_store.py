"""Files on disk as a store: replaced as a whole, deleted with their folders, linked for 15 minutes."""

from __future__ import annotations

import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.integrations.storage.disk_store import DiskStore, InvalidLinkError
from app.integrations.storage.interface import ObjectMissingError, StorageError


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "store", ["a key to sign with"], "/app")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(bytes(range(100)))
    return path


def everything(store: DiskStore) -> list[str]:
    return sorted(path.relative_to(store.root).as_posix() for path in store.root.rglob("*"))


def test_objects_are_stored_read_copied_and_deleted_with_their_folders(
    store: DiskStore, source: Path, tmp_path: Path
) -> None:
    for key in ("a/b/c.wav", "a/d.wav"):
        store.put(key, source, "audio/wav")
    store.copy("a/d.wav", "e/f.wav")
    assert everything(store) == ["a", "a/b", "a/b/c.wav", "a/d.wav", "e", "e/f.wav"]
    assert store.read("e/f.wav", 10, 5) == bytes(range(10, 15))
    store.fetch("a/b/c.wav", tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == source.read_bytes()
    for _ in range(2):
        store.delete("a/b/c.wav")
        assert everything(store) == ["a", "a/d.wav", "e", "e/f.wav"]
    store.delete("a/d.wav")
    store.delete("e/f.wav")
    assert everything(store) == []
    assert store.root.is_dir()
    with pytest.raises(ObjectMissingError):
        store.read("a/d.wav", 0, 1)
    with pytest.raises(ObjectMissingError):
        store.fetch("a/d.wav", tmp_path / "fetched")


def test_a_copy_that_breaks_off_leaves_the_old_file_and_no_draft(
    store: DiskStore, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("a/b.wav", source, "audio/wav")

    def broken(_: Path, draft: Path) -> None:
        draft.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(shutil, "copyfile", broken)
    with pytest.raises(StorageError):
        store.put("a/b.wav", source, "audio/wav")
    assert everything(store) == ["a", "a/b.wav"]
    assert store.read("a/b.wav", 0, 4) == bytes(range(4))


def test_a_folder_that_another_process_removes_meanwhile_is_made_again(
    store: DiskStore, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.copyfile
    removed: list[Path] = []

    def remove_first(taken: Path, draft: Path) -> object:
        if not removed:
            removed.append(draft.parent)
            draft.parent.rmdir()
        return real(taken, draft)

    monkeypatch.setattr(shutil, "copyfile", remove_first)
    store.put("a/b.wav", source, "audio/wav")
    assert everything(store) == ["a", "a/b.wav"]


@pytest.mark.parametrize("key", ["../source", "/etc/passwd", "", "a/../../source"])
def test_no_key_leads_out_of_the_store(store: DiskStore, source: Path, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        store.put(key, source, "audio/wav")


def test_old_objects_and_all_objects_are_listed(store: DiskStore, source: Path) -> None:
    noon = datetime(2026, 11, 30, 12, tzinfo=UTC)
    for seconds, key in ((-1, "in/old"), (0, "in/at"), (1, "in/new"), (-1, "out/old")):
        store.put(key, source, "")
        os.utime(store.root / key, (noon.timestamp() + seconds,) * 2)
    (store.root / "in" / "draft.part").write_bytes(b"half")
    os.utime(store.root / "in" / "draft.part", (noon.timestamp() - 1,) * 2)
    assert list(store.older_than("in/", noon)) == ["in/draft.part", "in/old"]
    listed = {found.key: found for found in store.list_objects()}
    assert set(listed) == {"in/old", "in/at", "in/new", "out/old"}
    assert {found.size_bytes for found in listed.values()} == {100}
    store.put("in/old", source, "")
    assert {found.version for found in store.list_objects()} != {found.version for found in listed.values()}


def test_a_link_opens_its_object_for_a_quarter_of_an_hour(
    store: DiskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = store.url("a/b.wav", content_type="audio/wav", download_name="Kick: 1.wav")
    assert link.startswith("/app/media/")
    token, now = link.removeprefix("/app/media/"), time.time()
    path, content_type, name = store.open_link(token)
    assert (path, content_type) == (store.root / "a/b.wav", "audio/wav")
    assert name is not None
    assert name.startswith("Kick")
    plain = store.url("a/b.wav", content_type="audio/wav").removeprefix("/app/media/")
    assert store.open_link(plain)[2] is None
    for seconds, works in ((890, True), (910, False)):
        monkeypatch.setattr(time, "time", lambda after=seconds: now + after)
        if works:
            assert store.open_link(token)[0] == path
        else:
            with pytest.raises(InvalidLinkError):
                store.open_link(token)
    monkeypatch.undo()
    for forged in (token[:-2], "x" + token, ""):
        with pytest.raises(InvalidLinkError):
            store.open_link(forged)


def test_a_store_is_reachable_where_it_may_write(store: DiskStore, tmp_path: Path) -> None:
    for _ in range(2):
        store.check_reachable()
        assert everything(store) == []
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError):
        DiskStore(tmp_path / "file", ["key"]).check_reachable()
    deep = DiskStore(tmp_path / "new" / "deep" / "store", ["key"])
    assert list(deep.list_objects()) == []
    deep.check_reachable()
    assert deep.root.is_dir()
