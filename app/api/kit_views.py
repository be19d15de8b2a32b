"""Views of the JSON API about kits."""

from __future__ import annotations

import base64
from collections.abc import Callable

from flask import Response, request

import tasks
from app.api import kit_operations as operations
from app.api import kit_schemas, problems
from app.api.serving import Answer, serves, upload_answer
from app.cards import card_orders, card_preflight
from app.imports import import_orders, project_uploads
from app.kits import documents, history, kit_list, pad_edits, pattern_edits, selections
from app.kits.history import KitEdit
from app.kits.kit_state import HUNDREDTHS, PadState
from app.library import samples
from app.models import CardExport, Kit, User
from app.models.ownership import RowNotFoundError, owned_by
from app.plurals import pluralize
from app.sp404.errors import UnitFileError
from app.sp404.importing.kit_sources import FoundKit
from app.sp404.kit_document import KitDocument
from app.sp404.pads import PLACES
from app.sp404.project.file_trees import shown_path
from app.sp404.project.midi_reader import MidiPattern, pattern_from_midi
from app.sp404.project.project_search import MAX_LISTED
from app.sp404.project.step_beats import pattern_of_beat
from app.sp404.unit_limits import BANKS

NO_SUCH_SAMPLE = "That sample is not in your library."
NOTHING_TO_UNDO, NOTHING_TO_REDO = "There is nothing to undo.", "There is nothing to redo."


@serves(operations.LIST_KITS)
def list_kits(user: User) -> Answer:
    kits = kit_list.list_kits(user)
    pads = kit_list.count_pads(kits)
    return kit_schemas.KitsAnswer(
        kits=[kit_schemas.KitSummary.from_kit(kit, pads.get(kit.id, 0)) for kit in kits]
    )


@serves(operations.CREATE_KIT)
def create_kit(user: User, body: kit_schemas.NewKit) -> Answer:
    state = documents.state_of_document(user, body)
    if not body.samples:
        return documents.kit_document(kit_list.create_kit(user, state))
    if body.pads:
        return problems.problem_response(422, "Send `pads` or `samples`, not both.")
    chosen = {sample.id: sample for sample in samples.all_owned_by(user, set(body.samples))}
    made = selections.kit_from_samples(user, state, [chosen[each] for each in dict.fromkeys(body.samples)])
    return documents.kit_document(made.kit)


@serves(operations.SHOW_KIT)
def show_kit(user: User, kit_id: str) -> Answer:
    return documents.kit_document(kit_list.owned_kit(user, kit_id))


@serves(operations.EDIT_KIT)
def edit_kit(user: User, kit_id: str, body: kit_schemas.KitPatch) -> Answer:
    kit = kit_list.owned_kit(user, kit_id)
    values = body.model_dump(include={"name", "tempo", "tempo_source", "notes"}, exclude_none=True)
    banks = [
        pad_edits.change_bank(name, **_in_hundredths(bank.model_dump(exclude_none=True)))
        for name, bank in body.banks.items()
    ]
    edit = pad_edits.in_order(pad_edits.change_values(**_in_hundredths(values)), *banks)
    return _change(kit, "Change the kit", edit, body.revision)


@serves(operations.DELETE_KIT)
def delete_kit(user: User, kit_id: str) -> Answer:
    kit_list.delete_kit(kit_list.owned_kit(user, kit_id))
    return Response(status=operations.DELETE_KIT.status)


@serves(operations.COPY_KIT)
def copy_kit(user: User, kit_id: str) -> Answer:
    return documents.kit_document(kit_list.copy_kit(user, kit_list.owned_kit(user, kit_id)))


@serves(operations.PUT_PAD)
def put_pad(user: User, kit_id: str, pad: str, body: kit_schemas.PadPut) -> Answer:
    kit, pad = kit_list.owned_kit(user, kit_id), _known_pad(pad)
    if body.sample is None:
        held = PadState(locked=body.locked)
    else:
        sample = documents.find_sample(user, body.sample)
        if sample is None:
            return problems.problem_response(422, NO_SUCH_SAMPLE)
        held = pad_edits.pad_for_sample(sample, body.settings, body.locked)
    return _change(kit, f"Set pad {pad}", pad_edits.put(pad, held), body.revision)


@serves(operations.CLEAR_PAD)
def clear_pad(user: User, kit_id: str, pad: str, query: kit_schemas.RevisionQuery) -> Answer:
    kit, pad = kit_list.owned_kit(user, kit_id), _known_pad(pad)
    return _change(kit, f"Clear {pad}", pad_edits.clear([pad]), query.revision)


@serves(operations.PUT_PATTERN)
def put_pattern(user: User, kit_id: str, place: str, body: kit_schemas.PatternPut) -> Answer:
    kit, place = kit_list.owned_kit(user, kit_id), _known_pad(place)
    if (body.midi is None) == (body.beat is None):
        return problems.problem_response(422, "Send `midi` or `beat`, and not both.")
    if body.beat is not None:
        found = MidiPattern(pattern_of_beat(body.beat, body.bars or 1), None, ())
    else:
        found = pattern_from_midi(_decode_midi(body.midi or ""), body.bank, body.bars)
    made = pattern_edits.make_pattern(found.pattern, body.name)
    document = _change(kit, f"Set pattern {place}", pattern_edits.keep_pattern(place, made), body.revision)
    return kit_schemas.PatternAnswer(
        kit=document, bars=made.bars, bpm=found.bpm, left_out=list(found.left_out)
    )


