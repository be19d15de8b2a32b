"""The databases of a run: the small library alone, and the same one beside the large ones."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import psycopg

from benchmarks.library_scale import likeness
from benchmarks.library_scale.filling import PostgresTarget, SqliteTarget, Target, analyze, fill
from benchmarks.library_scale.product import Product
from benchmarks.library_scale.samples import SEED, Owner
from benchmarks.library_scale.sounds import Sound
from tests.live import ROOT

SQLITE = "sqlite"
# Raised when the generator makes other rows, so that a kept database is not measured against the wrong ones.
GENERATOR_VERSION = 1


class Place(NamedTuple):
    """Where databases are made: below a folder, and on a PostgreSQL server unless it is SQLite."""

    folder: Path
    server: str

    @property
    def kind(self) -> str:
        """The name of the database system."""
        return "SQLite" if self.server == SQLITE else "PostgreSQL"

    def product(self, name: str, checkout: Path = ROOT) -> Product:
        """Return a version of the product on the database of that name."""
        url = None if self.server == SQLITE else f"{self.server.rstrip('/')}/scale_{name}"
        return Product(self.folder / name, url, checkout)


def open_database(
    place: Place, name: str, owners: Sequence[Owner], sounds: Sequence[Sound], checkout: Path = ROOT
) -> Product:
    """Return the product on a database with the libraries of these owners, made now or kept by another run.

    It is migrated to the newest revision, and indexed for searching when it was made or migrated.
    """
    product = place.product(name, checkout)
    is_kept = _is_kept(product, owners)
    if not is_kept and product.database_url:
        _create_database(product.database_url)
    before = product.revision() if is_kept else ""
    _report(f"{name}: migrated", product.migrate)
    if not is_kept:
        _report(f"{name}: filled", lambda: fill(_target(product), owners, sounds))
        _manifest(product).write_text(json.dumps(_contents(owners)))
    if product.revision() != before:
        index(product)
    return product


def add_likeness(product: Product, owners: Sequence[Owner], sounds: Sequence[Sound]) -> None:
    """Give the samples of the smaller libraries vectors and duplicates, once."""
    noted = product.folder / "likeness.json"
    if not noted.exists():
        smaller = [owner for owner in owners if owner.size <= likeness.MOST_SAMPLES]
        _report(f"{product.folder.name}: vectors", lambda: likeness.fill(_target(product), smaller, sounds))
        noted.write_text(json.dumps([owner.id for owner in smaller]))


def index(product: Product) -> None:
    """Build the search index, in a version that has one, and count the rows for the planner."""
    if product.has_search_index:
        _report(f"{product.folder.name}: indexed for searching", product.rebuild_index)
    analyze(product.database_url or product.file)


def _target(product: Product) -> Target:
    return PostgresTarget(product.database_url) if product.database_url else SqliteTarget(product.file)


def drop_database(product: Product) -> None:
    """Remove the PostgreSQL database of a product."""
    if product.database_url:
        server, _, name = product.database_url.rpartition("/")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _create_database(url: str) -> None:
    server, _, name = url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")


def _is_kept(product: Product, owners: Sequence[Owner]) -> bool:
    """Return whether the folder has this database; end the run when it has another one of the same name."""
    manifest = _manifest(product)
    if not manifest.exists() and product.file.exists():
        sys.exit(f"{product.file} was not finished by the run that made it. Remove {product.folder}.")
    if not manifest.exists():
        return False
    if json.loads(manifest.read_text()) != _contents(owners):
        sys.exit(f"{manifest} describes other libraries. Choose another folder, or remove this one.")
    return True


def _manifest(product: Product) -> Path:
    return product.folder / "libraries.json"


def _contents(owners: Sequence[Owner]) -> dict[str, object]:
    sizes = [owner.size for owner in owners]
    return {"generator": GENERATOR_VERSION, "seed": SEED, "sizes": sizes}


def _report(what: str, action: Callable[[], None]) -> None:
    started = time.monotonic()
    action()
    print(f"{what} in {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
