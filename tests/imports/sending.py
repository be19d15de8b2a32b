"""Send projects as the page does, and have their jobs run."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from app.cards import card_orders
from app.extensions import db, settings
from app.jobs import run
from app.models import CardExport, Job, Kit, ProjectUpload, Usage, User
from tests.sp404.project.made_files import block, padconf, read_files, small_project, smp, zipped
from tests.support import Browser

FOLDER = "P07_Dusty"


def noisy(seed: int, frames: int) -> bytes:
    """Return big-endian PCM of a decaying rumble that differs with the seed."""
    values = (round(9_000 * ((n * (seed + 3)) % 97 / 48.5 - 1) * (1 - n / frames)) for n in range(frames))
    loudest = b"\x7f\xff\x80\x00"
    return loudest + b"".join(value.to_bytes(2, "big", signed=True) for value in values)[len(loudest) :]


def unit_project() -> dict[str, bytes]:
    """Return a project with three sounds, one of them twice, and one shorter than a pad of ours may be."""
    files = small_project()
    long, short = smp(noisy(1, 9_000), 1), smp(noisy(2, 3_000), 1)
    unknown = block(len(long), "Rumble", w9=9_350, w12=7, w25=4_711)
    pads = {
        0: unknown,
        1: block(len(long), "Same rumble", w3=99),
        17: block(len(short), "Tick", w4=0, w10=0x20),
    }
    return files | {
        "PADCONF.BIN": padconf(pads, "Dusty project"),
        "SMPL/BANK1-01.SMP": long,
        "SMPL/BANK1-02.SMP": long,
        "SMPL/BANK2-02.SMP": short,
        "SMPL/NOTES.TXT": b"of the owner",
    }


def send(browser: Browser, files: Mapping[str, bytes], prefix: str = f"{FOLDER}/") -> ProjectUpload:
    """Send the ZIP of a project, and return what the product keeps of it."""
    return send_bytes(browser, zipped(files, prefix))


def send_bytes(browser: Browser, content: bytes, name: str = "My card.zip") -> ProjectUpload:
    answer = browser.post("/kits/import", {"Accept": "application/json"}, project=(BytesIO(content), name))
    assert answer.status_code == 201, answer.text
    return db.session.get_one(ProjectUpload, answer.get_json()["url"].rpartition("/")[2])


def order(browser: Browser, upload: ProjectUpload, *paths: str) -> list[Job]:
    """Order projects of a file, and return the jobs that wait."""
    answer = browser.post(f"/kits/import/{upload.id}", chosen=list(paths or [FOLDER]))
    assert answer.status_code == 303, answer.text
    jobs = db.session.scalars(db.select(Job).where(Job.purpose == "kit_import").order_by(Job.id)).all()
    return [job for job in jobs if not job.is_finished]


def bring_back(browser: Browser, files: Mapping[str, bytes]) -> Kit:
    """Send a project and return its kit."""
    [job] = order(browser, send(browser, files))
    run.run_next()
    db.session.refresh(job)
    assert (job.state, job.error) == ("completed", None)
    return db.session.get_one(Kit, (job.outcome or {})["kit_id"])


def write_card(owner: User, kit: Kit, folder: Path, number: int = 1) -> dict[str, bytes]:
    """Make the card of a kit for the unit, and return the files of its project."""
    job = card_orders.order_card(owner, kit, ["mk2"], number)
    run.run_next()
    db.session.refresh(job)
    assert (job.state, job.error) == ("completed", None)
    archive = settings().data_dir / "store" / db.session.get_one(CardExport, job.id).store_key
    with zipfile.ZipFile(archive) as made:
        made.extractall(folder)
    return read_files(folder / f"EXPORT/PROJECT/PROJECT_{number:02d}")


def quantities(kind: str) -> int:
    """Return what the ledger has of a kind."""
    return sum(db.session.scalars(db.select(Usage.quantity).where(Usage.kind == kind)))
