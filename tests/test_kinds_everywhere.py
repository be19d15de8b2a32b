"""A texture and a loop of drums from the upload to card, mail, webhook, API, export, pad and searches."""

from __future__ import annotations

import json
import re
from io import BytesIO
from typing import Any
from urllib.parse import unquote
from zipfile import ZipFile

import pytest
from sqlalchemy import select

from app.account import data_export
from app.extensions import db
from app.models import DataExport, OutboxMessage, Sample, User
from app.notify import batch_mail, outbox
from app.search.sample_query import SampleQuery
from app.search.sample_search import find_samples
from app.webhooks import endpoints
from tests.account.traces import store_files
from tests.library.corrections.forms import page_of
from tests.notify.test_webhooks import EVENTS, Receiver, receiver, verify
from tests.support import ApiScript, Browser, drum_loop, finished_job, noise, wav

__all__ = ["receiver"]


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return environ | {"WEBHOOKS_TO_LOOPBACK": "true"}


@pytest.fixture
def rain(as_owner: Browser) -> Sample:
    """Ten seconds of noise, which are 16 beats at 96 BPM."""
    job = finished_job(as_owner, "Tin roof.wav", wav(0.3 * noise(10.0)))
    return db.session.get_one(Sample, job.sample_id)


@pytest.fixture
def beat(as_owner: Browser) -> Sample:
    return db.session.get_one(Sample, finished_job(as_owner, "Dusty.wav", drum_loop(93)).sample_id)


def row_of(page: str, name: str) -> str:
    """Return the words of the list's row or the card with a name, without markup."""
    [part] = [each for each in re.split(r"<(?:tr|article|li)\b", page) if f">{name}" in each]
    return " ".join(re.sub(r"<[^>]*>", " ", part.partition(">")[2]).split())


def pad_name(browser: Browser, sample: Sample) -> str:
    link = browser.get(f"/samples/{sample.id}/sp404").headers["Location"]
    disposition = browser.get(link).headers["Content-Disposition"]
    found = re.search(r"filename=\"?([^\";]+)", unquote(disposition))
    assert found is not None
    return found[1]


def test_a_texture_is_measured_without_tempo_and_sound(rain: Sample) -> None:
    assert (rain.kind, rain.sound, rain.bpm, rain.bpm_source) == ("texture", None, None, None)
    assert (rain.features.bpm, rain.features.bpm_confidence) == (None, 0.0)
    assert (rain.vibe["role"], rain.vibe["use"]) == ("texture", "bed to hold")


def test_cards_and_rows_name_the_kind(as_owner: Browser, rain: Sample, beat: Sample) -> None:
    jobs, rows = as_owner.get("/jobs").text, as_owner.get("/samples").text
    assert "texture · 10.0 s" in row_of(jobs, "Tin roof")
    assert "BPM" not in row_of(jobs, "Tin roof")
    assert "93 BPM · loop · drums · 5.2 s" in row_of(jobs, "Dusty")
    assert " texture " in row_of(rows, "Tin roof")
    assert " drum loop " in row_of(rows, "Dusty")


def test_pages_show_kind_sound_and_why_there_is_no_tempo(
    as_owner: Browser, rain: Sample, beat: Sample
) -> None:
    texture, loop = page_of(as_owner, rain), page_of(as_owner, beat)
    assert "A texture has none." in texture
    assert "A texture has no sound type." in texture
    assert "<dt>Beats</dt>" not in texture
    assert "/tempo/half" not in texture
    assert 'aria-label="Sound type: drums. Change"' in loop
    assert "<dt>Beats</dt>" in loop


def test_mails_name_the_kind(rain: Sample, beat: Sample) -> None:
    messages = db.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).all()
    first, second = (batch_mail.compose(message) for message in messages)
    assert first is not None
    assert second is not None
    for written in (first.text, first.html):
        assert re.search(r"(?:^|\s)texture(?:</li>)?$", written, re.MULTILINE)
        assert "BPM" not in written
    for written in (second.text, second.html):
        assert "93 BPM, loop, drums" in written


def test_a_webhook_leads_to_the_texture(
    app: Any, owner: User, receiver: Receiver, rain: Sample, as_owner: Browser, script: ApiScript
) -> None:
    endpoint = endpoints.add_endpoint(owner, receiver.url, EVENTS)
    job = finished_job(as_owner, "More rain.wav", wav(0.3 * noise(8.0)))
    assert outbox.deliver_webhooks() == 1
    [(headers, body)] = receiver.got
    told = verify(endpoint.secret, headers, body)
    assert (told["type"], told["data"]["sample_id"]) == ("job.completed", job.sample_id)
    found = script.get(f"/api/samples/{told['data']['sample_id']}").get_json()
    assert (found["kind"], found["bpm"]) == ("texture", None)


