"""Request and response schemas of the operations that fill a bank, swap a pad and give reasons."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from app.api.kit_schemas import Revision
from app.api.schemas import RequestModel
from app.kits.bank_reasons import BankReasons
from app.search.sentence_parser import MAX_SENTENCE_LENGTH
from app.sp404.bank_layouts import LAYOUTS
from app.sp404.kit_document import BankName, KitDocument

Recipe = Literal["boom-bap", "mpc", "gm-drums", "breaks", "loops-in-key"]
Change = Literal["next", "previous", "brighter", "darker", "shorter", "punchier"]
PERCENT = "0 to 100"


class BankFillRequest(RequestModel):
    """What to fill a bank with: a recipe, or a sentence that may name one."""

    bank: BankName = "A"
    recipe: Recipe | None = Field(None, description=f"One of: {', '.join(LAYOUTS)}.")
    sentence: Annotated[str, Field(max_length=MAX_SENTENCE_LENGTH)] = Field(
        "", description="Such as `dusty boom bap kit around 90 in A minor`; its tempo becomes the bank's."
    )
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = Field(
        0, description="The same seed and library give the same bank. 0 is the best choice without chance."
    )
    revision: Revision = None

    @model_validator(mode="after")
    def _check_wishes(self) -> Self:
        if bool(self.sentence.strip()) == (self.recipe is not None):
            raise ValueError("Send a `recipe` or a `sentence`, one of them.")
        return self


class BankShuffleRequest(RequestModel):
    bank: BankName = "A"
    seed: Annotated[int, Field(ge=1, le=2**31 - 1)]
    revision: Revision = None


class FillAnswer(BaseModel):
    kit: KitDocument
    bank: str
    recipe: str = Field(description="Empty after a shuffle.")
    sentence: str = Field(description="What was done, for a person.")
    filled: dict[str, str] = Field(description="What each filled pad is for.")
    missing: dict[str, str] = Field(description="Pads left empty, and the class that the library lacks.")
    bpm: float
    key: str | None = Field(description="The key that loops in key share.")


class FitRequest(RequestModel):
    bank: BankName = "A"
    revision: Revision = None


class FitAnswer(BaseModel):
    kit: KitDocument
    done: dict[str, list[str]] = Field(description="What was done to each pad that was changed.")


class PadSwapRequest(RequestModel):
    to: Change = Field("next", description="`next` and `previous` walk the ten sounds most alike.")
    revision: Revision = None


class WhyQuery(RequestModel):
    bank: BankName = "A"


class PadReasonAnswer(BaseModel):
    pad: str
    sentence: str
    fit: int | None = Field(description=f"How well it goes with the others, {PERCENT}; null beside none.")


class BetterSoundAnswer(BaseModel):
    pad: str
    sample_id: str
    name: str
    fit: int


class WhyAnswer(BaseModel):
    bank: str
    fit: int | None = Field(
        description=f"How well the sounds go together, {PERCENT}; null for fewer than two."
    )
    sentence: str
    pads: list[PadReasonAnswer]
    weakest: str | None = Field(description="The pad that goes least with the others and is not locked.")
    better: BetterSoundAnswer | None = Field(description="A sound that would go clearly better there.")

    @classmethod
    def from_reasons(cls, why: BankReasons) -> Self:
        """Return the answer for what was found out about a bank."""
        return cls.model_validate(why, from_attributes=True)
