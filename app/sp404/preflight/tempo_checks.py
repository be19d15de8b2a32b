"""Check tempos: of pads beside the analysis, of loops beside their length, and of stretching."""

from __future__ import annotations

from collections.abc import Iterator

from app.audio.render.recipe import MAX_BEATS, MAX_BPM, MIN_BPM, RenderRecipe
from app.audio.render.stretch_length import MAX_RATIO, MAX_STRETCH_S, MIN_RATIO
from app.audio.unit_format import RATE_HZ
from app.music.sound_classes import ONE_SHOT
from app.sp404.card.pad_plans import PlannedPad
from app.sp404.fresh_pad import tempo_for_pad
from app.sp404.kit_document import BankDocument, KitDocument
from app.sp404.pad_settings import PadSettings
from app.sp404.pads import bank_of
from app.sp404.preflight.findings import NOTE, Finding, Fix, recipe_fix, settings_fix
from app.sp404.unit_limits import SPEED_PERCENT, TEMPO_BPM

SAME_BPM = 0.011
"""Tempos so near are the same hundredth."""
DRIFT_MS = 1.0
AS_IT_IS = "It goes on the card as it is."
OWN_TEMPO = "The card gets the pad's own tempo."
SYNC_RATIOS = (SPEED_PERCENT.least / 100, SPEED_PERCENT.most / 100)


def check_tempo(kit: KitDocument, planned: PlannedPad) -> Iterator[Finding]:
    """Yield what is worth knowing about the tempo of a pad."""
    yield from _check_analysis(planned)
    yield from _check_sync(planned)
    if planned.settings.bpm_sync and planned.sound.kind != ONE_SHOT:
        yield from _check_reach(tempo_of(kit, bank_of(planned.pad)), planned)
    yield from _check_whole_beats(planned)
    yield from _check_stretch(planned)


def tempo_of(kit: KitDocument, bank: str) -> float:
    """Return the tempo that a bank plays at, in beats a minute."""
    return kit.tempo if kit.tempo_source == "project" else kit.banks.get(bank, BankDocument()).tempo


def _check_analysis(planned: PlannedPad) -> Iterator[Finding]:
    sound, pad = planned.sound, planned.pad
    if not sound.bpm or sound.kind == ONE_SHOT:
        return
    wanted = tempo_for_pad(sound.bpm)
    fix = settings_fix("set_tempo", pad, bpm=wanted)
    differs = not _same_tempo(wanted, planned.settings.bpm)
    if not TEMPO_BPM.least <= sound.bpm <= TEMPO_BPM.most:
        wrong = f"The sound is at {sound.bpm:g} BPM; a pad takes {TEMPO_BPM.least} to {TEMPO_BPM.most}."
        done = f"The card gets the pad's own {planned.settings.bpm:g} BPM."
        yield Finding(NOTE, "tempo_folded", pad, wrong, done, fix if differs else None)
    elif differs and sound.tempo_is_sure:
        wrong = f"The pad is set to {planned.settings.bpm:g} BPM, but the sound is at {wanted:g}."
        yield Finding(NOTE, "tempo_differs", pad, wrong, OWN_TEMPO, fix)


def _same_tempo(one: float, other: float) -> bool:
    """Return whether two tempos are the same, or one is the half or double of the other."""
    return any(abs(one * factor - other) <= SAME_BPM * max(factor, 1) for factor in (0.5, 1, 2))


def _check_sync(planned: PlannedPad) -> Iterator[Finding]:
    if not planned.settings.bpm_sync:
        return
    sound, pad = planned.sound, planned.pad
    fix = settings_fix("sync_off", pad, bpm_sync=False)
    if sound.kind == ONE_SHOT:
        wrong = "BPM sync is on for a hit, which the unit then stretches."
        yield Finding(NOTE, "sync_on_hit", pad, wrong, "It stays on.", fix)
    elif (
        sound.bpm and not sound.tempo_is_sure and _same_tempo(tempo_for_pad(sound.bpm), planned.settings.bpm)
    ):
        wrong = f"BPM sync is on, but the tempo of {sound.bpm:g} BPM is not sure."
        yield Finding(NOTE, "sync_unsure", pad, wrong, "It stays on.", fix)


def _check_reach(tempo: float, planned: PlannedPad) -> Iterator[Finding]:
    """Yield a finding where the unit would need more than 50 to 150 % to follow its bank."""
    bpm, pad = planned.settings.bpm, planned.pad
    low, high = SYNC_RATIOS
    if low <= tempo / bpm <= high:
        return
    wrong = f"At {tempo:g} BPM the unit plays this loop of {bpm:g} BPM at half or double tempo."
    for other in (bpm * 2, bpm / 2):
        if low <= tempo / other <= high and TEMPO_BPM.least <= other <= TEMPO_BPM.most:
            fix = settings_fix("set_tempo", pad, bpm=round(other, 2))
            yield Finding(NOTE, "tempo_too_far", pad, wrong, OWN_TEMPO, fix)
            return
    yield Finding(NOTE, "tempo_too_far", pad, wrong, OWN_TEMPO, _stretch_fix(tempo, planned))


