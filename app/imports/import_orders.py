"""Order that projects of a file are imported: a job and a kit for each."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from app.billing import plans, quota
from app.imports.import_job import KEY, NAME, PATH
from app.imports.import_purpose import KIT_IMPORT_PURPOSE
from app.imports.project_uploads import KIT_IMPORT, UPLOAD, found_kits
from app.jobs import purposes, reprocess, scheduler
from app.models import Batch, Job, ProjectUpload, User
from app.models.base import transaction
from app.models.display_names import display_name, file_title
from app.models.ownership import RowNotFoundError
from app.sp404.errors import UnitFileError
from app.sp404.importing.kit_sources import FoundKit

CHOOSE_ONE = "Choose at least one project."


def order_imports(user: User, upload: ProjectUpload, paths: Sequence[str]) -> list[Job]:
    """Return a job for each chosen project: an unfinished one for the same, or a new one.

    The caller wakes a worker. Raises UnitFileError when none of them can be imported, and RowNotFoundError
    when the file was forgotten meanwhile.
    """
    upload_id = upload.id
    chosen = [one for one in found_kits(upload) if one.is_readable and one.path in paths]
    if not chosen:
        raise UnitFileError(CHOOSE_ONE)
    with transaction() as session:
        if not quota.lock_account(user.id):
            raise RowNotFoundError
        if session.get(ProjectUpload, upload_id, populate_existing=True) is None:
            raise RowNotFoundError
        waiting = reprocess.unfinished_jobs_for(user, KIT_IMPORT)
        choices = [(job.choices or {}, job) for job in waiting]
        under_way = {one[PATH]: job for one, job in choices if one.get(UPLOAD) == upload_id}
        batch_id = str(uuid4())
        jobs = [under_way.get(one.path) or _build_job(user, upload, one, batch_id) for one in chosen]
        fresh = [job for job in jobs if job.batch_id == batch_id]
        if fresh:
            session.add(Batch(id=batch_id, user_id=user.id, expected=len(fresh)))
            session.flush()
            session.add_all(fresh)
    return jobs


def _build_job(user: User, upload: ProjectUpload, found: FoundKit, batch_id: str) -> Job:
    plan = plans.plan_for_user(user)
    return Job(
        purpose=KIT_IMPORT,
        user_id=user.id,
        batch_id=batch_id,
        filename=display_name(found.name),
        tier=plan.tier,
        priority=purposes.priority_for(plan, KIT_IMPORT_PURPOSE),
        run_at=scheduler.first_run_time(plan, KIT_IMPORT_PURPOSE),
        export_sp404=False,
        choices={
            UPLOAD: upload.id,
            KEY: upload.store_key,
            PATH: found.path,
            NAME: file_title(upload.name),
        },
    )
