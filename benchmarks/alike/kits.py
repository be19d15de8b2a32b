"""The hits of hydrogen's sixteen drum kits, with the instrument and the class their names tell."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

KIT_ROOT = Path("/usr/share/hydrogen/data/drumkits")
PACKAGES = "hydrogen-drumkits hydrogen-data"
_NO_HIT = re.compile(r"roll|snaps|cajon")
_CLASSES = (
    ("clap", r"clap"),
    ("stick", r"stick|rim click|click|clave|woodblock"),
    ("kick", r"kick|bass ?drum"),
    ("snare", r"snare"),
    (
        "open hat",
        r"(hat|hh).*\b(op|open|opened|semi|free|swish|semiopen)\b|\bopen (hat|hh)|side ohh",
    ),
    ("hat", r"\b(hat|hh)\b"),
    ("tom", r"\btom"),
    ("bell", r"bell|agogo|waterglass|ride-cup"),
    ("ride", r"ride"),
    ("crash", r"crash|splash|china|cymbal"),
    ("shaker", r"shaker|maraca|tambourine"),
    ("hand drum", r"conga|bongo|djembe|sangban|dununba|kenkeni"),
)


@dataclass(frozen=True)
class KitHit:
    """A file of a kit. The layers of an `instrument` are its velocities; equal files have one `digest`."""

    path: Path
    kit: str
    instrument: str
    label: str
    digest: str


def kit_hits() -> list[KitHit]:
    """Return the hits whose instrument's name tells their class, each file of a kit once."""
    found: list[KitHit] = []
    for index in sorted(KIT_ROOT.glob("*/drumkit.xml")):
        seen: set[str] = set()
        for hit in _hits_of_kit(index):
            if hit.digest not in seen:
                seen.add(hit.digest)
                found.append(hit)
    return found


def _hits_of_kit(index: Path) -> Iterator[KitHit]:
    """Yield the hits that a kit's index lists and that exist."""
    root = ElementTree.parse(index).getroot()
    for element in root.iter():
        element.tag = element.tag.split("}")[-1]
    for instrument in root.iter("instrument"):
        name = instrument.findtext("name") or ""
        label = _class_of(name)
        for file_name in (element.text for element in instrument.iter("filename")):
            path = index.parent / (file_name or "")
            if label is not None and path.is_file():
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                yield KitHit(path, index.parent.name, f"{index.parent.name}/{name}", label, digest)


def _class_of(name: str) -> str | None:
    """Return the class that an instrument's name tells, or None."""
    low = name.lower()
    if _NO_HIT.search(low):
        return None
    return next((label for label, pattern in _CLASSES if re.search(pattern, low)), None)
