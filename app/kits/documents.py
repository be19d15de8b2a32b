"""Turn a kit into its `kit.json`, and a `kit.json` into a kit of the user who sends it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import lazyload, load_only

from app.extensions import db
from app.kits.kit_rows import load_state
from app.kits.kit_state import HUNDREDTHS, BankState, KitState, PadState, PatternState
from app.kits.pattern_edits import pattern_name
from app.models import Kit, Sample, User
from app.models.display_names import visible_text
from app.sp404.kit_document import (
    BankDocument,
    KitDocument,
    PadDocument,
    PatternDocument,
    SampleReference,
)
from app.sp404.pads import PLACES
from app.sp404.project.packed_patterns import count_packed_bars


def kit_document(kit: Kit) -> KitDocument:
    """Return the document of a kit. A sample in the trash is named by its hash alone."""
    state = load_state(kit)
    live = _live_samples(kit.user_id, [pad.sample_id for pad in state.pads.values()])
    return document_of_state(state, {sample.id for sample in live}, kit)


def document_of_state(state: KitState, live_ids: Collection[str], kit: Kit | None = None) -> KitDocument:
    """Return the document of what a kit holds, with the ids of only these samples."""
    return KitDocument(
        id=kit.id if kit else None,
        revision=kit.revision if kit else None,
        name=state.name,
        tempo=state.tempo / HUNDREDTHS,
        tempo_source=state.tempo_source,  # type: ignore[arg-type]  # only these two are ever stored
        notes=state.notes,
        kept=state.kept,
        banks={name: _bank_document(state.banks[name]) for name in sorted(state.banks)},
        pads={name: _pad_document(state.pads[name], live_ids) for name in _in_order(state.pads)},
        patterns={name: _pattern_document(state.patterns[name]) for name in _in_order(state.patterns)},
    )


def state_of_document(user: User, document: KitDocument) -> KitState:
    """Return what a document describes, with samples of this user only: by id, or else by their file's hash.

    A pad whose sample is not in the user's library becomes a gap with the sample's name.
    """
    references = [pad.sample for pad in document.pads.values() if pad.sample]
    by_id = {sample.id: sample for sample in _live_samples(user.id, [each.id for each in references])}
    by_hash = _samples_by_hash(user.id, [each.sha256 for each in references if each.id not in by_id])
    state = KitState(
        document.name,
        round(document.tempo * HUNDREDTHS),
        document.tempo_source,
        document.notes,
        document.kept,
    )
    banks = {
        name: BankState(round(bank.tempo * HUNDREDTHS), bank.volume, bank.protect)
        for name, bank in document.banks.items()
    }
    pads = {
        name: _pad_state(pad, by_id, by_hash)
        for name, pad in document.pads.items()
        if pad.sample or pad.locked
    }
    patterns = {name: pattern_state(pattern) for name, pattern in document.patterns.items()}
    return state.with_banks(banks).with_pads(pads).with_patterns(patterns)


def find_sample(user: User, reference: SampleReference) -> Sample | None:
    """Return the user's sample with this id, or else with this hash; of several the oldest."""
    for condition in (Sample.id == reference.id, Sample.content_sha256 == reference.sha256):
        own = select(Sample).where(Sample.user_id == user.id, Sample.deleted_at.is_(None), condition)
        sample = db.session.scalar(own.order_by(Sample.id).limit(1))
        if sample is not None:
            return sample
    return None


def missing_pads(document: KitDocument, state: KitState) -> list[str]:
    """Return the pads whose sample was not found in the library."""
    return [name for name, pad in document.pads.items() if pad.sample and not state.pad(name).sample_id]


def _pad_state(pad: PadDocument, by_id: dict[str, Sample], by_hash: dict[str, Sample]) -> PadState:
    held = PadState(locked=pad.locked, settings=pad.settings)
    wanted = pad.sample
    if wanted is None:
        return held
    sample = by_id.get(wanted.id or "") or by_hash.get(wanted.sha256 or "")
    if sample is None:
        return replace(held, sample_name=visible_text(wanted.name), content_sha256=wanted.sha256 or "")
    return replace(held, sample_id=sample.id, sample_name=sample.name, content_sha256=sample.content_sha256)


def pattern_state(pattern: PatternDocument) -> PatternState:
    return PatternState(pattern_name(pattern.name), count_packed_bars(pattern.ptn), pattern.ptn)


def _pattern_document(pattern: PatternState) -> PatternDocument:
    return PatternDocument(name=pattern.name, ptn=pattern.ptn)


def _bank_document(bank: BankState) -> BankDocument:
    return BankDocument(tempo=bank.tempo / HUNDREDTHS, volume=bank.volume, protect=bank.protect)


def _pad_document(pad: PadState, live_ids: Collection[str]) -> PadDocument:
    sample = None
    if pad.holds_a_sound:
        sample_id = pad.sample_id if pad.sample_id in live_ids else None
        sample = SampleReference(id=sample_id, sha256=pad.content_sha256 or None, name=pad.sample_name)
    return PadDocument(sample=sample, locked=pad.locked, settings=pad.settings)


def _in_order(pads: Iterable[str]) -> list[str]:
    return sorted(pads, key=PLACES.__getitem__)


def _live_samples(user_id: str, ids: Iterable[str | None]) -> list[Sample]:
    wanted = {each for each in ids if each is not None}
    return _own_samples(user_id, Sample.id.in_(wanted)) if wanted else []


def _samples_by_hash(user_id: str, hashes: Iterable[str | None]) -> dict[str, Sample]:
    """Return a sample for each hash that the user has; of several the oldest."""
    wanted = {each for each in hashes if each}
    found = _own_samples(user_id, Sample.content_sha256.in_(wanted)) if wanted else []
    return {sample.content_sha256: sample for sample in sorted(found, key=lambda each: each.id, reverse=True)}


def _own_samples(user_id: str, condition: ColumnElement[bool]) -> list[Sample]:
    own = select(Sample).where(Sample.user_id == user_id, Sample.deleted_at.is_(None), condition)
    columns = load_only(Sample.id, Sample.name, Sample.content_sha256, raiseload=True)
    return list(db.session.scalars(own.options(columns, lazyload(Sample.tags))))
