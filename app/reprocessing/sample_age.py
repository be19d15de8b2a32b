"""Say what is out of date about a sample: its description, its measurement, or the figures described."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.audio.version import ENGINE_VERSION
from app.jobs import reprocess
from app.models import Sample
from app.reprocessing.reprocess_purposes import ANALYSE, DESCRIBE
from app.vibe import vibe_prompt, vibe_schema
from app.vibe.sound_description import BY_RULES

PURPOSES = (DESCRIBE, ANALYSE)
SHOWN_PRECISION_BPM = 0.1


@dataclass(frozen=True)
class SampleAge:
    """The parts of a sample that are out of date, and which purposes have an unfinished job for it."""

    has_old_description: bool
    has_old_engine: bool
    changed_figures: dict[str, Any]  # what the description was written for, where the sample differs now
    under_way: tuple[str, ...]


def sample_age(sample: Sample) -> SampleAge:
    """Return what of a sample is out of date."""
    return SampleAge(
        has_old_description=has_old_description(sample),
        has_old_engine=sample.features.engine_version != ENGINE_VERSION,
        changed_figures=changed_figures(sample),
        under_way=tuple(purpose for purpose in PURPOSES if reprocess.unfinished_jobs([sample.id], purpose)),
    )


def is_by_model(sample: Sample) -> bool:
    """Say whether a model wrote the description. A sample without one will be described by rules."""
    return bool(sample.described.get("source", BY_RULES) != BY_RULES)


def has_old_description(sample: Sample) -> bool:
    """Say whether the description was written with an older prompt or schema; False without one."""
    described = sample.described
    if not described:
        return False
    has_old_prompt = (described.get("prompt_version") or 0) < vibe_prompt.PROMPT_VERSION
    has_old_schema = described.get("schema_version", 0) < vibe_schema.SCHEMA_VERSION
    return (is_by_model(sample) and has_old_prompt) or has_old_schema


def changed_figures(sample: Sample) -> dict[str, Any]:
    """Return the figures the description was written for that have changed since, by their old value.

    Descriptions from before figures were saved with them return none.
    """
    described_for = sample.described.get("figures", {})
    return {name: old for name, old in described_for.items() if _differs(old, getattr(sample, name))}


def _differs(old: Any, new: Any) -> bool:
    """Compare as precisely as pages show: 93.02 BPM has not become 93.0 BPM."""
    if isinstance(old, float) and isinstance(new, float):
        return abs(old - new) >= SHOWN_PRECISION_BPM
    return bool(old != new)
