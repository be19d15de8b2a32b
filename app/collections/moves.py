"""Move samples into a folder of a collection, or out of any, and undo that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Executable, delete, insert, literal, select, update

from app.billing import quota
from app.collections.collection_rows import find_or_create
from app.extensions import db
from app.models import Collection, Sample, SampleMove, User
from app.models.base import transaction, utcnow
from app.models.sample_places import SamplePlace

WITHOUT_SYNC = {"synchronize_session": False}


def move_samples(user: User, ids: Sequence[str], place: SamplePlace) -> tuple[int, datetime]:
    """Move samples to a place; return how many, and the time under which `undo_move` finds them.

    The collection is created if there is none of that name; without a name they are in no collection
    afterwards. Raises TooManyCollectionsError.
    """
    at = utcnow()
    with transaction() as session:
        quota.lock_account(user.id)
        target = find_or_create(user.id, place.collection).id if place.collection else None
        own = Sample.id.in_(ids), Sample.user_id == user.id, Sample.deleted_at.is_(None)
        _run(delete(SampleMove).where(SampleMove.sample_id.in_(select(Sample.id).where(*own))))
        former = select(Sample.id, literal(at, SampleMove.moved_at.type), Sample.collection_id, Sample.folder)
        columns = ["sample_id", "moved_at", "collection_id", "folder"]
        session.execute(insert(SampleMove).from_select(columns, former.where(*own)))
        moved = update(Sample).where(*own).values(collection_id=target, folder=place.folder)
        return len(session.execute(moved.returning(Sample.id), execution_options=WITHOUT_SYNC).all()), at


def undo_move(user: User, at: datetime) -> int:
    """Put samples back to where they were before the move of a time; return how many.

    A sample that has been moved again stays. A collection that the move created goes, if nothing is in it.
    """
    with transaction() as session:
        quota.lock_account(user.id)
        own = (
            Sample.user_id == user.id,
            Sample.deleted_at.is_(None),  # what is in the trash comes back with the collection it was in
            Sample.id.in_(select(SampleMove.sample_id).where(SampleMove.moved_at == at)),
        )
        left = session.scalars(select(Sample.collection_id).where(*own).distinct()).all()
        former = {
            name: select(getattr(SampleMove, name)).where(SampleMove.sample_id == Sample.id).scalar_subquery()
            for name in ("collection_id", "folder")
        }
        back = update(Sample).where(*own).values(former).returning(Sample.id)
        ids = session.scalars(back, execution_options=WITHOUT_SYNC).all()
        _run(delete(SampleMove).where(SampleMove.sample_id.in_(ids)))
        is_used = select(Sample.id).where(Sample.collection_id == Collection.id).exists()
        new = Collection.id.in_([each for each in left if each]), Collection.created_at >= at
        _run(delete(Collection).where(Collection.user_id == user.id, *new, ~is_used))
        return len(ids)


def _run(statement: Executable) -> None:
    db.session.execute(statement, execution_options=WITHOUT_SYNC)
