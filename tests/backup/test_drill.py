"""The drill: destroy everything, restore, and find the library, the kits and the jobs under way."""

from __future__ import annotations

from pathlib import Path

from app.backup import making, restoring
from app.backup.backup_folder import OBJECTS, BackupFolder
from tests.backup.drill import SECRET, all_objects, all_rows, check_the_same, fill_service, service

KEEP_DAYS = 30


def test_a_destroyed_service_comes_back_whole(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    with service({"DATA_DIR": str(tmp_path / "lost")}) as app:
        account, running = fill_service(app)
        lost, lost_objects = all_rows(), all_objects(tmp_path)
        _, summary, read = making.make_backup(folder, KEEP_DAYS)
        assert (summary.missing, read) == ([], len(lost_objects))
    with service({"DATA_DIR": str(tmp_path / "new")}, migrated=False) as app:
        report = restoring.restore_backup(folder, None, lambda _: None)
        assert (report.requeued_jobs >= 1, report.missing, report.closed_accounts) == (True, [], 0)
        assert all_objects(tmp_path) == lost_objects
        check_the_same(app, lost, account.user_id, running)
    files = [path.read_bytes() for path in BackupFolder(folder).path(report.name).iterdir()]
    assert len(files) == len({OBJECTS, "rows", "accounts", "summary"})
    assert not any(SECRET.encode() in content for content in files)
