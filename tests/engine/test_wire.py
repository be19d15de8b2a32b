"""What the engine says survives the way: answers with what they cost, and every kind of trouble."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.audio.errors import UnreadableAudio
from app.engine import wire
from app.engine.order import Answer
from app.integrations.storage import StorageError
from app.sandbox.errors import EngineError, EngineTimeout


def sent(message: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(wire.line(message)))


def test_an_answer_carries_the_calls_that_were_billed_and_their_sum() -> None:
    calls = [{"model": "a", "cost_usd": "0.000100"}, {"model": "b", "cost_usd": "0.000203"}]
    answer = Answer({"bpm": 93.0}, {"moods": ["dark"]}, calls)
    message = sent(wire.success(answer, 1.23456))
    assert (message["cost"], message["processing_time"]) == (0.000303, 1.235)
    assert wire.answer_of(message) == answer


@pytest.mark.parametrize(
    "error",
    [
        UnreadableAudio("This is no audio. Upload a WAV."),
        EngineTimeout("too long", -9),
        *[kind("it broke", -11) for kind in wire.KINDS.values() if issubclass(kind, EngineError)],
        StorageError("the store answered 404"),
    ],
)
def test_trouble_is_raised_again_as_what_it_was(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        wire.answer_of(sent(wire.failure(error, 1)))
    assert vars(raised.value) == vars(error)
    assert str(raised.value) == str(error)


def test_an_unknown_error_brings_its_traceback() -> None:
    message = sent(wire.failure(ZeroDivisionError("by nothing"), 1))
    with pytest.raises(RuntimeError, match="ZeroDivisionError: by nothing"):
        wire.answer_of(message)
