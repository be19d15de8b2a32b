"""Limit how many slots slow models can hold: a worker keeps one for jobs that ask no model.

A job that finds no place goes back to the queue instead of holding its slot. When models take too long, they
are not asked for a while, and the built-in rules describe instead.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

# How long a job waits in its slot for a place; an answer usually takes a few seconds.
WAIT_S = 5.0
# After this many slow questions in a row, no model is asked for a while. Each further one doubles the pause.
SLOW_S, SLOW_IN_A_ROW = 30.0, 2
FIRST_PAUSE_S, LONGEST_PAUSE_S = 60.0, 900.0


class ModelsBusyError(Exception):
    """All places for asking models are taken in this worker, so the job has to wait."""


class ModelPlaces:
    """The places for asking models in one worker process, and whether asking is paused."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._taken = 0
        self._slow_in_a_row = 0
        self._paused_until = 0.0

    @property
    def is_paused(self) -> bool:
        """Return whether models are not asked at the moment because they took too long."""
        return time.monotonic() < self._paused_until

    @contextmanager
    def take(self, slots: int) -> Iterator[None]:
        """Hold a place while a model is asked, here or by another worker with the same question.

        There is one place less than slots, but at least one.

        Raises ModelsBusyError when none is free within WAIT_S.
        """
        most = max(slots - 1, 1)
        with self._change:
            if not self._change.wait_for(lambda: self._taken < most, WAIT_S):
                raise ModelsBusyError("as many jobs of this worker are asking models as may")
            self._taken += 1
        try:
            yield
        finally:
            with self._change:
                self._taken -= 1
                self._change.notify()

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Time one question to a model; a job that waited for another's answer has held its place longer."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._note_answer(time.monotonic() - began)

    def _note_answer(self, took_s: float) -> None:
        with self._change:
            self._slow_in_a_row = self._slow_in_a_row + 1 if took_s >= SLOW_S else 0
            if self._slow_in_a_row >= SLOW_IN_A_ROW:
                doubled = FIRST_PAUSE_S * 2.0 ** min(self._slow_in_a_row - SLOW_IN_A_ROW, 10)
                self._paused_until = time.monotonic() + min(doubled, LONGEST_PAUSE_S)


PLACES = ModelPlaces()
