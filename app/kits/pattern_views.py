"""Save beats and MIDI files as patterns of a kit, and delete them: forms of a kit's page."""

from __future__ import annotations

from flask import request
from flask_login import current_user
from werkzeug.wrappers import Response

from app.form_responses import parse_whole_number
from app.kits import history, kit_list, pattern_edits
from app.kits.kit_page import back_to, blueprint, known_pad, sent_bank, sent_revision
from app.models import Kit
from app.models.display_names import file_name, file_title
from app.plurals import pluralize
from app.sp404.errors import UnitFileError
from app.sp404.project.midi_reader import MAX_MIDI_BYTES, pattern_from_midi
from app.sp404.project.pattern_files import Pattern
from app.sp404.project.step_beats import pattern_of_beat, read_beat

MIDI_FIELD = "midi"
BY_CHANNEL = "channel"


@blueprint.post("/<kit_id>/patterns")
def keep_beat(kit_id: str) -> Response:
    """Save the beat of the 16 steps as a pattern."""
    kit = kit_list.owned_kit(current_user, kit_id)
    beat = read_beat(request.form.get("beat", ""))
    bars = parse_whole_number(request.form.get("bars", "")) or 0
    return _keep(kit, pattern_of_beat(beat, bars), request.form.get("name", ""))


@blueprint.post("/<kit_id>/patterns/midi")
def keep_midi(kit_id: str) -> Response:
    """Save a MIDI file as a pattern."""
    kit = kit_list.owned_kit(current_user, kit_id)
    file = request.files.get(MIDI_FIELD)
    if file is None or not file.filename:
        raise UnitFileError("Choose a MIDI file first.")
    bank = sent_bank() if request.form.get("plays") != BY_CHANNEL else None
    typed = request.form.get("bars", "").strip()
    bars = (parse_whole_number(typed) or 0) if typed else None
    found = pattern_from_midi(file.read(MAX_MIDI_BYTES + 1), bank, bars)
    more = [f"The file's tempo is {found.bpm:g} BPM."] if found.bpm else []
    return _keep(kit, found.pattern, file_title(file_name(file.filename)), [*more, *found.left_out])


@blueprint.post("/<kit_id>/patterns/<place>/delete")
def delete_pattern(kit_id: str, place: str) -> Response:
    """Delete a pattern, which can be undone like any change."""
    kit, place = kit_list.owned_kit(current_user, kit_id), known_pad(place)
    edit = pattern_edits.remove_pattern(place)
    history.change_kit(kit, f"Delete pattern {place}", edit, sent_revision())
    return back_to(kit, bank=sent_bank(), message=f"Pattern {place} is deleted. “Undo” brings it back.")


def _keep(kit: Kit, pattern: Pattern, name: str, said: list[str] | None = None) -> Response:
    place, bank = known_pad(request.form.get("place", "")), sent_bank()
    edit = pattern_edits.keep_pattern(place, pattern_edits.make_pattern(pattern, name))
    history.change_kit(kit, f"Save pattern {place}", edit, sent_revision())
    saved = f"Saved as pattern {place}, {pluralize(pattern.bars, 'bar')}."
    return back_to(kit, bank=bank, message=" ".join([saved, *(said or [])]))