@serves(operations.DELETE_PATTERN)
def delete_pattern(user: User, kit_id: str, place: str, query: kit_schemas.RevisionQuery) -> Answer:
    kit, place = kit_list.owned_kit(user, kit_id), _known_pad(place)
    return _change(kit, f"Delete pattern {place}", pattern_edits.remove_pattern(place), query.revision)


@serves(operations.COPY_PAD)
def copy_pad(user: User, kit_id: str, pad: str, body: kit_schemas.PadTarget) -> Answer:
    kit, pad = kit_list.owned_kit(user, kit_id), _known_pad(pad)
    return _change(kit, f"Copy {pad} to {body.to}", pad_edits.copy_pad(pad, body.to), body.revision)


@serves(operations.EXCHANGE_PADS)
def exchange_pads(user: User, kit_id: str, pad: str, body: kit_schemas.PadTarget) -> Answer:
    kit, pad = kit_list.owned_kit(user, kit_id), _known_pad(pad)
    return _change(kit, f"Exchange {pad} and {body.to}", pad_edits.exchange(pad, body.to), body.revision)


@serves(operations.COPY_BANK)
def copy_bank(user: User, kit_id: str, bank: str, body: kit_schemas.BankTarget) -> Answer:
    kit = kit_list.owned_kit(user, kit_id)
    if bank not in tuple(BANKS):
        raise RowNotFoundError("bank")
    return _change(kit, f"Copy bank {bank} to {body.to}", pad_edits.copy_bank(bank, body.to), body.revision)


@serves(operations.UNDO_CHANGE)
def undo_change(user: User, kit_id: str, query: kit_schemas.RevisionQuery) -> Answer:
    return _step(user, kit_id, query, history.undo_change, NOTHING_TO_UNDO)


@serves(operations.REDO_CHANGE)
def redo_change(user: User, kit_id: str, query: kit_schemas.RevisionQuery) -> Answer:
    return _step(user, kit_id, query, history.redo_change, NOTHING_TO_REDO)


def _step(
    user: User,
    kit_id: str,
    query: kit_schemas.RevisionQuery,
    step: Callable[[Kit, int | None], str],
    sentence: str,
) -> Answer:
    kit = kit_list.owned_kit(user, kit_id)
    if not step(kit, query.revision):
        return problems.problem_response(409, sentence)
    return documents.kit_document(kit)


def _change(kit: Kit, words: str, edit: KitEdit, revision: int | None) -> KitDocument:
    history.change_kit(kit, words, edit, revision)
    return documents.kit_document(kit)


def _decode_midi(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise UnitFileError("`midi` is no Base64. Send the bytes of the MIDI file in Base64.") from error


def _known_pad(pad: str) -> str:
    if pad not in PLACES:
        raise RowNotFoundError("pad")
    return pad


def _in_hundredths(values: dict[str, object]) -> dict[str, object]:
    """Return values with the tempo as the tables store it."""
    tempo = values.get("tempo")
    return values | {"tempo": round(tempo * HUNDREDTHS)} if isinstance(tempo, float) else values


@serves(operations.CHECK_KIT)
def check_kit(user: User, kit_id: str, query: kit_schemas.PreflightQuery) -> Answer:
    kit = kit_list.owned_kit(user, kit_id)
    targets = [each.strip() for each in query.targets.split(",")]
    check = card_preflight.check_card(kit, targets)
    findings = [kit_schemas.FindingAnswer(**each.to_dict()) for each in check.findings]
    return kit_schemas.PreflightAnswer(revision=kit.revision, findings=findings)


@serves(operations.EXPORT_KIT)
def export_kit(user: User, kit_id: str, body: kit_schemas.ExportRequest) -> Answer:
    kit = kit_list.owned_kit(user, kit_id)
    job = card_orders.order_card(
        user, kit, body.targets, body.project_number, draws_screen=body.startup_screen
    )
    tasks.wake_for_job(job.tier)
    return upload_answer(job)


@serves(operations.IMPORT_KIT)
def import_kit(user: User, form: kit_schemas.ImportForm) -> Answer:
    files = request.files.getlist(operations.IMPORT_KIT.file_field)
    if len(files) != 1 or len(request.files) != 1:
        return problems.problem_response(422, "Send one file in the field `project`.")
    upload = project_uploads.receive(user, files[0].stream, files[0].filename)
    found = project_uploads.found_kits(upload)
    wanted = found[0].path if len(found) == 1 and form.folder is None else form.folder
    chosen = next((one for one in found if one.path == wanted), None)
    if chosen is None or not chosen.is_readable:
        project_uploads.forget(upload)
        return problems.problem_response(422, _choices_told(found, chosen))
    [job] = import_orders.order_imports(user, upload, [chosen.path])
    tasks.wake_for_job(job.tier)
    return upload_answer(job)


def _choices_told(found: list[FoundKit], chosen: FoundKit | None) -> str:
    if chosen is not None:
        return " ".join(chosen.problems)
    named = ", ".join(f"“{shown_path(one.path) or '.'}”" for one in found[:MAX_LISTED])
    return f"There are {pluralize(len(found), 'project')}: {named}. Name one as `folder`."


@serves(operations.DOWNLOAD_EXPORT)
def download_export(user: User, export_id: str) -> Answer:
    url = card_orders.download_url(owned_by(user, CardExport, export_id))
    return Response(status=operations.DOWNLOAD_EXPORT.status, headers={"Location": url})
