"""PAD_INFO.BIN and the WAVs of an SP-404SX card."""

from __future__ import annotations

import re
import struct
from typing import Any

from tests.sp404.reading.checks import BANKS, require, require_between
from tests.sp404.reading.wav import SX_AUDIO_AT, SX_RATE_HZ, read_sx_wav

SX_LABELS = [f"{bank}{number}" for bank in BANKS for number in range(1, 13)]
RECORD_BYTES = 32
WAV_NAME = re.compile(r"[A-J]00000(0[1-9]|1[0-2])\.WAV")
SWITCHES = ("lofi", "loop", "gate", "reverse")
TEMPO_MODES = {0: "off", 1: "pattern", 2: "user"}
TOO_SHORT_FRAMES = SX_RATE_HZ // 10


def read_sx_pads(files: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    """Return the used pads by label, from the files of the folder SMPL by name."""
    info = files["PAD_INFO.BIN"]
    wanted = RECORD_BYTES * len(SX_LABELS)
    require(len(info) == wanted, f"PAD_INFO.BIN has {len(info)} bytes, not {wanted}.")
    pads: dict[str, dict[str, Any]] = {}
    names = {"PAD_INFO.BIN"}
    for index, label in enumerate(SX_LABELS):
        fields = struct.unpack_from(">4I8B2I", info, index * RECORD_BYTES)
        if fields[:4] == (SX_AUDIO_AT,) * 4:
            continue
        name = f"{label[0]}{int(label[1:]):07}.WAV"
        require(name in files, f"Pad {label} is used, but {name} is missing.")
        pads[label] = _read_record(fields, label) | {"pcm": read_sx_wav(files[name], index, name)}
        _place_in_frames(pads[label], label)
        names.add(name)
    spare = sorted(set(files) - names)
    for name in spare:
        require(WAV_NAME.fullmatch(name) is not None, f"{name} is no file of an SP-404SX card.")
    require(not spare, f"No pad uses {', '.join(spare)}.")
    return pads


def _read_record(fields: tuple[int, ...], label: str) -> dict[str, Any]:
    volume, *switches, form, channels, tempo_mode = fields[4:12]
    require_between(volume, 0, 127, f"Pad {label}: volume")
    require(set(switches) <= {0, 1}, f"Pad {label}: lo-fi, loop, gate or reverse is neither 0 nor 1.")
    require(form == 1, f"Pad {label} has format {form}, not 1 for WAVE.")
    require(tempo_mode in TEMPO_MODES, f"Pad {label} has an unknown tempo mode: {tempo_mode}.")
    positions = dict(zip(("original_start", "original_end", "start", "end"), fields[:4], strict=True))
    return {
        **positions,
        "volume": volume,
        **{field: value == 1 for field, value in zip(SWITCHES, switches, strict=True)},
        "channels": channels,
        "tempo_mode": TEMPO_MODES[tempo_mode],
        "original_bpm": fields[12] / 10,
        "bpm": fields[13] / 10,
    }


def _place_in_frames(pad: dict[str, Any], label: str) -> None:
    frames, channels = pad["pcm"].shape
    require(pad["channels"] == channels, f"Pad {label} says {pad['channels']} channels, its WAV {channels}.")
    for field in ("original_start", "original_end", "start", "end"):
        frame, rest = divmod(pad[field] - SX_AUDIO_AT, 2 * channels)
        require(rest == 0, f"Pad {label}: {field} {pad[field]} lies inside a frame.")
        require_between(frame, 0, frames, f"Pad {label}: {field} in frames")
        pad[field] = frame
    whole = (pad["original_start"], pad["original_end"]) == (0, frames)
    require(whole, f"Pad {label}: its original start and end are not those of the WAV's {frames} frames.")
    require(pad["start"] < pad["end"], f"Pad {label} ends before it starts.")
    require(frames > TOO_SHORT_FRAMES, f"Pad {label} has {frames} frames, not over {TOO_SHORT_FRAMES}.")
