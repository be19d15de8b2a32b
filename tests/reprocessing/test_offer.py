"""Choose samples to describe or analyse again, and the page that says first what it costs."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

from app.ai import budget, cost_estimate
from app.extensions import db
from app.integrations.openrouter.chat_client import MaxPrice
from app.integrations.openrouter.conversation import request_schema
from app.jobs import run
from app.models import AiSwitch, Job, Sample, Usage, User
from app.models.base import transaction, utcnow
from app.models.job import UPLOAD
from app.reprocessing import reprocess_offer
from app.reprocessing.reprocess_purposes import ANALYSE, DESCRIBE
from app.templating import format_usd
from app.vibe import vibe_prompt, vibe_schema
from app.vibe.sound_description import BY_RULES
from app.vibe.vibe_schema import answer_model
from tests.fake_openrouter import FakeOpenRouter
from tests.reprocessing.support import chosen_ids, words
from tests.search.test_text_conditions import shelve
from tests.support import Browser, drum_loop, finished_job, waiting_jobs

SMALL = "qwen/qwen3-8b"
MOST = Decimal("0.02")


def offer(browser: Browser, purpose: str, *samples: Sample, **form: Any) -> str:
    ids = {"sample": [sample.id for sample in samples]} if samples else {}
    return words(browser.post("/again", purpose=purpose, **ids, **form).text)


def queued() -> list[tuple[str, str | None]]:
    return [(job.purpose, job.sample_id) for job in db.session.scalars(select(Job)) if job.purpose != UPLOAD]


def forget_figures(sample: Sample) -> None:
    """Remove the figures, as in descriptions from before they were saved."""
    with transaction():
        sample.describe({name: each for name, each in sample.described.items() if name != "figures"})


def described_by(browser: Browser, sample: Sample) -> str:
    browser.post("/again/jobs", purpose=DESCRIBE, sample=sample.id)
    run.run_next()
    db.session.refresh(sample)
    return str(sample.described["source"])


def spend(user: User, dollars: str) -> None:
    with transaction() as session:
        entry = {"kind": "ai", "entry_key": f"ai:{dollars}", "quantity": 1}
        session.add(Usage(user_id=user.id, cost_usd=Decimal(dollars), **entry))


def test_answers_that_were_paid_for_are_free(as_owner: Browser, two: list[Sample]) -> None:
    page = offer(as_owner, DESCRIBE, *two)
    assert "2 samples: Deep kick, Dusty break." in page
    assert "No cost 2 samples" in page
    assert "Expected $0.00" in page
    assert "At most $0.00" in page


def test_the_first_estimate_is_by_the_length_of_the_question(
    as_owner: Browser, owner: User, two: list[Sample]
) -> None:
    as_owner.post("/settings/ai", ai_allowed="y", ai_model=SMALL)
    page = offer(as_owner, DESCRIBE, *two)
    sample = two[1]
    asked = vibe_prompt.build_messages(sample.analysis(), sample.filename, [])
    schema = request_schema(answer_model(sample.kind))
    each = MaxPrice(Decimal("0.5"), Decimal("1.5")).max_cost_usd(asked, schema)
    assert Decimal("0.001") < each < MOST
    assert f"AI model {SMALL} then qwen/qwen3-235b-a22b-2507 if it does not answer" in page
    expected = f"Expected {format_usd(2 * each)} 2 samples at about {format_usd(each)} each"
    assert f"{expected} (estimated from the length of the question" in page
    assert "At most $0.04 $0.02 per sample" in page
    assert f"Budget left {format_usd(1 - budget.spent_usd(budget.DAY, owner.id))}" in page
    assert "This is included in your plan." in page
    assert "Without AI" not in page


def test_later_estimates_are_by_the_cost_of_recent_answers(
    as_owner: Browser, two: list[Sample], fake: FakeOpenRouter
) -> None:
    as_owner.post("/settings/ai", ai_allowed="y", ai_model=SMALL)
    as_owner.post("/again/jobs", purpose=DESCRIBE, sample=two[0].id)
    run.run_next()
    page = offer(as_owner, DESCRIBE, *two)
    each = fake.bills[-1][2]
    assert f"1 sample at about {format_usd(each)} each (average of this model" in page
    assert "No cost 1 sample" in page


def test_identical_files_are_asked_about_once(as_owner: Browser, owner: User, two: list[Sample]) -> None:
    twin = db.session.get_one(Sample, finished_job(as_owner, "Break again.wav", drum_loop(93)).id)
    as_owner.post("/settings/ai", ai_allowed="y", ai_model=SMALL)
    db.session.refresh(owner)
    cost = cost_estimate.estimate_cost(owner, [*two, twin])
    assert (cost.to_ask, cost.free) == (2, 1)


@pytest.mark.parametrize(
    ("left", "affordable"),
    [("0.019999", 0), ("0.02", 1), ("0.0219", 1), ("0.022", 2), ("0.024", 3), ("1", 3)],
)
def test_how_many_samples_a_budget_affords(left: str, affordable: int) -> None:
    """The maximum is reserved for each sample, and its real cost is known before the next is asked about."""
    cost = cost_estimate.CostEstimate(
        unavailable_reason=None, answered=frozenset(), models=(SMALL,), free=0, to_ask=3,
        each_usd=Decimal("0.002"),
        is_measured=True, each_most_usd=MOST, left_usd=Decimal(left),
    )  # fmt: skip
    assert (cost.affordable, cost.by_rules) == (affordable, 3 - affordable)
    assert cost.most_usd == min(3 * MOST, Decimal(left))


def test_a_used_up_budget_is_shown_and_kept(
    as_owner: Browser, owner: User, two: list[Sample], fake: FakeOpenRouter
) -> None:
    as_owner.post("/settings/ai", ai_allowed="y", ai_model=SMALL)
    spend(owner, str(Decimal("0.9799") - budget.spent_usd(budget.DAY, owner.id)))
    page = offer(as_owner, DESCRIBE, *two)
    assert "Budget left $0.0201" in page
    assert "Without AI about 1 sample" in page
    as_owner.post("/again/jobs", purpose=DESCRIBE, sample=[sample.id for sample in two])
    run.run_next()
    run.run_next()
    assert [asked["model"] for asked in fake.asked[2:]] == [SMALL]
    assert budget.spent_usd(budget.DAY, owner.id) <= 1


def test_users_who_switched_models_off_pay_nothing(as_owner: Browser, two: list[Sample]) -> None:
    as_owner.post("/settings/ai")
    page = offer(as_owner, DESCRIBE, *two)
    assert "You have turned AI off in Settings &gt; AI. The built-in rules write new descriptions" in page
    assert "This is free." in page


class TestWithoutAKey:
    @pytest.fixture
    def environ(self, tmp_path: Any) -> dict[str, str]:
        return {"DATA_DIR": str(tmp_path / "instance")}

    def test_rules_describe_for_free(self, as_owner: Browser, two: list[Sample]) -> None:
        for sample in two:
            forget_figures(sample)
        page = offer(as_owner, DESCRIBE, *two)
        assert "AI is not set up on this server. The built-in rules write new descriptions" in page
        assert "This is free." in page
        assert "AI wrote" not in page
        as_owner.post("/again/jobs", purpose=DESCRIBE, sample=two[0].id)
        run.run_next()
        assert "completed" in as_owner.get("/jobs").text

    def test_samples_that_cannot_change_are_named_and_not_offered(
        self, as_owner: Browser, two: list[Sample]
    ) -> None:
        page = as_owner.post("/again", purpose=DESCRIBE, sample=two[0].id).text
        assert "It was already described by the built-in rules from the same measurements" in words(page)
        assert 'action="/again/jobs"' not in page
        as_owner.post(f"/samples/{two[0].id}/tempo/double")
        assert "Already up to date" in offer(as_owner, DESCRIBE, *two), "rules follow a correction at once"
        forget_figures(two[0])
        page = offer(as_owner, DESCRIBE, *two)
        assert "The built-in rules write new descriptions for 1 sample" in page
        assert "1 sample was already described by the built-in rules from the same measurements" in page

    def test_descriptions_of_an_older_schema_can_change(
        self, as_owner: Browser, two: list[Sample], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(vibe_schema, "SCHEMA_VERSION", vibe_schema.SCHEMA_VERSION + 1)
        assert "The built-in rules write a new description" in offer(as_owner, DESCRIBE, two[0])


def test_analysing_is_free(as_owner: Browser, two: list[Sample]) -> None:
    page = offer(as_owner, ANALYSE, two[0])
    assert "This is free" in page
    assert "Expected" not in page


def test_choosing_a_whole_search_lists_its_samples(as_owner: Browser, two: list[Sample]) -> None:
    answer = as_owner.post("/again", purpose=DESCRIBE, all="1", q="deep")
    assert chosen_ids(answer.text) == [two[1].id]
    assert len(chosen_ids(as_owner.get("/again?purpose=describe&all=1").text)) == 2
    as_owner.post("/again/jobs", purpose=DESCRIBE, sample=chosen_ids(answer.text))
    assert queued() == [(DESCRIBE, two[1].id)]


def test_a_request_takes_no_more_than_the_maximum(
    as_owner: Browser, two: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reprocess_offer, "MAX_SAMPLES", 1)
    answer = as_owner.post("/again", purpose=DESCRIBE, all="1")
    assert chosen_ids(answer.text) == [two[1].id]
    assert "You selected 2 samples. You can do up to 1 at a time." in words(answer.text)
    rest = re.findall(r'type="hidden" name="(all|after|purpose)" value="([^"]+)"', answer.text)
    following = as_owner.post("/again", **dict(rest))
    assert chosen_ids(following.text) == [two[0].id]
    assert "show the next" not in following.text
    as_owner.post("/again/jobs", purpose=DESCRIBE, sample=[sample.id for sample in two])
    assert len(queued()) == 1


def test_a_plan_limits_the_jobs_of_a_day(as_freeloader: Browser, freeloader: User) -> None:
    sample_id = shelve(freeloader, {"One": {}})["One"].id
    ids = waiting_jobs(freeloader, 99, purpose=DESCRIBE, created_at=utcnow())
    answer = as_freeloader.post("/again/jobs", purpose=DESCRIBE, sample=sample_id)
    assert answer.headers["Location"] == "/jobs"
    again_ = as_freeloader.post("/again/jobs", purpose=ANALYSE, sample=sample_id)
    assert again_.headers["Location"] == "/samples"
    assert (
        "On the Free plan you can analyse or describe 100 samples again every 24 hours, and you have 0 left."
        in as_freeloader.get("/samples").text
    )
    with transaction() as session:
        yesterday = utcnow() - timedelta(hours=25)
        session.execute(update(Job).where(Job.id.in_(ids)).values(created_at=yesterday))
    as_freeloader.post("/again/jobs", purpose=ANALYSE, sample=sample_id)
    assert queued()[-1] == (ANALYSE, sample_id)


def test_the_page_foresees_what_the_job_does_with_a_models_words(
    as_owner: Browser, two: list[Sample], fake: FakeOpenRouter
) -> None:
    model = two[0].described["source"]
    with transaction() as session:
        session.get_one(AiSwitch, 1).paused_at = utcnow()
        session.get_one(AiSwitch, 1).paused_because = "no credit"
        two[1].describe(two[1].described | {"source": BY_RULES})
    page = offer(as_owner, DESCRIBE, *two)
    assert "1 sample has an AI description, which the built-in rules don't replace." in page
    assert "It has an AI description, which the built-in rules don't replace." in words(
        as_owner.post("/again", purpose=DESCRIBE, sample=two[0].id).text
    )
    assert described_by(as_owner, two[0]) == model
    assert "1 sample gets the AI description that was written earlier for the same measurements" in page
    assert described_by(as_owner, two[1]) == model
    as_owner.post("/settings/ai", ai_model=SMALL)
    page = offer(as_owner, DESCRIBE, *two)
    assert "and replace what AI wrote. This is free." in page
    assert described_by(as_owner, two[0]) == BY_RULES


def test_a_stranger_cannot_choose_the_samples(as_stranger: Browser, two: list[Sample]) -> None:
    answer = as_stranger.post("/again", purpose=DESCRIBE, sample=[sample.id for sample in two])
    assert (answer.status_code, answer.headers["Location"]) == (303, "/samples")
    as_stranger.post("/again/jobs", purpose=DESCRIBE, sample=[sample.id for sample in two])
    assert queued() == []


def test_an_empty_selection_is_explained_and_an_unknown_purpose_refused(as_owner: Browser) -> None:
    assert as_owner.post("/again", purpose=DESCRIBE).status_code == 303
    assert "Select some samples first" in as_owner.get("/samples").text
    assert as_owner.post("/again/jobs", purpose="upload").status_code == 400


def test_samples_in_progress_are_named_and_left_out(as_owner: Browser, two: list[Sample]) -> None:
    as_owner.post("/again/jobs", purpose=DESCRIBE, sample=two[0].id)
    answer = as_owner.post("/again", purpose=DESCRIBE, sample=[sample.id for sample in two])
    assert chosen_ids(answer.text) == [two[1].id]
    assert "1 sample is already being described." in words(answer.text)
    assert "It is being described again" in as_owner.get(f"/samples/{two[0].id}").text
