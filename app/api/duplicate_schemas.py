"""Request and response schemas of the JSON API for duplicates."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, Field

from app.api.sample_schemas import SampleAnswer
from app.api.schemas import RequestModel
from app.deduplication.group_list import CURSOR, SHOWN_COPIES, GroupPage, ShownCopy, ShownGroup, Totals
from app.models import Sample


class DuplicatesQuery(RequestModel):
    after: str | None = Field(
        None, pattern=f"^{CURSOR.pattern}$", description="`next_after` of the page before."
    )
    limit: int = Field(20, ge=1, le=50)


class CopyAnswer(SampleAnswer):
    reason: str = Field(description='Why it stays, or how it differs from the one that does: "MP3, mono".')

    @classmethod
    def from_copy(cls, sample: Sample, shown: ShownCopy) -> CopyAnswer:
        """Return the answer for a sample of a group."""
        return cls(**SampleAnswer.from_sample(sample).model_dump(), reason=shown.words)


class GroupAnswer(BaseModel):
    id: str
    kept: CopyAnswer = Field(description="The best file, or the one you chose to keep.")
    others: list[CopyAnswer] = Field(description=f"At most {SHOWN_COPIES - 1}, the oldest first.")
    samples: int = Field(description="How many samples are this recording, with the one that stays.")
    spare_bytes: int = Field(description="What all but the one that stays take of your storage.")
    same_audio: bool = Field(description="True when all samples listed hold the same audio, bit by bit.")

    @classmethod
    def from_group(cls, group: ShownGroup, known: dict[str, Sample]) -> GroupAnswer:
        """Return the answer for a group."""
        return cls(
            id=group.id,
            kept=CopyAnswer.from_copy(known[group.kept.sample_id], group.kept),
            others=[
                CopyAnswer.from_copy(known[each.sample_id], each)
                for each in group.others
                if each.sample_id in known
            ],
            samples=group.samples,
            spare_bytes=group.spare_bytes,
            same_audio=group.has_same_audio,
        )


class DuplicatesAnswer(BaseModel):
    groups: list[GroupAnswer]
    total: int = Field(description="How many groups there are, on all pages.")
    spare_bytes: int = Field(description="What could be freed in all of them.")
    waiting: int = Field(description="How many samples are still to be compared; at most 10,000.")
    next_after: str | None = Field(description="Send it as `after` for the next page; null on the last.")

    @classmethod
    def from_page(cls, page: GroupPage, totals: Totals, loaded: Iterable[Sample]) -> DuplicatesAnswer:
        """Return the answer for a page, without groups whose sample was deleted meanwhile."""
        known = {sample.id: sample for sample in loaded}
        shown = [each for each in page.groups if each.kept.sample_id in known]
        return cls(
            groups=[GroupAnswer.from_group(each, known) for each in shown],
            total=totals.groups,
            spare_bytes=totals.spare_bytes,
            waiting=totals.waiting,
            next_after=page.next_after,
        )
