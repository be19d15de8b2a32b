"""Many samples as one ZIP: the right files, safe and unique names, and a report of what was done."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from zipfile import ZipFile

import pytest
import soundfile
from sqlalchemy import func, select

from app.collections import moves
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.library import bulk_download
from app.models import Sample, Usage, User
from app.models.base import transaction
from app.models.sample_places import SamplePlace
from app.models.usage import EXPORT
from tests.query_counter import counted_queries
from tests.search.test_text_conditions import shelve
from tests.support import Browser, drum_loop, finished_job, kick

Files = Mapping[str, bytes]


@pytest.fixture
def uploaded(as_owner: Browser) -> list[Sample]:
    """Return three samples; two have the same file name, which begins as a formula does."""
    files = (("=Break.wav", drum_loop(93)), ("=Break.wav", drum_loop(120)), ("Kick.wav", kick()))
    return [db.session.get_one(Sample, finished_job(as_owner, *each).sample_id) for each in files]


def download(browser: Browser, samples: list[Sample], files: str) -> Files:
    answer = browser.post("/selected/download", sample=[each.id for each in samples], **{"set-files": files})
    assert answer.mimetype == "application/zip", answer.text
    with ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def report(files: Files) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files["report.csv"].decode())))


def exports() -> int:
    return db.session.scalar(select(func.count()).where(Usage.kind == EXPORT)) or 0


def test_wavs_for_the_unit(as_owner: Browser, uploaded: list[Sample]) -> None:
    files = download(as_owner, uploaded, "sp404")
    wavs = {name: content for name, content in files.items() if name != "report.csv"}
    assert len({name.lower() for name in wavs}) == 3
    for content in wavs.values():
        info = soundfile.info(io.BytesIO(content))
        assert (info.samplerate, info.subtype, info.format) == (48_000, "PCM_16", "WAV")
    rows = report(files)
    assert [row["file"].removeprefix("'") for row in rows] == [*wavs]
    assert {row["note"] for row in rows} == {"from WAV at 44.1 kHz to 48 kHz, 16 bits"}
    assert rows[0]["sample"] == "'=Break"
    assert rows[0]["BPM"] == "93.00"
    assert exports() == 3


@pytest.mark.parametrize("files", ["sp404", "original"])
def test_folders_are_kept(as_owner: Browser, owner: User, uploaded: list[Sample], files: str) -> None:
    moves.move_samples(owner, [each.id for each in uploaded[:2]], SamplePlace("Pack: 1", "Drums/aux"))
    found = download(as_owner, uploaded, files)
    names = [*found]
    assert [name.rpartition("/")[0] for name in names] == ["Pack_ 1/Drums/_aux", "Pack_ 1/Drums/_aux", "", ""]
    assert len({name.lower() for name in names}) == 4
    assert [row["file"].removeprefix("'") for row in report(found)] == names[:3]


def test_originals_byte_for_byte(as_owner: Browser, uploaded: list[Sample]) -> None:
    files = download(as_owner, uploaded, "original")
    assert [*files] == ["=Break.wav", "=Break (2).wav", "Kick.wav", "report.csv"]
    assert files["=Break (2).wav"] == drum_loop(120)
    assert files["Kick.wav"] == kick()


def test_files_of_several_pieces_are_whole(
    as_owner: Browser, uploaded: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_download, "PIECE_BYTES", len(kick()) // 2)
    assert download(as_owner, uploaded[2:], "original")["Kick.wav"] == kick()


def test_a_missing_file_is_named_and_the_others_are_there(as_owner: Browser, uploaded: list[Sample]) -> None:
    open_store(settings()).delete(uploaded[0].original_key)
    files = download(as_owner, uploaded, "original")
    assert [*files] == ["=Break (2).wav", "Kick.wav", "report.csv"]
    assert report(files)[0]["note"] == "not in our storage: it is not in this ZIP"


def test_a_sample_too_long_for_a_pad_has_its_reason_only(as_owner: Browser, uploaded: list[Sample]) -> None:
    with transaction():
        uploaded[1].duration_s = 17 * 60.0
    files = download(as_owner, uploaded, "sp404")
    assert len(files) == 3
    assert report(files)[1]["note"].startswith("left out: An SP-404MKII pad holds 16 minutes.")


def test_a_stranger_gets_nothing(as_stranger: Browser, uploaded: list[Sample], stranger: User) -> None:
    answer = as_stranger.post("/selected/download", sample=[each.id for each in uploaded])
    assert answer.status_code == 303
    assert exports() == 0


def test_many_samples_take_few_queries(as_owner: Browser, owner: User) -> None:
    few, many = (shelve(owner, {f"{count} {number}": {} for number in range(count)}) for count in (3, 30))
    counts = []
    for shelf in (few, many):
        ids = [sample.id for sample in shelf.values()]
        with counted_queries() as queries:
            members = bulk_download.list_members(owner, ids, False, bulk_download.MAX_ZIP_BYTES)
        assert len({member.name for member in members}) == len(shelf)
        counts.append(len(queries))
    assert counts[1] <= counts[0] + 1, queries
