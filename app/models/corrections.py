"""Keep a user's corrections of a sample in force, whatever is measured or described afterwards.

The measurement stays in the features, and the description in `described`. So a correction can be taken back,
and it outlives a new measurement or description.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.audio.result import Analysis
from app.music.sound_classes import TEXTURE, fits_kind
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


class UnfitCorrectionError(Exception):
    """A corrected field can't have this value beside the kind; the message is for the user."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class Corrections:
    """The part of a sample that combines what was found with what its user corrected."""

    if TYPE_CHECKING:  # columns of Sample
        features: Any
        bars: Any
        described: dict[str, Any]
        corrections: dict[str, Any]
        duration_s: Any
        kind: Any
        sound: Any
        bpm: Any

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

    def fit_to_kind(self, given: Mapping[str, Any]) -> list[str]:
        """Check corrections against the kind they lead to, and drop what a new kind can't have.

        Returns a sentence for each value that was dropped. Raises UnfitCorrectionError.
        """
        kind = given.get("kind", self.kind)
        if (sound := given.get("sound")) is not None and not fits_kind(sound, kind):
            raise UnfitCorrectionError("sound", _unfit_sound(sound, kind))
        if given.get("bpm") is not None and kind == TEXTURE:
            raise UnfitCorrectionError(
                "bpm", "A texture has no tempo. Leave it empty, or change the kind to loop."
            )
        dropped = {}
        if kind != self.kind:
            if self.sound and "sound" not in given and not fits_kind(self.sound, kind):
                dropped["sound"] = (
                    f"The sound type “{self.sound}” was removed. {_unfit_sound(self.sound, kind)}"
                )
            if self.bpm and kind == TEXTURE:
                dropped["bpm"] = f"The tempo of {self.bpm:g} BPM was removed, because a texture has none."
        if own := [name for name in dropped if name in self.corrections]:
            self.revert(*own)
        return [*dropped.values()]

    def revert(self, *names: str) -> None:
        """Take back the corrections of some fields, or all of them when no field is named.

        With the kind goes a sound type that the kind that was found can't have.
        """
        gone = {*(names or self.corrections)}
        own = self.corrections.get("sound")
        if "kind" in gone and own is not None and not fits_kind(own, self.analysis().kind):
            gone.add("sound")
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
        changes = self._figures_in_force() | {f"{name}_confidence": 1.0 for name in own}
        return replace(self.analysis(), **changes)

    def _figures_in_force(self) -> dict[str, Any]:
        """Return kind, sound, tempo and key; a corrected kind hides a measured value that it can't have."""
        measured, own = self.analysis(), self.own_figures
        figures = {name: getattr(measured, name) for name in SOUND_FIELDS}
        if "kind" in own and own["kind"] == TEXTURE:
            figures["bpm"] = None
        if "kind" in own and figures["sound"] is not None and not fits_kind(figures["sound"], own["kind"]):
            figures["sound"] = None
        return figures | own

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

    def reclassify(self, heard: Analysis) -> None:
        """Take over the sound that a newer engine hears, where nobody has corrected it, and nothing else.

        A sample that it takes for another kind keeps its sound: the figures it has belong to the old kind.
        """
        if self.corrections.keys() & {"kind", "sound"} or heard.kind != self.analysis().kind:
            return
        newer = {"sound", "sound_confidence", "sound_candidates"}
        plain = heard.to_dict()
        self.features.measured = self.features.measured | {name: plain[name] for name in newer}
        self._settle(self.corrections)

    def _settle(self, corrections: dict[str, Any]) -> None:
        """Store the corrections and the values in force, and update a description by rules to match them."""
        figures, self.corrections = self.own_figures, corrections
        if self.is_by_rules and self.own_figures != figures:
            self.described = describe_sound(self.corrected_analysis()).to_dict()
        measured, in_force = self.analysis(), self._figures_in_force()
        for name in SOUND_FIELDS:
            setattr(self, name, in_force[name])
        for name in ("bpm", "key"):
            found_in = getattr(measured, f"{name}_source") if in_force[name] is not None else None
            setattr(self, f"{name}_source", BY_USER if name in corrections else found_in)
        self.index_for_search()


def _unfit_sound(sound: str, kind: str) -> str:
    return "A texture has no sound type." if kind == TEXTURE else f"A {kind} can't be of the type “{sound}”."
