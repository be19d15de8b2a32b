"""The operations of the JSON API about kits."""

from __future__ import annotations

from app.api import kit_schemas, schemas
from app.api.operation import Operation
from app.models.api_token import EXPORTS_WRITE, KITS_READ, KITS_WRITE, SAMPLES_WRITE
from app.sp404.kit_document import KitDocument

MAX_KIT_BYTES = 2 * 10**6
MAX_PATTERN_BODY_BYTES = 500_000  # a MIDI file of the longest in Base64
A_KIT = "The answer is the kit's `kit.json`."

LIST_KITS = Operation(
    "list_kits", "GET", "/kits", "List kits", ability=KITS_READ, answer=kit_schemas.KitsAnswer
)
CREATE_KIT = Operation(
    "create_kit",
    "POST",
    "/kits",
    "Create a kit",
    "Send a `kit.json`, or a name with samples to lay out. Samples of a `kit.json` are found among yours by "
    "id, or else by the hash of their file; a pad whose sample is not found is a gap with its settings. "
    "409 when you have 200 kits.",
    ability=KITS_WRITE,
    status=201,
    answer=KitDocument,
    body=kit_schemas.NewKit,
    max_body_bytes=MAX_KIT_BYTES,
    problems=(404, 409),
)
SHOW_KIT = Operation(
    "show_kit",
    "GET",
    "/kits/{kit_id}",
    "Get a kit",
    "Send the answer to `POST /api/kits` to make the same kit.",
    ability=KITS_READ,
    answer=KitDocument,
)
EDIT_KIT = Operation(
    "edit_kit",
    "PATCH",
    "/kits/{kit_id}",
    "Change a kit",
    f"Its name, tempo, notes and banks. {A_KIT}",
    ability=KITS_WRITE,
    answer=KitDocument,
    body=kit_schemas.KitPatch,
    problems=(409,),
)
EXPORT_KIT = Operation(
    "export_kit",
    "POST",
    "/kits/{kit_id}/exports",
    "Make a card of a kit",
    "For one or more targets, in one ZIP with a README and a report. The kit goes on the card as it is now. "
    "Poll the job; once it is done, its `card_url` links to the ZIP, which is kept for seven days. While the "
    "job is under way, sending the same request again returns the same job.",
    ability=EXPORTS_WRITE,
    status=202,
    answer=schemas.UploadAnswer,
    body=kit_schemas.ExportRequest,
)
CHECK_KIT = Operation(
    "check_kit",
    "GET",
    "/kits/{kit_id}/preflight",
    "Check a kit before making a card",
    "What the unit would refuse or lose of the kit, and what its owner should know, as far as it is known "
    "without decoding the sounds. An error without a `fix` keeps a card from being made; every other one is "
    "worked around as `done` says. A `fix` says what to change: settings and recipes by pads, pads to clear, "
    "banks that move.",
    ability=KITS_READ,
    answer=kit_schemas.PreflightAnswer,
    query=kit_schemas.PreflightQuery,
)
IMPORT_KIT = Operation(
    "import_kit",
    "POST",
    "/kits/import",
    "Import a project",
    "Send the ZIP of a project, of a card's `EXPORT` or of a backup of the unit, or one of our cards with "
    "WAVs and `kit.json`. Its sounds become samples, each new one counted as an upload; sounds that you have "
    "already are used again. Its pads become a kit. When the plan has no room for all of it, nothing is "
    "added. Poll the job; once it is done, it has `kit_id` and `left_out`.",
    ability=KITS_WRITE,
    further_ability=SAMPLES_WRITE,
    status=202,
    answer=schemas.UploadAnswer,
    form=kit_schemas.ImportForm,
    file_field="project",
    problems=(507,),
)
DOWNLOAD_EXPORT = Operation(
    "download_export",
    "GET",
    "/exports/{export_id}/download",
    "Download a card",
    "Redirects to a signed link that works for 15 minutes.",
    ability=EXPORTS_WRITE,
    status=302,
)
DELETE_KIT = Operation(
    "delete_kit",
    "DELETE",
    "/kits/{kit_id}",
    "Delete a kit",
    "Its samples stay in the library.",
    ability=KITS_WRITE,
    status=204,
)
COPY_KIT = Operation(
    "copy_kit",
    "POST",
    "/kits/{kit_id}/copy",
    "Copy a kit",
    "409 when you have 200 kits.",
    ability=KITS_WRITE,
    status=201,
    answer=KitDocument,
    problems=(409,),
)
PUT_PAD = Operation(
    "put_pad",
    "PUT",
    "/kits/{kit_id}/pads/{pad}",
    "Set a pad",
    f"The pad holds exactly this afterwards. Name the sample by id or by the hash of its file. {A_KIT}",
    ability=KITS_WRITE,
    answer=KitDocument,
    body=kit_schemas.PadPut,
    problems=(409,),
)
CLEAR_PAD = Operation(
    "clear_pad",
    "DELETE",
    "/kits/{kit_id}/pads/{pad}",
    "Clear a pad",
    f"Its settings go too. {A_KIT}",
    ability=KITS_WRITE,
    answer=KitDocument,
    query=kit_schemas.RevisionQuery,
    problems=(409,),
)
PUT_PATTERN = Operation(
    "put_pattern",
    "PUT",
    "/kits/{kit_id}/patterns/{place}",
    "Set a pattern",
    "From a MIDI file of format 0 or 1, or from 16 steps. Notes 36 to 51 are the pads of a bank, 36 pad 13 "
    "and 51 pad 4, and times are not quantised. The answer says what could not be taken over.",
    ability=KITS_WRITE,
    answer=kit_schemas.PatternAnswer,
    body=kit_schemas.PatternPut,
    max_body_bytes=MAX_PATTERN_BODY_BYTES,
    problems=(409,),
)
DELETE_PATTERN = Operation(
    "delete_pattern",
    "DELETE",
    "/kits/{kit_id}/patterns/{place}",
    "Delete a pattern",
    A_KIT,
    ability=KITS_WRITE,
    answer=KitDocument,
    query=kit_schemas.RevisionQuery,
    problems=(409,),
)
COPY_PAD = Operation(
    "copy_pad",
    "POST",
    "/kits/{kit_id}/pads/{pad}/copy",
    "Copy a pad to another",
    f"With its settings, in place of what is there. {A_KIT}",
    ability=KITS_WRITE,
    answer=KitDocument,
    body=kit_schemas.PadTarget,
    problems=(409,),
)
EXCHANGE_PADS = Operation(
    "exchange_pads",
    "POST",
    "/kits/{kit_id}/pads/{pad}/exchange",
    "Exchange two pads",
    A_KIT,
    ability=KITS_WRITE,
    answer=KitDocument,
    body=kit_schemas.PadTarget,
    problems=(409,),
)
COPY_BANK = Operation(
    "copy_bank",
    "POST",
    "/kits/{kit_id}/banks/{bank}/copy",
    "Copy a bank to another",
    f"All 16 pads, in place of what is there. {A_KIT}",
    ability=KITS_WRITE,
    answer=KitDocument,
    body=kit_schemas.BankTarget,
    problems=(409,),
)
UNDO_CHANGE = Operation(
    "undo_change",
    "POST",
    "/kits/{kit_id}/undo",
    "Undo the last change of a kit",
    f"As often as there are changes: the last 50 are kept. 409 when there is none left. {A_KIT}",
    ability=KITS_WRITE,
    answer=KitDocument,
    query=kit_schemas.RevisionQuery,
    problems=(409,),
)
REDO_CHANGE = Operation(
    "redo_change",
    "POST",
    "/kits/{kit_id}/redo",
    "Redo what was undone last",
    f"Until the kit is changed in another way. 409 when there is nothing to redo. {A_KIT}",
    ability=KITS_WRITE,
    answer=KitDocument,
    query=kit_schemas.RevisionQuery,
    problems=(409,),
)

KIT_OPERATIONS = (
    LIST_KITS,
    CREATE_KIT,
    SHOW_KIT,
    EDIT_KIT,
    DELETE_KIT,
    CHECK_KIT,
    EXPORT_KIT,
    DOWNLOAD_EXPORT,
    IMPORT_KIT,
    COPY_KIT,
    PUT_PAD,
    CLEAR_PAD,
    PUT_PATTERN,
    DELETE_PATTERN,
    COPY_PAD,
    EXCHANGE_PADS,
    COPY_BANK,
    UNDO_CHANGE,
    REDO_CHANGE,
)
