"""Request and response schemas of the JSON API for similar samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from app.api.sample_schemas import SampleAnswer
from app.api.schemas import RequestModel
from app.audio.similarity.layout import BALANCED, PRESETS
from app.models import Sample
from app.search.similar_samples import MAX_HITS, SimilarSample
from app.vibe.vibe_schema import VocabularyWord

NOT_COMPARABLE = "This sample can't be compared yet. Analyse it again first."


class SimilarSamplesQuery(RequestModel):
    preset: Annotated[str, VocabularyWord(tuple(PRESETS))] = Field(
        BALANCED, description="What counts most. Only loops have a rhythm and a harmony."
    )
    limit: int = Field(50, ge=1, le=MAX_HITS)


class SimilarSampleAnswer(SampleAnswer):
    distance: float = Field(
        description="0 for the same sound. Compare only distances of one preset and one engine version."
    )
    match: int = Field(description="The distance as a percentage: 100 for the same sound.")
    reason: str = Field(description='What they share and how this one differs: "same body, brighter".')

    @classmethod
    def from_hit(cls, sample: Sample, hit: SimilarSample) -> SimilarSampleAnswer:
        """Return the answer for a sample and how it compares."""
        plain = SampleAnswer.from_sample(sample).model_dump()
        return cls(**plain, distance=hit.distance, match=hit.match, reason=hit.reason)


class SimilarSamplesAnswer(BaseModel):
    samples: list[SimilarSampleAnswer]

    @classmethod
    def from_hits(cls, hits: Sequence[SimilarSample], loaded: Iterable[Sample]) -> SimilarSamplesAnswer:
        """Return the answer for what was found, without samples that were deleted meanwhile."""
        known = {sample.id: sample for sample in loaded}
        found = [hit for hit in hits if hit.sample_id in known]
        return cls(samples=[SimilarSampleAnswer.from_hit(known[hit.sample_id], hit) for hit in found])
