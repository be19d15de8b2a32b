"""Descriptions by a real engine process, with a store and an OpenRouter of the tests' own, all over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from app.engine import remote_engine
from app.engine.contract import EngineOrder, Measurement, ProgressListener
from app.engine.describer import ModelRequest
from app.vibe.sound_description import BY_RULES
from app.vibe.vibe_prompt import PROMPT_VERSION
from tests.engine.engine_client import ask_engine, parse_stream
from tests.engine.fake_store import FakeStore, running_store
from tests.fake_openrouter import GOOD_ANSWER, KEY, FakeOpenRouter, running_openrouter
from tests.live import ENGINE_SECRET, EngineProcess
from tests.support import drum_loop

MODEL = "qwen/qwen3-8b"
ASK = ModelRequest((MODEL,), PROMPT_VERSION, "0.02", "0.5", "1.5", "break.wav")


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeOpenRouter]:
    with running_openrouter() as fake:
        yield fake


@pytest.fixture(scope="module")
def engine(fake: FakeOpenRouter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    keys = {"OPENROUTER_API_KEY": KEY, "OPENROUTER_BASE_URL": fake.url}
    with EngineProcess(tmp_path_factory.mktemp("engine"), **keys) as engine:
        yield engine


@pytest.fixture
def store(engine: EngineProcess) -> Iterator[FakeStore]:
    with running_store(engine.store_port) as store:
        yield store


@pytest.fixture(autouse=True)
def nothing_asked_yet(fake: FakeOpenRouter) -> None:
    fake.script = ["good"]
    fake.asked.clear()
    fake.billed_usd = Decimal(0)


def test_the_answer_carries_the_description_and_what_it_cost(
    engine: EngineProcess, store: FakeStore, fake: FakeOpenRouter
) -> None:
    url = store.keep("x", drum_loop(90))
    response = ask_engine(engine, url, name="break.wav", ask=EngineOrder(ask=ASK).model_dump()["ask"])
    messages, _ = parse_stream(response.content)
    answer = messages[-1]
    assert (answer["success"], answer["ai_analysis"]["source"]) == (True, MODEL)
    assert answer["ai_analysis"]["description"] == GOOD_ANSWER["description"]
    assert answer["ai_analysis"]["because"]["moods"].startswith("90 BPM, brightness")
    assert abs(Decimal(str(answer["cost"])) - fake.billed_usd) < Decimal("0.000002")
    [call] = answer["calls"]
    assert (call["model"], call["outcome"], Decimal(call["cost_usd"])) == (
        MODEL, "answered", Decimal(str(answer["cost"])),
    )  # fmt: skip
    assert [request["model"] for request in fake.asked] == [MODEL]
    assert KEY not in response.text + engine.log


def test_a_worker_gets_the_same_typed_answer(
    engine: EngineProcess, store: FakeStore, fake: FakeOpenRouter, tmp_path: Path
) -> None:
    measured: list[Measurement] = []
    answer = remote_engine.process_remotely(
        remote_engine.RemoteEngine(engine.url, ENGINE_SECRET),
        store.keep("x", drum_loop(90)),
        tmp_path,
        EngineOrder(name="break.wav", ask=ASK),
        ProgressListener(lambda _: None, measured.append, lambda: True),
    )
    assert measured == [answer.measurement]
    assert (answer.ai_analysis or {})["source"] == MODEL
    assert abs(Decimal(str(answer.cost)) - fake.billed_usd) < Decimal("0.000002")


def test_rules_describe_when_no_model_answers_and_the_call_is_recorded(
    engine: EngineProcess, store: FakeStore, fake: FakeOpenRouter
) -> None:
    fake.script = ["401"]
    url = store.keep("x", drum_loop(90))
    response = ask_engine(engine, url, ask=EngineOrder(ask=ASK).model_dump()["ask"])
    answer = parse_stream(response.content)[0][-1]
    assert (answer["success"], answer["ai_analysis"]["source"], answer["cost"]) == (True, BY_RULES, 0)
    assert [call["outcome"] for call in answer["calls"]] == ["status 401"]


@pytest.mark.parametrize("options", [{"ask": None}, {"ai_analysis": False}])
def test_no_model_is_asked_unless_the_order_wants_it(
    engine: EngineProcess, store: FakeStore, fake: FakeOpenRouter, options: dict[str, object]
) -> None:
    asked = {"ask": EngineOrder(ask=ASK).model_dump()["ask"]} | options
    response = ask_engine(engine, store.keep("x", drum_loop(90)), **asked)
    answer = parse_stream(response.content)[0][-1]
    description = answer["ai_analysis"]
    assert (description or {}).get("source") == (None if "ai_analysis" in options else BY_RULES)
    assert (answer["calls"], answer["cost"], fake.asked) == ([], 0, [])
