"""The operations of the JSON API that fill a bank, swap a pad and give reasons."""

from __future__ import annotations

from app.api import kit_fill_schemas
from app.api.operation import Operation
from app.models.api_token import KITS_READ, KITS_WRITE
from app.sp404.kit_document import KitDocument

LOCKED_STAY = "Locked pads stay as they are."

FILL_BANK = Operation(
    "fill_bank",
    "POST",
    "/kits/{kit_id}/fill",
    "Fill a bank",
    f"From your library, by a recipe or a sentence. {LOCKED_STAY} A pad whose class the library lacks is "
    "left empty and named in `missing`; no sound comes twice.",
    ability=KITS_WRITE,
    answer=kit_fill_schemas.FillAnswer,
    body=kit_fill_schemas.BankFillRequest,
    problems=(409,),
)
SHUFFLE_BANK = Operation(
    "shuffle_bank",
    "POST",
    "/kits/{kit_id}/shuffle",
    "Shuffle a bank",
    f"Put other sounds of the same classes on its pads. {LOCKED_STAY}",
    ability=KITS_WRITE,
    answer=kit_fill_schemas.FillAnswer,
    body=kit_fill_schemas.BankShuffleRequest,
    problems=(409,),
)
FIT_BANK = Operation(
    "fit_bank",
    "POST",
    "/kits/{kit_id}/fit",
    "Fit a bank",
    "Give its sounds one tempo, keys that mix within 2 semitones, and one loudness, as recipes of the pads. "
    f"{LOCKED_STAY}",
    ability=KITS_WRITE,
    answer=kit_fill_schemas.FitAnswer,
    body=kit_fill_schemas.FitRequest,
    problems=(409,),
)
EXPLAIN_BANK = Operation(
    "explain_bank",
    "GET",
    "/kits/{kit_id}/why",
    "Explain a bank",
    "Why each sound is there, how well they go together, the weakest pad, and a sound that would fit better.",
    ability=KITS_READ,
    answer=kit_fill_schemas.WhyAnswer,
    query=kit_fill_schemas.WhyQuery,
)
SWAP_PAD = Operation(
    "swap_pad",
    "POST",
    "/kits/{kit_id}/pads/{pad}/swap",
    "Swap the sound of a pad",
    "For the next or previous of the ten most alike, or the one most alike that is clearly brighter, darker, "
    "shorter or punchier. The answer is the kit's `kit.json`.",
    ability=KITS_WRITE,
    answer=KitDocument,
    body=kit_fill_schemas.PadSwapRequest,
    problems=(409,),
)

KIT_FILL_OPERATIONS = (FILL_BANK, SHUFFLE_BANK, FIT_BANK, EXPLAIN_BANK, SWAP_PAD)
