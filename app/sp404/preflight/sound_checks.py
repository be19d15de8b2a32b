"""Check the sounds of a kit: what is missing, too short, silent, clipped, or stereo without need."""

from __future__ import annotations

from collections.abc import Iterator

from app.audio.render.recipe import RenderRecipe
from app.audio.unit_format import MIN_FRAMES, RATE_HZ
from app.sp404.card.card_sounds import CardSound, MissingSound
from app.sp404.card.pad_plans import MISSING_TEXTS, PlannedPad
from app.sp404.card.sound_facts import SoundFacts
from app.sp404.kit_document import PadDocument
from app.sp404.preflight.findings import ERROR, NOTE, Finding, Fix, clear_fix, recipe_fix, settings_fix
from app.sp404.unit_limits import MAX_PAD_S

MAX_OFFSET = 0.01
"""Of full scale, -40 dB: a click at each start of the pad."""
MONO_SIDES_DB = -60.0
SILENT_PEAK = 1 / 32768
NEEDED = "the unit needs about 100 ms"
LEFT_EMPTY = "The pad stays empty on the card."
AS_IT_IS = "It goes on the card as it is."


def check_missing(pad: str, document: PadDocument, missing: MissingSound) -> Finding:
    """Return what is wrong with a pad whose sample has no sound to write."""
    wrong = MISSING_TEXTS[missing.reason]
    if missing.reason == "analysing":
        done = "Until that is done, the pad stays empty on the card."
        return Finding(NOTE, "sample_analysing", pad, wrong, done)
    code = f"sample_{missing.reason.replace(' ', '_')}"
    fix = clear_fix(pad)
    if missing.reason == "too long":
        fix = _cut_fix(pad, document.settings.recipe or RenderRecipe(), missing) or fix
    if missing.reason == "unfit":
        fix = settings_fix("drop_recipe", pad, recipe=None)
    return Finding(ERROR, code, pad, wrong, LEFT_EMPTY, fix)


def check_sound(planned: PlannedPad) -> Iterator[Finding]:
    """Yield what is worth knowing about the sound of a pad."""
    yield from _check_length(planned)
    if planned.sound.facts:
        yield from _check_facts(planned.pad, planned.sound, planned.sound.facts)


def _check_length(planned: PlannedPad) -> Iterator[Finding]:
    pad, sound = planned.pad, planned.sound
    padding = getattr(sound.audio, "padding", 0)
    shortness = f"Its sound is {(sound.frames - padding) * 1000 / RATE_HZ:.0f} ms long; {NEEDED}."
    recipe = planned.settings.recipe or RenderRecipe()
    fix = None
    if recipe.min_frames < MIN_FRAMES:
        fix = recipe_fix("add_silence", pad, min_frames=MIN_FRAMES)
    if padding:
        yield Finding(NOTE, "too_short", pad, shortness, "Silence is added at its end.", fix)
    elif sound.frames < MIN_FRAMES:
        yield Finding(NOTE, "too_short", pad, shortness, "It goes on the card as it came from the unit.", fix)


def _check_facts(pad: str, sound: CardSound, facts: SoundFacts) -> Iterator[Finding]:
    if facts.padding:
        length = f"Its sound was {(sound.frames - facts.padding) * 1000 / RATE_HZ:.0f} ms long."
        yield Finding(NOTE, "silence_added", pad, length, f"Silence was added, because {NEEDED}.")
    if facts.peak < SILENT_PEAK:
        yield Finding(NOTE, "silent", pad, "Its sound is silent.", AS_IT_IS)
    if facts.clipped_runs:
        places = "1 place" if facts.clipped_runs == 1 else f"{facts.clipped_runs:,} places"
        yield Finding(NOTE, "clipped", pad, f"Its sound is clipped in {places}.", AS_IT_IS)
    if abs(facts.offset) > MAX_OFFSET:
        wrong = f"Its sound has a DC offset of {abs(facts.offset):.1%} of full scale, so it clicks."
        fix = recipe_fix("remove_offset", pad, remove_dc=True)
        yield Finding(NOTE, "offset", pad, wrong, AS_IT_IS, fix)
    if facts.sides_db is not None and facts.sides_db < MONO_SIDES_DB and facts.peak >= SILENT_PEAK:
        wrong = "Its left and right channels are the same, yet it takes two of the unit's 32 voices."
        fix = recipe_fix("make_mono", pad, mono="auto")
        yield Finding(NOTE, "stereo_is_mono", pad, wrong, "It goes on the card in stereo.", fix)


def _cut_fix(pad: str, recipe: RenderRecipe, missing: MissingSound) -> Fix | None:
    """Return a fix that uses as much of the original as a pad holds; so long a sound can't be stretched."""
    if not missing.rate_hz:
        return None
    if recipe.bpm or recipe.length_s or recipe.transpose or recipe.whole_beats:
        part = RenderRecipe(end=int(MAX_PAD_S * missing.rate_hz)).to_dict()
        return settings_fix("cut_unshaped", pad, recipe=part)
    frames = int(MAX_PAD_S * missing.rate_hz * recipe.speed)
    return recipe_fix("cut_length", pad, end=recipe.start + frames)