def _stretch_fix(tempo: float, planned: PlannedPad) -> Fix | None:
    """Return a fix that renders the loop at its bank's tempo, where it has no other recipe for it."""
    recipe = planned.settings.recipe or RenderRecipe()
    if recipe.bpm is not None or recipe.length_s is not None:
        return None
    pad, from_bpm = planned.pad, recipe.from_bpm or planned.settings.bpm / recipe.speed
    if not MIN_BPM <= from_bpm <= MAX_BPM or not _can_stretch(planned, planned.settings.bpm / tempo):
        return None
    rendered = {pad: {"bpm": tempo, "from_bpm": from_bpm}}
    return Fix("stretch_to_tempo", pad, settings={pad: {"bpm": tempo}}, recipes=rendered)


def _check_whole_beats(planned: PlannedPad) -> Iterator[Finding]:
    settings = planned.settings
    if not settings.loop or not settings.bpm_sync or planned.sound.kind == ONE_SHOT:
        return
    frames = _played_frames(planned)
    beat_frames = 60 * RATE_HZ / settings.bpm
    beats = max(round(frames / beat_frames), 1)
    off_ms = (frames - beats * beat_frames) * 1000 / RATE_HZ
    if abs(off_ms) <= DRIFT_MS:
        return
    wrong = (
        f"The loop is {abs(off_ms):.0f} ms {'longer' if off_ms > 0 else 'shorter'} than {beats} beats of "
        f"{settings.bpm:g} BPM, so it drifts."
    )
    yield Finding(
        NOTE,
        "not_whole_beats",
        planned.pad,
        wrong,
        "It goes on the card as it is.",
        _beats_fix(planned, beats),
    )


def _played_frames(planned: PlannedPad) -> int:
    settings = planned.settings
    top = settings.start if settings.loop_top is None else settings.loop_top
    return (planned.sound.frames if settings.end is None else settings.end) - top


def _beats_fix(planned: PlannedPad, beats: int) -> Fix | None:
    """Return a fix that renders exactly so many beats, where the whole sound is the loop."""
    settings: PadSettings = planned.settings
    recipe = settings.recipe or RenderRecipe()
    has_points = (settings.start, settings.end, settings.loop_top) != (0, None, None) or settings.chops
    if has_points or recipe.length_s is not None:
        return None
    bpm = recipe.bpm or settings.bpm
    count = round(beats * bpm / settings.bpm)
    now = count * 60 * RATE_HZ / planned.sound.frames
    from_bpm = recipe.from_bpm or now / recipe.speed
    ratio = beats * 60 * RATE_HZ / settings.bpm / planned.sound.frames
    is_tempo = MIN_BPM <= from_bpm <= MAX_BPM
    if not 1 <= count <= MAX_BEATS or not is_tempo or not _can_stretch(planned, ratio):
        return None
    return recipe_fix("fit_beats", planned.pad, bpm=bpm, beats=count, from_bpm=from_bpm, whole_beats=False)


def _can_stretch(planned: PlannedPad, ratio: float) -> bool:
    """Return whether a sound can be rendered that many times as long."""
    longest_s = planned.sound.frames * max(ratio, 1) / RATE_HZ
    return MIN_RATIO <= ratio <= MAX_RATIO and longest_s <= MAX_STRETCH_S


def _check_stretch(planned: PlannedPad) -> Iterator[Finding]:
    recipe = planned.settings.recipe
    if recipe is None or recipe.bpm is None or recipe.from_bpm is None:
        return
    pitch = 2 ** (recipe.transpose / 12)
    ratio, bpm = recipe.from_bpm * recipe.speed / recipe.bpm * pitch, recipe.bpm
    if MIN_RATIO <= ratio <= MAX_RATIO:
        return
    while ratio > MAX_RATIO:
        ratio, bpm = ratio / 2, bpm * 2
    while ratio < MIN_RATIO:
        ratio, bpm = ratio * 2, bpm / 2
    wrong = f"Stretching from {recipe.from_bpm:g} to {recipe.bpm:g} BPM is beyond half or double the length."
    fix = recipe_fix("limit_stretch", planned.pad, bpm=bpm)
    yield Finding(NOTE, "stretch_too_far", planned.pad, wrong, f"It is rendered at {bpm:g} BPM.", fix)
