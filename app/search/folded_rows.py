"""Fold the search text of samples that a process of the previous version has written.

The previous version fills only `search_text`. This module can be removed together with that column.
"""

from __future__ import annotations

from sqlalchemy import select, update

from app.extensions import db
from app.models import Sample
from app.models.base import transaction
from app.models.text_folding import fold_text

BATCH_SIZE = 500


def fold_changed_rows() -> None:
    """Fold every search text whose folded form is missing or belongs to an older text.

    Only a text that differs from its folded form can need this, so most rows are not even read. Safe to stop
    at any time, and to run twice at the same time: a row that changes meanwhile is left to the next run.
    """
    last = ""
    differs = Sample.folded_text.is_distinct_from(Sample.search_text)
    rows = select(Sample.id, Sample.search_text, Sample.folded_text).where(differs).order_by(Sample.id)
    while batch := db.session.execute(rows.where(Sample.id > last).limit(BATCH_SIZE)).all():
        last = batch[-1].id
        folded = {row.id: (row.search_text, fold_text(row.search_text), row.folded_text) for row in batch}
        with transaction() as session:
            for sample_id, (text, wanted, stored) in folded.items():
                if wanted != stored:
                    unchanged = Sample.id == sample_id, Sample.search_text == text
                    session.execute(update(Sample).where(*unchanged).values(folded_text=wanted))
    db.session.commit()
