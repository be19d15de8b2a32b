"""What the engine says survives the way: answers with what they cost, and every kind of trouble."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.audio.errors import UnreadableAudio
from app.engine import wire_format
from app.engine.contract import EngineAnswer
from app.integrations.storage import StorageError
from app.sandbox.errors import EngineError, EngineTimeout
from tests.measurements import loop_measurement


def sent(message: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(wire_format.encode_line(message)))


def test_an_answer_carries_the_calls_that_were_billed_and_their_sum() -> None:
    calls = [{"model": "a", "cost_usd": "0.000100"}, {"model": "b", "cost_usd": "0.000203"}]
    answer = EngineAnswer(loop_measurement(bpm=93.0), {"moods": ["dark"]}, calls)
    message = sent(wire_format.success_message(answer, 1.23456))
    assert (message["cost"], message["processing_time"]) == (0.000303, 1.235)
    assert wire_format.parse_answer(message) == answer


@pytest.mark.parametrize(
    "error",
    [
        UnreadableAudio("This is no audio. Upload a WAV."),
        EngineTimeout("too long", -9),
        *[
            kind("it broke", -11)
            for kind in wire_format.ERROR_KINDS.values()
            if issubclass(kind, EngineError)
        ],
        StorageError("the store answered 404"),
    ],
)
def test_trouble_is_raised_again_as_what_it_was(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        wire_format.parse_answer(sent(wire_format.failure_message(error, 1)))
    assert vars(raised.value) == vars(error)
    assert str(raised.value) == str(error)


def test_an_unknown_error_brings_its_traceback() -> None:
    message = sent(wire_format.failure_message(ZeroDivisionError("by nothing"), 1))
    with pytest.raises(RuntimeError, match="ZeroDivisionError: by nothing"):
        wire_format.parse_answer(message)
