"""Fill the demo account's library with rows of every class, and with files to play."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from app import create_app
from app.config import Settings
from app.extensions import db
from app.integrations.storage import open_store
from app.models import Sample, User
from app.search.indexing import follow_changes
from tests.kits.fill_stock import shelve_library
from tests.live import Producer, Product
from tests.support import drum_loop, kick


def stock_library(product: Product, folder: Path, of_each_class: int) -> None:
    """Add 18 times as many samples as of each class."""
    Producer(product).post("/demo")
    app = create_app(Settings.from_env(product.env))
    with app.app_context():
        owner = db.session.scalars(select(User)).one()
        shelve_library(owner, of_each_class)
        follow_changes(owner.id)
        store_files(app.config["SETTINGS"], folder)
        db.session.remove()
        db.engine.dispose()


def store_files(settings: Settings, folder: Path) -> None:
    """Store a loop for each loop and a kick for each other sample."""
    loop, hit = folder / "loop.wav", folder / "hit.wav"
    loop.write_bytes(drum_loop(100))
    hit.write_bytes(kick())
    store = open_store(settings)
    for sample in db.session.scalars(select(Sample)):
        for key in (sample.sp404_key, sample.original_key):
            store.put(key, loop if sample.kind == "loop" else hit, "audio/wav")
