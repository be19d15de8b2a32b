"""textures and classes of loops

Moves data; the schema stays, because `kind` and `sound` hold the new values already. An old loop becomes a
texture where its stored measurement leaves no doubt: noise at a steady level, in which nothing repeats. All
others get their kind when they are analysed again. Samples whose kind, sound or tempo a user corrected stay
as they are. What is replaced is kept in the measurement under `before_0022`, for going back.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.models.text_folding import fold_text

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

BATCH_SIZE = 200
# Of 18 loops of sonic-pi-samples the noisiest has a flatness of 0.127, and the two steadiest a spread of 0.10
# and 0.22 with a flatness of 0.001; white and pink noise have at least 0.145 and at most 0.19.
MIN_FLATNESS, MAX_SPREAD = 0.14, 0.2
OLD_SOUNDS = {"closed hat": "hi-hat", "open hat": "hi-hat", "rim": "snare", "shaker": "percussion"}
LOOP_SOUNDS = ("drums", "melody", "chords", "full mix")
SAMPLES = sa.table(
    "samples",
    *(sa.column(name) for name in ("id", "kind", "sound", "bpm", "bpm_source", "search_text", "folded_text")),
    sa.column("corrections", sa.JSON()),
)
FEATURES = sa.table(
    "audio_features",
    *(sa.column(name) for name in ("sample_id", "bpm", "bpm_confidence")),
    sa.column("measured", sa.JSON()),
)
KEPT = ("kind", "bpm", "bpm_confidence", "bpm_source", "beats", "downbeats")


def upgrade() -> None:
    connection = op.get_bind()
    for row in _rows(connection, SAMPLES.c.kind == "loop"):
        if not row.corrections.keys() & {"kind", "sound", "bpm"} and _is_steady_noise(row.measured):
            kept = {name: row.measured[name] for name in KEPT if name in row.measured}
            none = {"bpm": None, "bpm_confidence": 0.0, "bpm_source": None, "beats": [], "downbeats": []}
            measured = row.measured | none | {"kind": "texture", "before_0022": kept}
            _store(connection, row, measured, kind="texture", sound=row.sound, corrections=row.corrections)


def downgrade() -> None:
    """Give textures and new classes the kind and class that the previous version knows."""
    connection = op.get_bind()
    for row in _rows(connection, sa.true()):
        measured = dict(row.measured)
        measured |= measured.pop("before_0022", {})
        values = {"kind": row.kind, "sound": row.sound, "corrections": dict(row.corrections)}
        if values["kind"] == "texture":
            values["kind"] = measured["kind"]
        for found in (measured, values, values["corrections"]):
            _rename(found)
        if (measured, values) != (
            row.measured,
            {"kind": row.kind, "sound": row.sound, "corrections": row.corrections},
        ):
            _store(connection, row, measured, **values)


def _rows(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> Iterator[Any]:
    columns = *SAMPLES.c, FEATURES.c.measured
    joined = SAMPLES.join(FEATURES, FEATURES.c.sample_id == SAMPLES.c.id)
    rows = sa.select(*columns).select_from(joined).where(condition).order_by(SAMPLES.c.id).limit(BATCH_SIZE)
    last = ""
    while batch := connection.execute(rows.where(SAMPLES.c.id > last)).all():
        yield from batch
        last = batch[-1].id


def _is_steady_noise(measured: dict[str, Any]) -> bool:
    """Return whether the sound is noise whose level hardly moves; False for the oldest measurements."""
    spectral = measured.get("spectral", {})
    level, flatness = spectral.get("rms", {}), spectral.get("flatness", {})
    if not level.get("mean") or level.get("std") is None:
        return False
    is_noise = (flatness.get("mean") or 0.0) >= MIN_FLATNESS
    return bool(is_noise and level["std"] / level["mean"] <= MAX_SPREAD)


def _rename(found: dict[str, Any]) -> None:
    if found.get("kind") == "texture":
        found["kind"] = "loop"
    if (sound := found.get("sound")) is not None:
        found["sound"] = None if sound in LOOP_SOUNDS else OLD_SOUNDS.get(sound, sound)


def _store(connection: sa.Connection, row: Any, measured: dict[str, Any], **values: Any) -> None:
    """Write a row; words of the search text that name kind or class follow, each on its own line."""
    if "bpm" not in values["corrections"]:
        values |= {"bpm": measured.get("bpm"), "bpm_source": measured.get("bpm_source")}
    new = {row.kind: values["kind"], row.sound or "": values["sound"] or ""}
    lines = (row.search_text or "").split("\n")
    # The first two lines are the names.
    text = "\n".join([*lines[:2], *(new.get(line, line) for line in lines[2:4]), *lines[4:]])
    texts = {"search_text": text, "folded_text": fold_text(text)}
    connection.execute(SAMPLES.update().where(SAMPLES.c.id == row.id).values(**values, **texts))
    figures = {"bpm": measured.get("bpm"), "bpm_confidence": measured.get("bpm_confidence", 0.0)}
    changed = FEATURES.update().where(FEATURES.c.sample_id == row.id)
    connection.execute(changed.values(measured=measured, **figures))
