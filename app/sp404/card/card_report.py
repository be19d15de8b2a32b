"""`report.csv`: what was done to each pad for each card."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.audio.unit_format import RATE_HZ
from app.csv_tables import write_csv
from app.sp404.card.pad_plans import CardPlan, PlannedPad

COLUMNS = ("target", "pad", "name", "file", "sample", "seconds", "channels", "bpm", "sync", "key", "done")


@dataclass
class CardReport:
    """What was written, collected while a card is built.

    Attributes
    ----------
    rows : list of tuple of str
        As in `COLUMNS`.
    remarks : dict of str to list of str
        Sentences about a whole target, by its name.
    """

    rows: list[tuple[str, ...]] = field(default_factory=list)
    remarks: dict[str, list[str]] = field(default_factory=dict)

    def add(self, target: str, planned: PlannedPad, file: str, done: tuple[str, ...] = ()) -> None:
        """Note a pad that is written."""
        sound, settings = planned.sound, planned.settings
        said = [*sound.done, *_said_of(planned), *done]
        row = (
            target,
            planned.pad,
            settings.name,
            file,
            planned.sample_name,
            f"{sound.frames / RATE_HZ:.3f}",
            str(sound.channels),
            f"{settings.bpm:.2f}",
            "on" if settings.bpm_sync else "off",
            sound.key or "",
            " ".join(said) or "As it was.",
        )
        self.rows.append(row)

    def leave_out(self, target: str, pad: str, name: str, reason: str) -> None:
        """Note a pad that is not written."""
        self.rows.append((target, pad, name, *[""] * 7, f"Left out: {reason}"))

    def remark(self, target: str, sentence: str) -> None:
        """Note something about a whole target, once."""
        sentences = self.remarks.setdefault(target, [])
        if sentence not in sentences:
            sentences.append(sentence)

    def leave_out_missing(self, target: str, plan: CardPlan) -> None:
        """Note the pads of a kit that have no sound."""
        for pad, reason in plan.left_out.items():
            sample = plan.kit.pads[pad].sample
            self.leave_out(target, pad, sample.name if sample else "", reason)

    def to_csv(self) -> str:
        """Return the report as a table."""
        return write_csv(COLUMNS, self.rows)


def _said_of(planned: PlannedPad) -> list[str]:
    said = [f"{repair.wrong} {repair.done}" for repair in planned.repairs]
    padding = getattr(planned.sound.audio, "padding", 0)
    if padding:
        said.append(f"{padding:,} frames of silence added: the unit refuses sounds of less than 0.1 s.")
    if planned.sample_name and planned.settings.name != planned.sample_name:
        said.append(f"Renamed from “{planned.sample_name}”.")
    return said
