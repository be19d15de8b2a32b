"""A kit's content as a value, and the difference between two of them, which undo and redo are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.sp404.kit_document import FRESH_TEMPO_BPM
from app.sp404.pad_settings import PadSettings, read_settings

HUNDREDTHS = 100
FRESH_TEMPO = round(FRESH_TEMPO_BPM * HUNDREDTHS)
PROJECT, BANK = "project", "bank"


@dataclass(frozen=True, slots=True)
class PadState:
    """What a pad holds; one that is neither named nor locked is not in a kit at all."""

    sample_id: str | None = None
    sample_name: str = ""
    content_sha256: str | None = None
    locked: bool = False
    settings: PadSettings = field(default_factory=PadSettings)

    @property
    def holds_a_sound(self) -> bool:
        """Whether there is a sample, or a gap where one was."""
        return self.content_sha256 is not None

    @property
    def is_blank(self) -> bool:
        return not self.holds_a_sound and not self.locked

    def to_dict(self) -> dict[str, Any]:
        return {
            "sample_id": self.sample_id,
            "sample_name": self.sample_name,
            "content_sha256": self.content_sha256,
            "locked": self.locked,
            "settings": self.settings.to_dict(),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> PadState:
        return cls(**{**plain, "settings": read_settings(plain["settings"])})


@dataclass(frozen=True, slots=True)
class BankState:
    """What a bank has of its own; `tempo` is in hundredths of a beat a minute."""

    tempo: int = FRESH_TEMPO
    volume: int = 127
    protect: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {"tempo": self.tempo, "volume": self.volume, "protect": self.protect}


@dataclass(frozen=True, slots=True)
class PatternState:
    """A pattern; `ptn` is its file as `app.sp404.project.packed_patterns` packs it."""

    name: str
    bars: int
    ptn: str

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "bars": self.bars, "ptn": self.ptn}


@dataclass(frozen=True, slots=True)
class KitState:
    """A kit with its pads by name, those banks that differ from a fresh one, and patterns by place."""

    name: str
    tempo: int = FRESH_TEMPO
    tempo_source: str = PROJECT
    notes: str = ""
    kept: str = ""
    banks: Mapping[str, BankState] = field(default_factory=dict)
    pads: Mapping[str, PadState] = field(default_factory=dict)
    patterns: Mapping[str, PatternState] = field(default_factory=dict)

    def pad(self, name: str) -> PadState:
        return self.pads.get(name, PadState())

    def bank(self, name: str) -> BankState:
        return self.banks.get(name, BankState())

    def with_pads(self, changed: Mapping[str, PadState]) -> KitState:
        """Return the kit with some pads changed; blank ones are left out."""
        pads = {name: pad for name, pad in ({**self.pads, **changed}).items() if not pad.is_blank}
        return replace(self, pads=pads)

    def with_banks(self, changed: Mapping[str, BankState]) -> KitState:
        """Return the kit with some banks changed; fresh ones are left out."""
        banks = {name: bank for name, bank in ({**self.banks, **changed}).items() if bank != BankState()}
        return replace(self, banks=banks)

    def with_patterns(self, changed: Mapping[str, PatternState | None]) -> KitState:
        """Return the kit with some patterns changed; None takes one away."""
        both = {**self.patterns, **changed}
        return replace(self, patterns={name: made for name, made in both.items() if made is not None})


OWN_VALUES = ("name", "tempo", "tempo_source", "notes", "kept")


def differing_values(kit: KitState, other: KitState) -> str:
    """Return as JSON what a kit has where another one has something else; null stands for a blank part."""
    plain: dict[str, Any] = {
        name: getattr(kit, name) for name in OWN_VALUES if getattr(kit, name) != getattr(other, name)
    }
    if banks := _differing_parts(kit.banks, other.banks):
        plain["banks"] = banks
    if pads := _differing_parts(kit.pads, other.pads):
        plain["pads"] = pads
    if patterns := _differing_parts(kit.patterns, other.patterns):
        plain["patterns"] = patterns
    return json.dumps(plain, separators=(",", ":"))


def apply_values(kit: KitState, values: str) -> KitState:
    """Return a kit with what `differing_values` returned in place of what it has there."""
    plain = json.loads(values)
    banks = {
        name: BankState(**part) if part else BankState() for name, part in plain.get("banks", {}).items()
    }
    pads = {
        name: PadState.from_dict(part) if part else PadState() for name, part in plain.get("pads", {}).items()
    }
    patterns = {
        name: PatternState(**part) if part else None for name, part in plain.get("patterns", {}).items()
    }
    own = {name: plain[name] for name in OWN_VALUES if name in plain}
    return replace(kit, **own).with_banks(banks).with_pads(pads).with_patterns(patterns)


def _differing_parts(parts: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    changed = [name for name in {**parts, **others} if parts.get(name) != others.get(name)]
    return {name: parts[name].to_dict() if name in parts else None for name in changed}
