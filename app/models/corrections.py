"""Keep a user's corrections of a sample in force, whatever is measured or described afterwards.

The measurement stays in the features, and the description in `described`. So a correction can be taken back,
and it outlives a new measurement or description.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.audio.result import Analysis
from app.vibe.feature_text import CORRECTABLE_FEATURES
from app.vibe.sound_description import BY_RULES
from app.vibe.sound_description import describe_by_rules as describe_sound

if TYPE_CHECKING:
    from app.models.sample import AudioFeatures

# Limits of a corrected tempo; the unit itself plays 40 to 200 BPM.
MIN_BPM, MAX_BPM = 20.0, 400.0
BY_USER = "user"
# The fields a user may correct: of the measurement, and of the description.
SOUND_FIELDS = tuple(CORRECTABLE_FEATURES)
VIBE_FIELDS = (
    "moods", "character", "energy", "texture", "era", "genres", "instruments", "use", "role", "description",
    "tags",
)  # fmt: skip


class Corrections:
    """The part of a sample that combines what was found with what its user corrected."""

    if TYPE_CHECKING:  # columns of Sample
        features: Any
        bars: Any
        described: dict[str, Any]
        corrections: dict[str, Any]
        duration_s: Any

        def index_for_search(self) -> None: ...

    @property
    def vibe(self) -> dict[str, Any]:
        """Return the description in force; empty when there is none."""
        return self.described | {
            name: self.corrections[name] for name in VIBE_FIELDS if name in self.corrections
        }

    def correct(self, **values: Any) -> None:
        """Correct some fields. A value equal to what was found is no correction.

        The sound is corrected first, because a description by rules follows it; only then are the user's own
        words compared with that description.
        """
        for fields in (SOUND_FIELDS, VIBE_FIELDS):
            found, given = self.found(), {name: values[name] for name in fields if name in values}
            wrong = {name: value for name, value in given.items() if value != found[name]}
            kept = {name: value for name, value in self.corrections.items() if name not in given}
            self._settle(kept | wrong)

    def revert(self, *names: str) -> None:
        """Take back the corrections of some fields, or all of them when no field is named."""
        gone = names or tuple(self.corrections)
        self._settle({name: value for name, value in self.corrections.items() if name not in gone})

    def found(self) -> dict[str, Any]:
        """Return what was measured and described, without corrections."""
        measured = self.analysis()
        words = {name: self.described.get(name) for name in VIBE_FIELDS}
        if self.described:  # descriptions from before this field have none
            words["character"] = self.described.get("character", [])
        return {name: getattr(measured, name) for name in SOUND_FIELDS} | words

    @property
    def own_figures(self) -> dict[str, Any]:
        """Return the user's corrections of the measurement."""
        return {name: self.corrections[name] for name in SOUND_FIELDS if name in self.corrections}

    def analysis(self) -> Analysis:
        """Return the analysis as it was measured, without corrections."""
        waveform = {"peaks": list(self.features.peaks), "bars": list(self.bars)}
        return Analysis.from_dict(self.features.measured | waveform)

    def corrected_analysis(self) -> Analysis:
        """Return the analysis with the user's corrections, each with full confidence."""
        own = self.own_figures
        return replace(self.analysis(), **(own | {f"{name}_confidence": 1.0 for name in own}))

    @property
    def is_by_rules(self) -> bool:
        """Return whether the description was written by rules and not by a model."""
        return bool(self.described) and self.described.get("source", BY_RULES) == BY_RULES

    def describe(self, described: dict[str, Any]) -> None:
        """Replace the description; corrections stay in force."""
        self.described = described
        self._settle(self.corrections)

    def describe_by_rules(self) -> None:
        """Replace the description by what rules say of the corrected analysis."""
        self.describe(describe_sound(self.corrected_analysis()).to_dict())

    def measure(self, features: AudioFeatures, bars: bytes) -> None:
        """Replace the measurement by one of the same bytes; corrections stay in force."""
        self.features, self.bars = features, bars
        self.duration_s = self.analysis().duration_s
        if self.is_by_rules:
            self.describe_by_rules()
        else:
            self._settle(self.corrections)

    def _settle(self, corrections: dict[str, Any]) -> None:
        """Store the corrections and the values in force, and update a description by rules to match them."""
        figures, self.corrections = self.own_figures, corrections
        if self.is_by_rules and self.own_figures != figures:
            self.described = describe_sound(self.corrected_analysis()).to_dict()
        measured, in_force = self.analysis(), self.found() | corrections
        for name in SOUND_FIELDS:
            setattr(self, name, in_force[name])
        for name in ("bpm", "key"):
            source = BY_USER if name in corrections else getattr(measured, f"{name}_source")
            setattr(self, f"{name}_source", source)
        self.index_for_search()
