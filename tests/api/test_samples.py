"""List, search, change, download and delete samples by the API, and follow and cancel jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import Sample, Usage, User
from app.models.corrections import VIBE_FIELDS
from tests.support import ApiScript, Browser, chord, finished_job, kick, uploaded_job


@pytest.fixture
def sample(as_owner: Browser) -> Sample:
    return db.session.get_one(Sample, finished_job(as_owner, "Warm pad.wav", chord()).id)


def patch(script: ApiScript, sample: Sample, **values: Any) -> Any:
    return script.call("PATCH", f"/api/samples/{sample.id}", json=values)


def test_a_sample_has_the_values_of_its_page(script: ApiScript, sample: Sample) -> None:
    answer = script.get(f"/api/samples/{sample.id}").get_json()
    assert (answer["name"], answer["key"], answer["filename"]) == ("Warm pad", sample.key, "Warm pad.wav")
    assert answer["vibe"]["moods"] == sample.vibe["moods"]
    assert datetime.fromisoformat(answer["created_at"]) == sample.created_at


@pytest.mark.parametrize("path", ["/api/samples", "/api/samples/{id}", "/api/usage", "/api/openapi.json"])
def test_an_unchanged_answer_is_304(script: ApiScript, sample: Sample, path: str) -> None:
    path = path.format(id=sample.id)
    first = script.get(path)
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in first.headers["Vary"]
    seen = {"If-None-Match": first.headers["ETag"]}
    again = script.get(path, headers=seen)
    assert (again.status_code, again.data) == (304, b"")
    patch(script, sample, name="Another name")
    is_about_it = "samples" in path
    assert script.get(path, headers=seen).status_code == (200 if is_about_it else 304)


def test_a_problem_has_no_etag(script: ApiScript) -> None:
    answer = script.get("/api/samples/none")
    assert (answer.status_code, answer.headers.get("ETag")) == (404, None)


def test_paging_shows_each_sample_once(script: ApiScript, as_owner: Browser) -> None:
    for number in range(5):
        finished_job(as_owner, f"kick {number}.wav", kick())
    seen: list[str] = []
    after = ""
    while True:
        page = script.get(f"/api/samples?limit=2&sort=name{after}").get_json()
        assert page["total"] == 5
        seen += [each["name"] for each in page["samples"]]
        if page["next_after"] is None:
            break
        after = f"&after={page['next_after']}"
    assert seen == [f"kick {number}" for number in range(5)]


def test_paging_from_another_users_sample_is_refused(script: ApiScript, as_stranger: Browser) -> None:
    foreign = finished_job(as_stranger, "kick.wav", kick())
    assert script.get(f"/api/samples?after={foreign.id}").status_code == 422


def test_filters_and_words_work_as_on_the_page(script: ApiScript, sample: Sample, as_owner: Browser) -> None:
    finished_job(as_owner, "Deep kick.wav", kick())

    def names(query: str) -> list[str]:
        found = script.get(f"/api/samples?{query}").get_json()["samples"]
        return [each["name"] for each in found]

    def classes() -> list[tuple[str, str]]:
        found = script.get("/api/samples").get_json()["samples"]
        return [(f"{each['kind']} {each['sound'] or ''}", each["name"]) for each in found]

    assert names("q=bd") == names("sound=kick") == ["Deep kick"]
    assert names("q=-kick") == ["Warm pad"]
    assert names("key=C%20minor") == ["Warm pad"]
    assert names("liked=true") == []
    assert names("sort=length") == names("sort=key")[::-1] == ["Deep kick", "Warm pad"]
    assert names("sort=-kind") == [each for _, each in sorted(classes(), reverse=True)]
    assert names("seconds_max=0.9") == names("seconds_min=0.01&seconds_max=0.9") == ["Deep kick"]
    assert names("seconds_min=0.9") == ["Warm pad"]
    patch(script, sample, kind="loop", bpm=180)
    assert names("bpm_min=85&bpm_max=95") == []
    assert names("bpm_min=85&bpm_max=95&half_double=true") == ["Warm pad"]


def test_only_sent_fields_are_changed(script: ApiScript, sample: Sample) -> None:
    key = sample.key
    changed = patch(script, sample, name="  New\u202e name ", tags=["Dusty", "lo fi"], liked=True).get_json()
    assert (changed["name"], changed["tags"], changed["liked"]) == ("New name", ["dusty", "lo-fi"], True)
    assert (changed["key"], changed["key_source"]) == (key, sample.key_source)
    assert patch(script, sample, bpm=93.5).get_json()["bpm_source"] == "user"
    cleared = patch(script, sample, key=None).get_json()
    assert (cleared["key"], cleared["key_source"], cleared["bpm"]) == (None, "user", 93.5)


def test_a_sample_has_its_whole_description(script: ApiScript, sample: Sample) -> None:
    vibe = script.get(f"/api/samples/{sample.id}").get_json()["vibe"]
    same = set(vibe) - {"prompt_version"}
    assert same == {*VIBE_FIELDS, "confidence", "source", "schema_version"}
    assert {name: vibe[name] for name in same} == {name: sample.vibe[name] for name in same}
    assert (vibe["source"], vibe["prompt_version"], vibe["schema_version"]) == ("local", None, 2)


def test_corrections_are_listed_and_reverted(script: ApiScript, sample: Sample) -> None:
    described = sample.vibe
    vibe = {"moods": ["sunny"], "genres": [{"name": "dub"}], "instruments": [{"name": "organ"}], "tags": []}
    changed = patch(script, sample, kind="loop", sound="bass", vibe=vibe).get_json()
    assert (changed["kind"], changed["sound"], changed["vibe"]["moods"]) == ("loop", "bass", ["sunny"])
    assert changed["vibe"]["genres"] == [{"name": "dub", "weight": 1.0}]
    assert changed["vibe"]["instruments"] == [{"name": "organ", "heard": True}]
    assert changed["vibe"]["energy"] == described["energy"]
    of_vibe = ["vibe.moods", "vibe.genres", "vibe.instruments", "vibe.tags"]
    assert changed["corrected"] == ["kind", "sound", *of_vibe]
    less = patch(script, sample, revert=["kind", "vibe.moods", "vibe.tags"], bpm=120).get_json()
    assert (less["kind"], less["vibe"]["moods"]) == (sample.found()["kind"], described["moods"])
    assert {"bpm", "vibe.genres", "vibe.instruments"} <= set(less["corrected"])
    none = patch(script, sample, revert=changed["corrected"] + less["corrected"]).get_json()
    assert (none["corrected"], sample.vibe) == ([], described)


NO_TEMPO = "A texture has no tempo."


@pytest.mark.parametrize(
    ("kind", "values", "field", "sentence"),
    [
        ("loop", {"sound": "open hat"}, "sound", "A loop can't be of the type “open hat”."),
        ("loop", {"sound": "hi-hat"}, "sound", "A loop can't be of the type “hi-hat”."),
        ("one-shot", {"sound": "full mix"}, "sound", "A one-shot can't be of the type “full mix”."),
        ("texture", {"sound": "pad"}, "sound", "A texture has no sound type."),
        (
            "texture",
            {"bpm": 120},
            "bpm",
            "A texture has no tempo. Leave it empty, or change the kind to loop.",
        ),
    ],
)
def test_a_value_that_the_kind_cannot_have_is_refused(
    script: ApiScript, sample: Sample, kind: str, values: dict[str, Any], field: str, sentence: str
) -> None:
    refused = patch(script, sample, kind=kind, name="Other", **values)
    assert refused.status_code == 422
    assert refused.get_json()["detail"] == sentence
    assert [each["field"] for each in refused.get_json()["errors"]] == [field]
    assert (sample.corrections, sample.name == "Other") == ({}, False)


@pytest.mark.parametrize("sound", ["hi-hat", "closed hat", "open hat"])
def test_scripts_may_go_on_saying_hi_hat(script: ApiScript, sample: Sample, sound: str) -> None:
    assert patch(script, sample, kind="one-shot", sound=sound).get_json()["sound"] == sound
    for name in ("hi-hat", "drums", sound):
        found = script.get(f"/api/samples?sound={name}&kind=one-shot").get_json()["samples"]
        assert sample.id in [each["id"] for each in found]


def test_sending_the_found_value_is_not_a_correction(script: ApiScript, sample: Sample) -> None:
    found = {name: getattr(sample, name) for name in ("kind", "sound", "bpm", "key")}
    vibe = {name: sample.vibe[name] for name in VIBE_FIELDS}
    assert patch(script, sample, **found, vibe=vibe).get_json()["corrected"] == []
    assert patch(script, sample, vibe={}).get_json()["corrected"] == []


@pytest.mark.parametrize(
    "values",
    [
        {"bpm": 5},
        {"bpm": "fast"},
        {"key": "H major"},
        {"name": ""},
        {"tags": ["a,b"]},
        {"tags": ["x"] * 21},
        {"colour": "red"},
        {"kind": "song"},
        {"sound": "gong"},
        {"revert": ["colour"]},
        {"revert": ["tags"]},
        {"vibe": {"moods": ["purple"]}},
        {"vibe": {"energy": 101}},
        {"vibe": {"genres": [{"name": "polka"}]}},
        {"vibe": {"description": "<b>Loud</b>"}},
        {"vibe": {"tags": ["Two words"]}},
        {"vibe": {"confidence": 1}},
    ],
)
def test_an_invalid_value_is_named_and_changes_nothing(
    script: ApiScript, sample: Sample, values: dict[str, Any]
) -> None:
    answer = patch(script, sample, **values)
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"].split(".")[0] == next(iter(values))
    db.session.refresh(sample)
    assert (sample.name, sample.corrections) == ("Warm pad", {})


@pytest.mark.parametrize("body", [b"{", b"[" * 60_000, b'{"name": "\\ud800"}', b"\xff", b""])
def test_a_body_that_is_not_json_answers_400(script: ApiScript, sample: Sample, body: bytes) -> None:
    path = f"/api/samples/{sample.id}"
    answer = script.call("PATCH", path, data=body, content_type="application/json")
    assert answer.status_code == 400


def test_a_huge_body_is_refused(script: ApiScript, sample: Sample) -> None:
    path = f"/api/samples/{sample.id}"
    answer = script.call("PATCH", path, data=b" " * 100_000, content_type="application/json")
    assert answer.status_code == 413


def test_a_download_redirects_to_a_signed_link_and_counts_as_an_export(
    app: Flask, script: ApiScript, sample: Sample
) -> None:
    original = script.get(f"/api/samples/{sample.id}/download")
    assert original.status_code == 302
    assert app.test_client().get(original.headers["Location"]).data == chord()
    wav = script.get(f"/api/samples/{sample.id}/download?format=sp404")
    assert app.test_client().get(wav.headers["Location"]).data[:4] == b"RIFF"
    exports = db.session.scalars(select(Usage).where(Usage.kind == "export")).all()
    assert len(exports) == 2


def test_a_wav_for_the_sp404_needs_the_ability_to_export(app: Flask, owner: User, sample: Sample) -> None:
    reader = ApiScript(app, owner, "samples:read")
    assert reader.get(f"/api/samples/{sample.id}/download").status_code == 302
    assert reader.get(f"/api/samples/{sample.id}/download?format=sp404").status_code == 403


def test_a_deleted_sample_can_be_restored_on_the_page(
    script: ApiScript, sample: Sample, as_owner: Browser
) -> None:
    path = f"/api/samples/{sample.id}"
    assert script.call("DELETE", path).status_code == 204
    assert script.get(path).status_code == 404
    as_owner.post(f"/samples/{sample.id}/restore")
    assert script.get(path).status_code == 200


def test_a_job_is_followed_and_cancelled_twice(script: ApiScript, as_owner: Browser) -> None:
    job = uploaded_job(as_owner, "kick.wav", kick())
    path = f"/api/jobs/{job.id}"
    waiting = script.get(path).get_json()
    assert (waiting["status"], waiting["step"], waiting["sample_id"]) == ("pending", "stored", None)
    assert datetime.fromisoformat(waiting["estimated_completion"]) > job.created_at
    for _ in range(2):
        cancelled = script.call("DELETE", path)
        assert (cancelled.status_code, cancelled.get_json()["status"]) == (200, "cancelled")


def test_a_finished_job_names_its_sample_and_cannot_be_cancelled(script: ApiScript, sample: Sample) -> None:
    job = script.get(f"/api/jobs/{sample.id}").get_json()
    assert (job["status"], job["sample_id"], job["estimated_completion"]) == ("completed", sample.id, None)
    assert job["sp404_url"].endswith(f"/api/samples/{sample.id}/download?format=sp404")
    assert script.call("DELETE", f"/api/jobs/{sample.id}").status_code == 409


def test_usage_is_what_the_plan_page_counts(script: ApiScript, sample: Sample) -> None:
    used = script.get("/api/usage").get_json()
    assert (used["plan"], used["period"]) == ("pro", "month")
    assert used["uploads"] == {"used": 1, "limit": 1000, "left": 999}
    assert used["storage_bytes"]["used"] == sample.size_bytes
