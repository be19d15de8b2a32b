"""Views of the JSON API that fill a bank, swap a pad and give reasons."""

from __future__ import annotations

from app.api import kit_fill_operations as operations
from app.api import kit_fill_schemas
from app.api.serving import Answer, serves
from app.kits import bank_filling, bank_fitting, bank_reasons, documents, kit_list, pad_swaps
from app.kits.bank_filling import FillReport
from app.kits.fill_wishes import FillWishes, wishes_of_sentence
from app.models import Kit, User
from app.models.ownership import RowNotFoundError
from app.sp404.bank_layouts import LAYOUTS
from app.sp404.pads import PLACES


@serves(operations.FILL_BANK)
def fill_bank(user: User, kit_id: str, body: kit_fill_schemas.BankFillRequest) -> Answer:
    kit = kit_list.owned_kit(user, kit_id)
    wishes = FillWishes(LAYOUTS[body.recipe]) if body.recipe else wishes_of_sentence(user, body.sentence)
    return _answer(kit, bank_filling.fill_bank(user, kit, body.bank, wishes, body.seed, body.revision))


@serves(operations.SHUFFLE_BANK)
def shuffle_bank(user: User, kit_id: str, body: kit_fill_schemas.BankShuffleRequest) -> Answer:
    kit = kit_list.owned_kit(user, kit_id)
    return _answer(kit, bank_filling.shuffle_bank(user, kit, body.bank, body.seed, body.revision))


@serves(operations.FIT_BANK)
def fit_bank(user: User, kit_id: str, body: kit_fill_schemas.FitRequest) -> Answer:
    kit = kit_list.owned_kit(user, kit_id)
    done = bank_fitting.fit_pads(user, kit, body.bank, body.revision)
    steps = {pad: list(words) for pad, words in done.items()}
    return kit_fill_schemas.FitAnswer(kit=documents.kit_document(kit), done=steps)


@serves(operations.EXPLAIN_BANK)
def explain_bank(user: User, kit_id: str, query: kit_fill_schemas.WhyQuery) -> Answer:
    kit = kit_list.owned_kit(user, kit_id)
    return kit_fill_schemas.WhyAnswer.from_reasons(bank_reasons.explain_bank(user, kit, query.bank))


@serves(operations.SWAP_PAD)
def swap_pad(user: User, kit_id: str, pad: str, body: kit_fill_schemas.PadSwapRequest) -> Answer:
    kit = kit_list.owned_kit(user, kit_id)
    if pad not in PLACES:
        raise RowNotFoundError("pad")
    if body.to in pad_swaps.CHANGES:
        pad_swaps.change_pad(user, kit, pad, body.to, body.revision)
    else:
        step = pad_swaps.PREVIOUS if body.to == "previous" else pad_swaps.NEXT
        pad_swaps.swap_pad(user, kit, pad, step, body.revision)
    return documents.kit_document(kit)


def _answer(kit: Kit, report: FillReport) -> Answer:
    return kit_fill_schemas.FillAnswer(
        kit=documents.kit_document(kit),
        bank=report.bank,
        recipe=report.layout.slug,
        sentence=report.sentence,
        filled=dict(report.filled),
        missing=dict(report.missing),
        bpm=report.bpm,
        key=report.key,
    )