def test_the_api_lists_filters_and_corrects(script: ApiScript, rain: Sample, beat: Sample) -> None:
    def listed(query: str) -> list[tuple[str, str, str | None]]:
        found = script.get(f"/api/samples?{query}").get_json()["samples"]
        return sorted((each["name"], each["kind"], each["sound"]) for each in found)

    texture, loop = ("Tin roof", "texture", None), ("Dusty", "loop", "drums")
    assert listed("") == [loop, texture]
    assert listed("kind=texture") == listed("ask=textures") == [texture]
    assert listed("sound=drums") == listed("kind=loop") == listed("ask=drum%20loops") == [loop]
    assert listed("bpm_min=1") == [loop]
    assert listed("kind=texture&sound=drums") == []
    path = f"/api/samples/{rain.id}"
    changed = script.call("PATCH", path, json={"kind": "loop", "sound": "percussion", "bpm": 96}).get_json()
    assert (changed["kind"], changed["sound"], changed["bpm"]) == ("loop", "percussion", 96.0)
    assert listed("kind=texture") == []
    back = script.call("PATCH", path, json={"kind": "texture"}).get_json()
    assert (back["kind"], back["sound"], back["bpm"]) == ("texture", None, None)
    assert script.get("/api/samples?kind=drone").status_code == 422


def test_the_export_of_all_data_has_kind_and_sound(owner: User, rain: Sample, beat: Sample) -> None:
    data_export.request_export(owner)
    data_export.make_due_exports()
    export = db.session.scalars(select(DataExport)).one()
    archive = ZipFile(BytesIO(store_files()[export.key]))
    rows = {row["name"]: row for row in json.loads(archive.read("samples.json"))}
    facts = {name: (row["kind"], row["sound"], row["bpm"]) for name, row in rows.items()}
    assert facts == {"Tin roof": ("texture", None, None), "Dusty": ("loop", "drums", beat.bpm)}


def test_a_pad_name_has_the_tempo_of_loops_alone(as_owner: Browser, rain: Sample, beat: Sample) -> None:
    assert pad_name(as_owner, rain) == "Tin roof.wav"
    assert pad_name(as_owner, beat) == "Dusty 93.wav"
    as_owner.post(f"/samples/{beat.id}", kind="texture")
    assert pad_name(as_owner, beat) == "Dusty.wav"


SENTENCES = {
    "textures": "Tin roof",
    "atmos": "Tin roof",
    "foley": "Tin roof",
    "risers": "Tin roof",
    "noise beds": "Tin roof",
    "field recordings longer than 5 s": "Tin roof",
    "no textures": "Dusty",
    "drum loops": "Dusty",
    "loops around 93 bpm": "Dusty",
    "bass loops": "",
    "textures at 96 bpm": "",
}


def test_sentences_find_kinds(owner: User, rain: Sample, beat: Sample) -> None:
    def found(sentence: str) -> str:
        return ", ".join(each.name for each in find_samples(owner, SampleQuery(ask=sentence), "").samples)

    assert {sentence: found(sentence) for sentence in SENTENCES} == SENTENCES


def test_facets_count_kinds_and_sounds(as_owner: Browser, rain: Sample, beat: Sample) -> None:
    page = as_owner.get("/samples").text
    links = [
        " ".join(re.sub(r"<[^>]*>", " ", each).split()) for each in re.findall(r"<a .*?</a>", page, re.S)
    ]
    assert {"loop 1", "texture 1", "all drums 1"} <= set(links)


def test_another_likely_sound_is_offered_and_used(as_owner: Browser, rain: Sample, beat: Sample) -> None:
    assert len(beat.analysis().sound_candidates) == 3
    beat.features.measured = beat.features.measured | {
        "sound_candidates": [["drums", 0.6], ["percussion", 0.3], ["full mix", 0.1], ["bass", 0.05]]
    }
    db.session.commit()
    page = page_of(as_owner, beat)
    assert re.findall(r'name="sound" value="([^"]+)"', page) == ["percussion", "full mix", "bass"]
    as_owner.post(f"/samples/{beat.id}", sound="percussion")
    assert (beat.kind, beat.sound, beat.corrections) == ("loop", "percussion", {"sound": "percussion"})
    as_owner.post(f"/samples/{beat.id}", kind="one-shot")
    assert re.findall(r'name="sound" value="([^"]+)"', page_of(as_owner, beat)) == ["bass"]
    assert 'name="sound" value=' not in page_of(as_owner, rain)
