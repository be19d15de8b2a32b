"""Words that the engine asks a model for, when whoever sent the order says which and for how much."""

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

ASK = ModelRequest(("qwen/qwen3-8b",), PROMPT_VERSION, "0.02", "0.5", "1.5", "break.wav")


def test_an_order_carries_what_may_be_asked_and_the_answer_what_it_cost(tmp_path: Path) -> None:
    path = tmp_path / "break.wav"
    path.write_bytes(drum_loop(90))
    measured = Analysis.from_dict(measure_file(path))
    travelled = EngineOrder.model_validate_json(json.dumps(EngineOrder(ask=ASK).model_dump()))
    assert travelled.ask == ASK
    with running_openrouter() as fake:
        here = Settings(openrouter_api_key=KEY, openrouter_base_url=fake.url)
        described = describer.describe_sound(measured, travelled.ask, configured_endpoint(here))
        found, calls = described.to_dict(), described.calls
        assert found["source"] == "qwen/qwen3-8b"
        assert abs(
            Decimal(str(EngineAnswer(Measurement(measured, ""), found, calls).cost)) - fake.billed_usd
        ) < Decimal("0.000002")
        assert describer.describe_sound(measured, None, configured_endpoint(here)).source == BY_RULES
        assert describer.describe_sound(measured, travelled.ask, configured_endpoint(Settings())).calls == []
        assert len(fake.asked) == 1
