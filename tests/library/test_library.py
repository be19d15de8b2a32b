"""The library: find, play, delete and download samples, and only one's own."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO
from urllib.parse import unquote

import pytest
import soundfile
from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.routing import Rule

from app.billing import plans, quota
from app.extensions import db, settings
from app.library import trash
from app.library.samples import parse_tags
from app.models import Sample, Usage, User
from app.models.base import transaction, utcnow
from app.search.sample_query import SampleQuery
from app.search.sample_search import find_samples
from tests.support import ApiScript, Browser, chord, drum_loop, finished_job, kick, row_names


@pytest.fixture
def loop(as_owner: Browser) -> Sample:
    return db.session.get_one(Sample, finished_job(as_owner, "Dusty break.wav", drum_loop(93)).sample_id)


def edited(browser: Browser, sample: Sample, **changes: str) -> int:
    form = {
        "name": sample.name,
        "tags": ", ".join(sample.tag_names),
        "bpm": f"{sample.bpm:.2f}" if sample.bpm else "",
        "key": sample.key or "",
    }
    return browser.post(f"/samples/{sample.id}", **(form | changes)).status_code


class TestFinding:
    @pytest.fixture(autouse=True)
    def three(self, as_owner: Browser) -> None:
        for name, content in (("Dusty break", drum_loop(93)), ("Warm pad", chord()), ("Deep kick", kick())):
            finished_job(as_owner, f"{name}.wav", content)

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", ["Deep kick", "Warm pad", "Dusty break"]),
            ("?q=dusty", ["Dusty break"]),
            ("?q=DUSTY+break", ["Dusty break"]),
            ("?q=-dusty", ["Deep kick", "Warm pad"]),
            ('?q="warm pad"', ["Warm pad"]),
            ('?q="pad warm"', []),
            ("?q=bd", ["Deep kick"]),
            ("?q=%25", []),
            ("?kind=loop&bpm_min=90&bpm_max=95", ["Dusty break"]),
            ("?bpm_min=100", []),
            ("?bpm_min=95&bpm_max=90", ["Dusty break"]),
            ("?key=C+minor", ["Warm pad"]),
            ("?key=F+minor&compatible=1", ["Warm pad"]),
            ("?key=nonsense&bpm_min=abc&sort=zzz&kind=x", ["Deep kick", "Warm pad", "Dusty break"]),
            ("?sort=name", ["Deep kick", "Dusty break", "Warm pad"]),
            ("?sort=length", ["Deep kick", "Warm pad", "Dusty break"]),
            ("?liked=1", []),
        ],
    )
    def test_search_filters_and_sorts(self, as_owner: Browser, query: str, found: list[str]) -> None:
        assert row_names(as_owner.get(f"/samples{query}").text) == found

    def test_htmx_gets_only_the_part_that_changes(self, as_owner: Browser) -> None:
        part = as_owner.get("/samples?q=dusty", headers={"HX-Request": "true"})
        assert part.text.lstrip().startswith('<div id="results">')
        assert "HX-Request" in part.headers["Vary"]
        whole = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
        assert "<!doctype html>" in as_owner.get("/samples", headers=whole).text

    def test_a_reversed_range_is_shown_from_low_to_high(self, as_owner: Browser) -> None:
        page = as_owner.get("/samples?bpm_min=95.5&bpm_max=90").text
        assert "90–95.5 BPM" in page
        assert re.findall(r'(?s)id="bpm_m.*? value="([^"]*)"', page) == ["90", "95.5"]

    def test_all_that_match_means_the_search_that_is_shown(self, as_owner: Browser) -> None:
        """The selection carries the search that is shown, not what is being typed into the search field."""
        page = as_owner.get("/samples?ask=not+loops&bpm_min=&sort=name", headers={"HX-Request": "true"}).text
        assert re.search("2</span>\\s+samples for “<bdi>not loops</bdi>”", page)
        form = page.partition('<form class="selection is-empty"')[2].partition("</form>")[0]
        sent = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
        del sent["csrf_token"]
        assert sent == {"ask": "not loops", "sort": "name"}
        assert 'form="selection"' not in as_owner.get("/samples").text.partition('id="results"')[0]
        offer = as_owner.post("/again", all="1", purpose="analyse", **sent).text
        assert re.findall(r"Deep kick|Warm pad|Dusty break", offer) == ["Deep kick", "Warm pad"]

    def test_a_filter_is_a_chip_that_removes_itself(self, as_owner: Browser) -> None:
        page = as_owner.get("/samples?kind=loop&q=dusty").text
        assert 'class="chip" href="/samples?q=dusty"' in page
        assert 'class="chip" href="/samples?kind=loop"' in page

    def test_filter_values_have_counts(self, owner: User) -> None:
        counts = dict(find_samples(owner, SampleQuery(kind="loop"), "").counts.kinds)
        assert counts == {"loop": 1, "one-shot": 2}

    def test_a_stranger_sees_an_empty_library(self, as_stranger: Browser) -> None:
        page = as_stranger.get("/samples").text
        assert row_names(page) == []
        assert "Try with demo sounds" in page


@pytest.mark.parametrize("sort", ["newest", "oldest", "name", "kind", "key", "bpm", "length"])
def test_paging_shows_every_sample_once(app: Flask, loop: Sample, owner: User, sort: str) -> None:
    _copies(loop, 120)
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        results = find_samples(owner, SampleQuery(sort=sort), after)
        seen += [sample.id for sample in results.samples]
        after = results.next_after
        assert results.total == 121
    assert len(seen) == len(set(seen)) == 121


def _copies(sample: Sample, count: int) -> None:
    skipped = {"id", "name", "bpm", "duration_s"}
    columns = {c.key: getattr(sample, c.key) for c in Sample.__table__.columns if c.key not in skipped}
    with transaction() as session:
        for number in range(count):
            tempo = None if number % 3 == 0 else 80.0 + number % 7
            length = 1.0 + number % 5
            session.add(Sample(**columns, name=f"copy {number % 10}", bpm=tempo, duration_s=length))


class TestDeleting:
    def test_a_deleted_sample_frees_its_storage_and_can_be_restored(
        self, as_owner: Browser, owner: User, loop: Sample
    ) -> None:
        assert as_owner.post(f"/samples/{loop.id}/delete").status_code == 303
        page = as_owner.get("/samples").text
        assert row_names(page) == []
        assert "Undo" in page
        assert as_owner.get(f"/samples/{loop.id}").status_code == 404
        assert quota.plan_usage(owner).storage_bytes == 0
        assert as_owner.post(f"/samples/{loop.id}/restore").status_code == 303
        assert row_names(as_owner.get("/samples").text) == ["Dusty break"]
        assert quota.plan_usage(owner).storage_bytes == loop.size_bytes

    def test_concurrent_deletes_and_restores_count_once(self, owner: User, loop: Sample) -> None:
        """Two requests have found the same sample; the second changes nothing."""
        for _ in range(2):
            trash.delete_sample(loop)
        assert quota.plan_usage(owner).storage_bytes == 0
        second = Sample(
            id=loop.id, user_id=loop.user_id, size_bytes=loop.size_bytes, deleted_at=loop.deleted_at
        )
        trash.restore_sample(loop)
        trash.restore_sample(second)  # as another request has read it before
        assert quota.plan_usage(owner).storage_bytes == loop.size_bytes

    def test_files_and_row_are_removed_after_the_undo_period(self, as_owner: Browser, loop: Sample) -> None:
        as_owner.post(f"/samples/{loop.id}/delete")
        trash.purge_deleted()
        assert db.session.scalar(select(func.count()).select_from(Sample)) == 1
        with transaction() as session:
            session.execute(update(Sample).values(deleted_at=utcnow() - timedelta(hours=2)))
        for _ in range(2):
            trash.purge_deleted()
        assert db.session.scalar(select(func.count()).select_from(Sample)) == 0
        assert [path for path in (settings().data_dir / "store").rglob("*") if path.is_file()] == []

    def test_htmx_deletes_and_restores_a_row_in_place(self, as_owner: Browser, loop: Sample) -> None:
        htmx = {"HX-Request": "true"}
        gone = as_owner.post(f"/samples/{loop.id}/delete", htmx).text
        assert "Dusty break has been deleted." in gone
        assert row_names(as_owner.post(f"/samples/{loop.id}/restore", htmx).text) == ["Dusty break"]


class TestDownloading:
    def test_the_sp404_wav_has_a_name_the_unit_loads(self, as_owner: Browser, loop: Sample) -> None:
        edited(as_owner, loop, name="Bröken / Béat: №1")
        answer = as_owner.get(f"/samples/{loop.id}/sp404", follow_redirects=True)
        info = soundfile.info(BytesIO(answer.data))
        assert (info.samplerate, info.subtype) == (48000, "PCM_16")
        name = re.search(r"filename=\"?([^\";]+)", answer.headers["Content-Disposition"])
        assert name is not None
        assert re.fullmatch(r"[A-Za-z0-9 _!&()+,.=@\[\]{}-]{1,23}\.wav", name.group(1)), name.group(1)

    def test_the_original_has_its_own_name_and_bytes(self, as_owner: Browser) -> None:
        content = kick()
        job = finished_job(as_owner, "ド ラム.wav", content)
        answer = as_owner.get(f"/samples/{job.sample_id}/original", follow_redirects=True)
        assert answer.data == content
        assert "ド ラム.wav" in unquote(answer.headers["Content-Disposition"])
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]

    def test_a_player_can_seek(self, as_owner: Browser, loop: Sample) -> None:
        address = as_owner.get(f"/samples/{loop.id}/audio").headers["Location"]
        answer = as_owner.get(address, headers={"Range": "bytes=44-143"})
        assert (answer.status_code, len(answer.data)) == (206, 100)

    def test_an_altered_link_is_refused(self, as_owner: Browser, loop: Sample) -> None:
        address = as_owner.get(f"/samples/{loop.id}/audio").headers["Location"]
        assert as_owner.get(address[:-2] + "xx").status_code == 404

    def test_a_download_is_recorded_as_usage(self, as_owner: Browser, owner: User, loop: Sample) -> None:
        as_owner.get(f"/samples/{loop.id}/sp404")
        as_owner.get(f"/samples/{loop.id}/original")
        exports = select(func.count()).where(Usage.user_id == owner.id, Usage.kind == "export")
        assert db.session.scalar(exports) == 2


def test_likes_are_toggled_and_found(as_owner: Browser, loop: Sample) -> None:
    as_owner.post(f"/samples/{loop.id}/like")
    assert row_names(as_owner.get("/samples?liked=1").text) == ["Dusty break"]
    part = as_owner.post(f"/samples/{loop.id}/like", {"HX-Request": "true"}).text
    assert 'aria-pressed="false"' in part


def verbs(rule: Rule) -> set[str]:
    return (rule.methods or set()) - {"HEAD", "OPTIONS"}


def test_every_address_with_an_id_is_404_for_a_stranger(
    app: Flask, as_stranger: Browser, stranger: User, loop: Sample
) -> None:
    """The test walks the URL map, so that no new route is forgotten."""
    by_token = ApiScript(app, stranger)
    tried = 0
    for rule in app.url_map.iter_rules():
        if not {"sample_id", "job_id"} & set(rule.arguments):
            continue
        path = re.sub(r"<any\([^)]*\):factor>", "half", rule.rule)
        path = path.replace("<sample_id>", loop.id).replace("<job_id>", loop.id)
        for unknown in (path, path.replace(loop.id, "01ARZ3NDEKTSV4RRFFQ69G5FAV")):
            send = as_stranger.post if "POST" in (rule.methods or ()) else as_stranger.get
            if rule.endpoint.startswith("api."):
                assert {by_token.call(m, unknown, json={}).status_code for m in verbs(rule)} == {404}
                continue
            assert send(unknown).status_code == 404, unknown
        tried += 1
    assert tried >= 10
    db.session.refresh(loop)
    assert (loop.deleted_at, loop.liked) == (None, False)


def test_user_input_is_never_markup(as_owner: Browser, loop: Sample) -> None:
    attack = "<img src=x onerror=alert(1)>\"'{{7*7}}"
    edited(as_owner, loop, name=attack, tags=attack)
    for path in ("/samples", f"/samples/{loop.id}", "/dashboard", f"/samples?q={attack}"):
        page = as_owner.get(path).text
        assert "<img src=x" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;" in page
        assert "{{7*7}}" in page


def test_tags_are_normalized() -> None:
    assert parse_tags(" Dusty, #Drums,, lo  fi ,dusty") == ["dusty", "drums", "lo-fi"]


def test_a_sample_can_be_restored_only_when_there_is_storage(as_owner: Browser, owner: User) -> None:
    sample = db.session.get_one(Sample, finished_job(as_owner, "kick.wav", kick()).sample_id)
    trash.delete_sample(sample)
    full = plans.plan_for_user(owner).storage_bytes - sample.size_bytes + 1
    with transaction() as session:
        session.add(Usage(user_id=owner.id, kind="storage", entry_key="full", quantity=full))
    refused = as_owner.post(f"/samples/{sample.id}/restore", {"HX-Request": "true"})
    assert refused.status_code == 409
    assert "Not enough storage:" in refused.text
    assert as_owner.post(f"/samples/{sample.id}/restore").status_code == 303
    assert "Not enough storage:" in as_owner.get("/samples").text
    db.session.refresh(sample)
    assert sample.deleted_at is not None
    with transaction() as session:
        session.add(Usage(user_id=owner.id, kind="storage", entry_key="room", quantity=-1))
    as_owner.post(f"/samples/{sample.id}/restore")
    db.session.refresh(sample)
    assert sample.deleted_at is None
    assert quota.plan_usage(owner).storage_left_bytes == 0
