"""Check every page: valid HTML, one h1, no accessibility violation, no sideways scrolling on a phone."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.live import JOB_S, ROOT, Producer, Product, clean_environment
from tests.sp404.project.made_files import small_project, zipped
from tests.support import kick
from tests.ui.conftest import listen, sign_in

pytestmark = [pytest.mark.ui, pytest.mark.filled]

PUBLIC = ("/", "/sign-in", "/register", "/forgotten-password", "/docs/api", "/no-such-page")
OWN = (
    "/dashboard",
    "/upload",
    "/jobs",
    "/samples",
    "/samples?q=nothing-like-it",
    "/samples?ask=93+bpm+loops,+not+too+bright",
    "/samples?ask=dusty+loops+faster+than+120",
    "/samples?ask=sad+or+dusty+sounds+from+the+90s+without+strings",
    "SAMPLE",
    "SAMPLE?edit=bpm",
    "SIMILAR",
    "SIMILAR?but=darker&ask=loops",
    "SAMPLE/shape",
    "SAMPLE/chops",
    "SAMPLE/chops?by=equal&count=4",
    "/shaping",
    "/collections",
    "COLLECTION",
    "/duplicates",
    "DUPLICATES",
    "/kits",
    "/kits/import",
    "PROJECT",
    "UNPACKED",
    "EMPTY KIT",
    "KIT",
    "KIT/card?chosen=1&target=mk2&target=sx",
    "KIT/banks/A/why",
    "KIT/pads/A1",
    "KIT/pads/A2",
    "KIT/library?pad=B5&ask=kick",
    "ADD",
    "/again?purpose=describe&all=1",
    "/again?purpose=analyse&all=1",
    "/billing",
    "/settings",
    "/settings/ai",
    "/settings/security",
    "/settings/tokens",
    "/settings/data",
    "/settings/webhooks",
    "/admin/queues",
    "/admin/queues?tab=failed",
    "/admin/queues?tab=done&text=dusty",
    "JOB",
    "/admin/closings",
    "/admin/outbox",
    "/admin/payments",
    "/admin/audit",
    "/admin/costs",
    "BUNDLE",  # the last: its file is downloaded by itself, which another page would break off
)
Scheme = Literal["dark", "light"]
LOOKS: dict[str, tuple[Scheme, int]] = {
    "dark desktop": ("dark", 1280),
    "light desktop": ("light", 1280),
    "light phone": ("light", 360),
}


def address(path: str, library: Producer) -> str:
    if path == "JOB":
        page = library.http.get("/admin/queues?tab=failed").text
        found = re.search(r'href="(/admin/jobs/[^"]+)"', page)
        assert found is not None
        return found.group(1)
    if path.startswith(("KIT", "EMPTY KIT")):
        kits = re.findall(r'class="kit-name" href="([^"]+)"', library.http.get("/kits").text)
        return kits[1] if path == "EMPTY KIT" else path.replace("KIT", kits[0])
    if path == "COLLECTION":
        found = re.search(r'class="kit-name"[^>]*href="([^"]+)"', library.http.get("/collections").text)
        assert found is not None
        return found.group(1)
    if path == "PROJECT":
        sent = [("project", ("card.zip", zipped(small_project(), "PROJECT_01/")))]
        form = {"csrf_token": library.token("/")}
        return str(library.http.post("/kits/import", data=form, files=sent).url.path)
    if path == "UNPACKED":
        found = re.search(r'href="(/upload/zips/[^"]+)"', library.http.get("/jobs").text)
        assert found is not None
        return found.group(1)
    if path == "BUNDLE":
        chosen = {"csrf_token": library.token("/"), "sample": sample_ids(library)}
        return str(library.http.post("/selected/zips", data=chosen).url.path)
    if path == "ADD":
        return "/kits/add?" + "&".join(f"sample={each}" for each in sample_ids(library))
    if path == "DUPLICATES":
        return wait_for_duplicates(library)
    if not path.startswith(("SAMPLE", "SIMILAR")):
        return path
    found = re.search(r'<tr class="row" id="sample-(\w+)"', library.http.get("/samples").text)
    assert found is not None
    page = f"/samples/{found[1]}"
    return path.replace("SAMPLE", page).replace("SIMILAR", f"{page}/similar")


@pytest.fixture(scope="module", autouse=True)
def duplicates(library: Producer) -> None:
    """Upload a sample again, so that the pages of duplicates have something to show."""
    library.upload(("Deep kick copy.wav", kick()))
    library.upload(("Pack.zip", zipped({"Deep kick.wav": kick(), "../odd.wav": b"x"})))
    library.wait_for_jobs(6)
    wait_for_duplicates(library)


@pytest.fixture(scope="module", autouse=True)
def kits(duplicates: None, library: Producer) -> None:
    """Make an empty kit, one with a pattern and every sort of pad, and a collection with a folder."""
    library.post("/kits", name="Empty kit", tempo="90", tempo_source="project")
    library.post("/kits/placements", kit="", sample=sample_ids(library))
    fields = {"set-collection": "Dusty pack", "set-folder": "Drums/Kicks"}
    library.post("/selected/move", sample=sample_ids(library)[:2], **fields)
    kit = address("KIT", library)
    library.post(f"{kit}/pads/A2/lock", revision="1")
    library.post(f"{kit}/pads/B1/lock", revision="2")
    beat = json.dumps({"steps": {"A1": [127, *[0] * 15]}})
    library.post(f"{kit}/patterns", revision="3", place="A1", bars="1", beat=beat, name="Four to the floor")


def sample_ids(library: Producer) -> list[str]:
    found = re.findall(r'id="sample-(\w{26})"', library.http.get("/samples").text)
    assert len(found) > 2
    return found


def wait_for_duplicates(library: Producer) -> str:
    """Return the address of a group, once the new sample was compared."""
    until = time.monotonic() + JOB_S
    while time.monotonic() < until:
        found = re.search(r'href="(/duplicates/\w{26})"', library.http.get("/duplicates").text)
        if found is not None:
            return found.group(1)
        time.sleep(0.5)
    raise AssertionError("the second file of a sample was not found")


@pytest.mark.parametrize("look", LOOKS)
def test_pages_are_accessible_and_fit(
    browser: Browser, product: Product, library: Producer, look: str
) -> None:
    scheme, width = LOOKS[look]
    context = browser.new_context(
        base_url=product.url,
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
    )
    browser_errors: list[str] = []
    context.on("page", lambda page: listen(page, browser_errors))
    page = context.new_page()
    for path in PUBLIC:
        check(page, path)
    sign_in(page)
    for path in OWN:
        check(page, address(path, library))
    context.close()
    assert browser_errors == []


def check(page: Page, path: str) -> None:
    page.goto(path)
    assert page.locator("h1").count() == 1, path
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
        f"{path} scrolls sideways"
    )
    found = Axe().run(page)
    assert found.violations_count == 0, f"{path}\n{found.generate_report()}"


def test_pages_are_valid_html(product: Product, library: Producer, tmp_path: Path) -> None:
    for number, path in enumerate((*PUBLIC, *OWN)):
        stranger = Producer(product) if path in PUBLIC else library
        (tmp_path / f"{number}.html").write_text(stranger.http.get(address(path, library)).text)
    validator = ROOT / "node_modules" / ".bin" / "html-validate"
    command = [
        str(validator),
        "--config",
        str(ROOT / ".htmlvalidate.json"),
        "--formatter",
        "json",
        str(tmp_path),
    ]
    # html-validate needs the node of the virtual environment, which is newer than many systems' own.
    found = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=clean_environment())
    assert found.returncode in (0, 1), found.stderr
    problems = [
        f"{result['filePath']}:{message['line']} {message['ruleId']} {message['message']}"
        for result in json.loads(found.stdout)
        for message in result["messages"]
    ]
    assert problems == []
