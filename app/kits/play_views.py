"""What the page needs to play a kit: the sounds of a bank, and the WAV of each pad."""

from __future__ import annotations

from flask import abort, jsonify, redirect, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.audio.render.recipe import RecipeError
from app.audio.unit_format import RATE_HZ
from app.extensions import limiter
from app.kits import grid, heard_sounds, kit_list
from app.kits.kit_page import blueprint, known_bank, known_pad
from app.kits.kit_rows import load_state
from app.library import downloads, samples
from app.models import Job, Render
from app.shaping import orders, renders

RETRY_S = 2


@blueprint.get("/<kit_id>/banks/<bank>/sounds")
def bank_sounds(kit_id: str, bank: str) -> Response:
    """Return the settings of each sounding pad of a bank, and where its WAV is."""
    kit, bank = kit_list.owned_kit(current_user, kit_id), known_bank(bank)
    pads = heard_sounds.sounding_pads(kit, bank)
    known = grid.load_pad_samples(kit, [pad.sample_id for pad in pads.values()])
    tempo_bpm = heard_sounds.tempo_of_bank(load_state(kit), bank)
    found = {}
    for name, pad in pads.items():
        sample = known.get(pad.sample_id or "")
        if sample is not None:
            settings = pad.settings.model_dump(mode="json", exclude={"recipe", "kept", "version"})
            found[name] = {
                "settings": settings,
                "sound": sample.sound,
                "length_s": sample.duration_s,
                "heard": heard_sounds.sound_key(pad, sample.duration_s, tempo_bpm),
                "src": url_for("kits.pad_audio", kit_id=kit.id, pad=name),
                # A pad in time with the bank has its positions in the sound as it was before that.
                "frames": round(sample.duration_s * RATE_HZ) if pad.settings.recipe is None else None,
                "stretch": heard_sounds.stretch_factor(pad, sample.duration_s, tempo_bpm),
            }
    return jsonify(pads=found, tempo_bpm=tempo_bpm)


@blueprint.get("/<kit_id>/pads/<pad>/audio")
@limiter.limit("300/minute", key_func=lambda: f"account:{current_user.id}")
def pad_audio(kit_id: str, pad: str) -> Response:
    """Redirect to the WAV of a pad as it is heard; 503 while it is being shaped, 404 where it can't be."""
    kit, pad = kit_list.owned_kit(current_user, kit_id), known_pad(pad)
    held = load_state(kit).pad(pad)
    sample = samples.owned_by(current_user, held.sample_id or "")
    try:
        made = heard_sounds.order_sound(current_user, kit, pad, sample)
    except RecipeError:
        abort(404)
    if made is None:
        return redirect(downloads.audio_url(sample))
    if isinstance(made, Job):
        tasks.wake_for_job(made.tier)
        made = orders.wait_for(made)
    if isinstance(made, Render):
        return redirect(renders.audio_url(made))
    return _still_shaping(made)


def _still_shaping(job: Job) -> Response:
    if job.is_finished:
        abort(404)
    response = Response(status=503)
    response.headers["Retry-After"] = str(RETRY_S)
    return response
