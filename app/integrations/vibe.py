"""The vibe of a sound, in a producer's words: what is asked for, and who answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from app.integrations import describer


@dataclass(frozen=True)
class Vibe:
    """A description; `because` gives, for each field, the measured features that led to it."""

    moods: list[str]
    energy: int  # 0..100
    texture: str
    use: str
    because: dict[str, str] = field(default_factory=dict)
    source: str = "local"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def describe(measured: Mapping[str, Any]) -> Vibe:
    """Describe a sound from the engine's answer alone."""
    energy, energy_because = describer.energy(measured)
    moods, moods_because = describer.moods(measured, energy)
    texture, texture_because = describer.texture(measured)
    use, use_because = describer.suggested_use(measured)
    return Vibe(
        moods=moods,
        energy=energy,
        texture=texture,
        use=use,
        because={
            "moods": moods_because,
            "energy": energy_because,
            "texture": texture_because,
            "use": use_because,
        },
    )
