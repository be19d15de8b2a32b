"""Cut PADCONF.BIN, the settings of a whole project, into its parts and put them together again.

Big-endian. Version 3 has 52,000 bytes; version 2, of older firmware, has 31,488, no project name and no
chops. Source of the layout: device-made files of firmware 5.0x.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import NamedTuple

from app.sp404.errors import UnitFileError
from app.sp404.pad_places import PADS

MAGIC = b"RFPD"
RECORD_BYTES, NAME_BYTES, CHOPS_BYTES = 172, 24, 128
BLOCK_BYTES = RECORD_BYTES + NAME_BYTES + CHOPS_BYTES
UNUSED_CHOP = 0xFFFFFFFF
NO_CHOPS = struct.pack(">16I", *[UNUSED_CHOP] * 16) + bytes(64)
VERSION_AT = 8
PROJECT_NAME = slice(0x80, 0xA0)


class Layout(NamedTuple):
    """Where the parts of one version stand."""

    size: int
    records_at: int
    names_at: int
    chops_at: int | None


LAYOUTS = {
    2: Layout(size=31_488, records_at=0x80, names_at=0x6C00, chops_at=None),
    3: Layout(size=52_000, records_at=0xA0, names_at=0x6C20, chops_at=0x7B20),
}
NEWEST = 3


@dataclass(frozen=True)
class PadConf:
    """The parts of a PADCONF.BIN.

    Attributes
    ----------
    version : int
        2 or 3.
    header : bytes
        What stands before the records of the pads: 128 bytes in version 2, 160 in version 3.
    blocks : tuple of bytes
        For each of the 160 pads its record, its name and its chops, 324 bytes. In version 2, which has no
        chops, they are the empty table.
    """

    version: int
    header: bytes
    blocks: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """Return the file, in its version."""
        records = b"".join(block[:RECORD_BYTES] for block in self.blocks)
        names = b"".join(block[RECORD_BYTES : RECORD_BYTES + NAME_BYTES] for block in self.blocks)
        chops = b"".join(block[RECORD_BYTES + NAME_BYTES :] for block in self.blocks)
        return self.header + records + names + (chops if self.version == NEWEST else b"")

    def upgraded(self) -> PadConf:
        """Return the same in version 3, with an empty project name where there was none."""
        if self.version == NEWEST:
            return self
        header = bytearray(self.header + bytes(PROJECT_NAME.stop - PROJECT_NAME.start))
        header[VERSION_AT] = NEWEST
        return replace(self, version=NEWEST, header=bytes(header))


def read_padconf(data: bytes) -> PadConf:
    """Return the parts of a PADCONF.BIN.

    Parameters
    ----------
    data : bytes
        The whole file.

    Raises
    ------
    UnitFileError
        It is not the file of a project, of an unknown version, or cut off.
    """
    if data[: len(MAGIC)] != MAGIC or len(data) <= VERSION_AT:
        raise UnitFileError("PADCONF.BIN does not begin like a project of the SP-404MKII.")
    version = data[VERSION_AT]
    layout = LAYOUTS.get(version)
    if layout is None:
        raise UnitFileError(f"PADCONF.BIN is of version {version}; versions 2 and 3 can be read.")
    if len(data) != layout.size:
        raise UnitFileError(
            f"PADCONF.BIN of version {version} has {layout.size:,} bytes, but this one has {len(data):,}. "
            "Export the project again."
        )
    return PadConf(
        version, data[: layout.records_at], tuple(_block(data, layout, pad) for pad in range(PADS))
    )


def _block(data: bytes, layout: Layout, pad: int) -> bytes:
    """Return everything the file has about one pad."""
    block = _row(data, layout.records_at, RECORD_BYTES, pad) + _row(data, layout.names_at, NAME_BYTES, pad)
    if layout.chops_at is None:
        return block + NO_CHOPS
    return block + _row(data, layout.chops_at, CHOPS_BYTES, pad)


def _row(data: bytes, table_at: int, row_bytes: int, row: int) -> bytes:
    start = table_at + row * row_bytes
    return data[start : start + row_bytes]
