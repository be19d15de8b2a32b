"""The documents lead to files that exist, and CONTRIBUTING.md draws every package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_architecture import RINGS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("training/*.md"),
        *ROOT.glob("benchmarks/*.md"),
    ]
)
LINK = re.compile(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)")
PATH = re.compile(r"`((?:app|benchmarks|docs|migrations|scripts|static|templates|tests|training)/[\w./-]*)`")


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, made as code hosts make them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    for target, anchor in LINK.findall(document.read_text()):
        linked = document.parent / target if target else document
        assert linked.exists(), f"{target} does not exist"
        assert not anchor or anchor in anchors(linked), f"{target} has no heading {anchor}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_in_the_text_exists(document: Path) -> None:
    missing = [path for path in PATH.findall(document.read_text()) if not (ROOT / path).exists()]
    assert missing == []


def test_contributing_draws_every_package_of_the_app() -> None:
    rooms = (ROOT / "CONTRIBUTING.md").read_text().split("## The rings")[0]
    packages = {path.parent.name for path in (ROOT / "app").glob("*/__init__.py")}
    assert {name for name in packages if f"{name}/" not in rooms} == set()


def test_contributing_draws_the_rings_as_the_test_has_them() -> None:
    section = (ROOT / "CONTRIBUTING.md").read_text().split("## The rings")[1]
    drawn = [re.split(r" {2,}", line)[0] for line in section.split("```")[1].strip().splitlines()]
    rings = [{name.removeprefix("app.") for name in ring} for ring in RINGS]
    assert [set(re.split(r" \| |, ", line)) for line in drawn] == rings
