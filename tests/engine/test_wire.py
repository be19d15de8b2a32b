"""The wire format carries everything: answers with their cost, and each kind of error."""

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


def travelled(message: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(wire_format.encode_line(message)))


def test_an_answer_carries_the_billed_calls_and_their_sum() -> None:
    calls = [{"model": "a", "cost_usd": "0.000100"}, {"model": "b", "cost_usd": "0.000203"}]
    answer = EngineAnswer(loop_measurement(bpm=93.0), {"moods": ["dark"]}, calls)
    message = travelled(wire_format.success_message(wire_format.plain_answer(answer), 1.23456))
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
def test_an_error_is_raised_again_with_its_class_and_details(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        wire_format.parse_answer(travelled(wire_format.failure_message(error, 1)))
    assert vars(raised.value) == vars(error)
    assert str(raised.value) == str(error)


def test_an_unknown_error_carries_its_traceback() -> None:
    message = travelled(wire_format.failure_message(ZeroDivisionError("by nothing"), 1))
    with pytest.raises(RuntimeError, match="ZeroDivisionError: by nothing"):
        wire_format.parse_answer(message)
