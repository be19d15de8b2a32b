"""The describer: an order says which models may be asked and for how much, the answer what that cost."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from app.audio.file_report import measure_file
from app.audio.result import Analysis
from app.config import Settings
from app.engine import describer
from app.engine.contract import EngineAnswer, EngineOrder, Measurement
from app.engine.describer import ModelRequest
from app.integrations.openrouter.chat_client import configured_endpoint
from app.vibe.sound_description import BY_RULES
from app.vibe.vibe_prompt import PROMPT_VERSION
from tests.fake_openrouter import KEY, running_openrouter
from tests.support import drum_loop

MODEL = "qwen/qwen3-8b"
ASK = ModelRequest((MODEL,), PROMPT_VERSION, "0.02", "0.5", "1.5", "break.wav")


def test_an_order_carries_the_model_request_and_the_answer_its_cost(tmp_path: Path) -> None:
    path = tmp_path / "break.wav"
    path.write_bytes(drum_loop(90))
    measured = Analysis.from_dict(measure_file(path))
    received = EngineOrder.model_validate_json(json.dumps(EngineOrder(ask=ASK).model_dump()))
    assert received.ask == ASK
    with running_openrouter() as fake:
        settings = Settings(openrouter_api_key=KEY, openrouter_base_url=fake.url)
        endpoint = configured_endpoint(settings)
        described = describer.describe_sound(measured, received.ask, endpoint)
        plain, calls = described.to_dict(), described.calls
        assert plain["source"] == MODEL
        answer = EngineAnswer(Measurement(measured, ""), plain, calls)
        assert abs(Decimal(str(answer.cost)) - fake.billed_usd) < Decimal("0.000002")
        assert describer.describe_sound(measured, None, endpoint).source == BY_RULES
        without_key = configured_endpoint(Settings())
        assert describer.describe_sound(measured, received.ask, without_key).calls == []
        assert len(fake.asked) == 1
