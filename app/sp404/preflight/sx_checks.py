"""Check the card of an SP-404SX: PAD_INFO.BIN beside the WAVs that it describes."""

from __future__ import annotations

from collections.abc import Iterator

from app.sp404.card.sx_card import AUDIO_AT, EMPTY_RECORD, PAD_INFO, RECORD, SX_PADS, sx_file_name, sx_pad
from app.sp404.errors import UnitFileError
from app.sp404.preflight.findings import ERROR, Finding
from app.sp404.preflight.wav_checks import check_sx_head, findings_of, read_head
from app.sp404.project.file_trees import FileTree, read_errors_named, read_whole

INFO_NAME = PAD_INFO.rpartition("/")[2]
INFO_BYTES = RECORD.size * SX_PADS


def check_sx_folder(tree: FileTree, folder: str) -> Iterator[Finding]:
    """Yield what is wrong with the files of an SP-404SX.

    Parameters
    ----------
    tree : FileTree
    folder : str
        Where PAD_INFO.BIN is, with a slash at its end, or empty.
    """
    try:
        info = read_whole(tree, folder + INFO_NAME, INFO_BYTES + 1, INFO_NAME)
    except UnitFileError as error:
        yield Finding(ERROR, "sx_info", folder + INFO_NAME, str(error))
        return
    if len(info) != INFO_BYTES:
        text = f"It has {len(info):,} bytes instead of {INFO_BYTES:,}."
        yield Finding(ERROR, "sx_info", folder + INFO_NAME, text)
        return
    for place in range(SX_PADS):
        record = info[place * RECORD.size : (place + 1) * RECORD.size]
        yield from _check_pad(tree, folder, place, record)


def _check_pad(tree: FileTree, folder: str, place: int, record: bytes) -> Iterator[Finding]:
    path = folder + sx_file_name(place)
    start, end, user_start, user_end, *_rest = RECORD.unpack(record)
    is_empty = start == end == AUDIO_AT or record == EMPTY_RECORD
    size = tree.sizes().get(path)
    if size is None:
        if not is_empty:
            yield Finding(
                ERROR, "sx_missing", path, f"{INFO_NAME} has pad {sx_pad(place)}, but its file is missing."
            )
        return
    if is_empty:
        yield Finding(ERROR, "sx_unused", path, f"{INFO_NAME} says that pad {sx_pad(place)} is empty.")
    elif not AUDIO_AT == start <= user_start < user_end <= end == size:
        text = f"{INFO_NAME} has start or end of pad {sx_pad(place)} outside of its file."
        yield Finding(ERROR, "sx_points", path, text)
    try:
        with read_errors_named("It can't be read."), tree.open(path) as file:
            head = read_head(file)
    except UnitFileError as error:
        yield Finding(ERROR, "unreadable", path, str(error))
        return
    yield from findings_of(path, check_sx_head(head, size, place))
