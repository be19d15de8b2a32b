"""A project of the unit in a few lines, for people."""

from __future__ import annotations

from app.audio.unit_format import RATE_HZ
from app.plurals import pluralize
from app.sp404.pads import PAD_NAMES
from app.sp404.project.pattern_notes import notes_of
from app.sp404.project.smp_files import HEADER_BYTES, SAMPLE_BYTES
from app.sp404.project.unit_project import ProjectPad, UnitProject


def describe_project(project: UnitProject) -> str:
    """Return the name and tempo of a project, then a line for each pad and pattern."""
    head = project.head
    lines = [f"{head.name or project.folder_name or 'A project'}, {head.tempo:g} BPM"]
    lines += [f"{place:4}{_pad_line(project.pads[place])}" for place in PAD_NAMES if place in project.pads]
    for place in PAD_NAMES:
        if place in project.patterns:
            pattern = project.patterns[place]
            notes = pluralize(len(notes_of(pattern)), "note")
            lines.append(f"Pattern {place}: {pluralize(pattern.bars, 'bar')} of {pattern.metre}, {notes}")
    return "\n".join(lines) + "\n"


def _pad_line(pad: ProjectPad) -> str:
    settings = pad.settings
    seconds = (pad.size_bytes - HEADER_BYTES) / (SAMPLE_BYTES * pad.channels * RATE_HZ)
    play = (
        "one-shot"
        if settings.one_shot
        else "loop"
        if settings.loop
        else "gate"
        if settings.gate
        else "no gate"
    )
    marks = [
        f"{settings.bpm:g} BPM",
        play,
        *([settings.play_mode] if settings.play_mode != "forward" else []),
    ]
    if settings.mute_group:
        marks.append(f"mute group {settings.mute_group}")
    if settings.chops:
        marks.append(pluralize(len(settings.chops), "chop"))
    return f"{settings.name:24}{seconds:8.2f} s  {', '.join(marks)}"
