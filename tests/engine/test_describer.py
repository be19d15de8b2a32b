"""Words that the engine asks a model for, when whoever sent the order says which and for how much."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from app.audio.report import measure_file
from app.config import Settings
from app.engine import describer
from app.engine.describer import Ask
from app.engine.order import Answer, Order
from app.integrations.openrouter.client import server_of
from app.vibe.description import LOCAL
from app.vibe.prompt import PROMPT_VERSION
from tests.fake_openrouter import KEY, market
from tests.support import drum_loop

ASK = Ask(("qwen/qwen3-8b",), PROMPT_VERSION, "0.02", "0.5", "1.5", "break.wav")


def test_an_order_carries_what_may_be_asked_and_the_answer_what_it_cost(tmp_path: Path) -> None:
    path = tmp_path / "break.wav"
    path.write_bytes(drum_loop(90))
    features = measure_file(path)
    travelled = Order.model_validate_json(json.dumps(Order(ask=ASK).model_dump()))
    assert travelled.ask == ASK
    with market() as fake:
        here = Settings(openrouter_api_key=KEY, openrouter_base_url=fake.url)
        described = describer.describe(features, travelled.ask, server_of(here))
        found, calls = described.to_dict(), described.calls
        assert found["source"] == "qwen/qwen3-8b"
        assert abs(Decimal(str(Answer(features, found, calls).cost)) - fake.billed_usd) < Decimal("0.000002")
        assert describer.describe(features, None, server_of(here)).source == LOCAL
        assert describer.describe(features, travelled.ask, server_of(Settings())).calls == []
        assert len(fake.asked) == 1
