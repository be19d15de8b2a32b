"""Time two addresses in turn, so that whatever else the machine does slows both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from benchmarks.library_scale.visitor import Visit, Visitor

WARM_UPS, LEAST_REQUESTS = 5, 8


@dataclass(frozen=True)
class Comparison:
    """Medians of an address beside a yardstick's, and of the ratios of requests made one after the other."""

    wall_ms: float
    processor_ms: float
    wall_ratio: float
    processor_ratio: float
    last: Visit


@dataclass(frozen=True)
class Schedule:
    """How often an address is read: `requests` times, or fewer when that takes longer than `seconds`."""

    requests: int
    seconds: float


def compare(
    yardstick: tuple[Visitor, str],
    subject: tuple[Visitor, str],
    schedule: Schedule,
    others: Sequence[str] = (),
) -> Comparison:
    """Read both addresses in turn and return how the subject compares.

    With `others`, each request is for one of them, drawn at random, and not for the subject's address.
    """
    (one, standard), (other, address) = yardstick, subject
    addresses, draw = others or (address,), Random()
    until = time.monotonic() + schedule.seconds
    for _ in range(WARM_UPS):
        one.get(standard)
        other.get(draw.choice(addresses))
        if time.monotonic() > until:
            break
    pairs: list[tuple[Visit, Visit]] = []
    while len(pairs) < schedule.requests and (len(pairs) < LEAST_REQUESTS or time.monotonic() < until):
        pairs.append((one.get(standard), other.get(draw.choice(addresses))))
    times = summarize(pairs)
    return replace(times, last=other.get(address)) if others else times


def summarize(pairs: Sequence[tuple[Visit, Visit]]) -> Comparison:
    """Return the medians of pairs of a yardstick and a subject that were timed one after the other."""
    return Comparison(
        1000 * statistics.median(mine.wall_s for _, mine in pairs),
        1000 * statistics.median(mine.processor_s for _, mine in pairs),
        statistics.median(mine.wall_s / its.wall_s for its, mine in pairs),
        statistics.median(mine.processor_s / its.processor_s for its, mine in pairs),
        pairs[-1][1],
    )
