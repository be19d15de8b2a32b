"""Make the pictures of the README and the landing page from the running product.

python -m scripts.landing_pictures

A product of its own is served from an empty folder, given sounds that `synthesised_sounds` makes, and opened
in Chromium. The social card shows the landing page, so it is made last, when the other pictures are there.
"""

from __future__ import annotations

import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import soundfile
from playwright.sync_api import Browser, Page, expect, sync_playwright

from scripts import landing_loop
from scripts import synthesised_sounds as made
from scripts.synthesised_sounds import RATE, Signal

ROOT = Path(__file__).resolve().parent.parent
IMAGES, DOCS = ROOT / "static" / "img", ROOT / "docs"
START_S, JOBS_S = 60, 300
WIDTH, LIBRARY_HEIGHT, KIT_HEIGHT = 1280, 640, 760
SOCIAL_SIZE = (1200, 630)
# Tempo, semitones above A minor, and parts.
LOOPS: dict[str, tuple[float, float, tuple[str, ...]]] = {
    "Boom bap drums": (88.0, 0.0, ("drums",)),
    "Late break": (96.0, 0.0, ("drums",)),
    "Cellar bass": (92.0, 5.0, ("bass",)),
    "Night bass": (84.0, 0.0, ("bass", "drums")),
    "Rhodes in D": (90.0, 5.0, ("keys",)),
    "Rhodes in F": (86.0, 8.0, ("keys",)),
    "Quiet keys": (94.0, 2.0, ("keys",)),
    "Dusty keys": (landing_loop.BPM, 0.0, landing_loop.PARTS),
}


def main() -> int:
    """Write every picture."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        data_dir = Path(folder) / "data"
        with served_product(data_dir) as url:
            show_library_and_kit(browser, url, write_sounds(Path(folder) / "sounds"))
        with served_product(data_dir) as url:  # a process knows the pictures that were there when it started
            show_landing(browser, url)
        browser.close()
    return 0


def find_chromium() -> str:
    """Return the browser's program, or raise SystemExit with what to do."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise SystemExit("No Chromium is installed; `make test` installs it or says how.")
    return found


@contextmanager
def served_product(data_dir: Path) -> Iterator[str]:
    """Serve the product from a folder on a free port, and yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    env |= {"PORT": str(port), "DATA_DIR": str(data_dir)}
    process = subprocess.Popen([sys.executable, "-m", "scripts.serve"], cwd=ROOT, env=env)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def wait_until_ready(url: str) -> None:
    """Return once the product answers, or raise SystemExit."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"{url}/readyz", timeout=2).close()  # noqa: S310  # our own address
        except (URLError, OSError):
            time.sleep(0.2)
            continue
        return
    raise SystemExit(f"The product did not answer within {START_S} s.")


def write_sounds(folder: Path) -> list[Path]:
    """Write one WAV for each sound of the library in the pictures."""
    folder.mkdir()
    sounds: dict[str, Signal] = {}
    for number, (pitch_hz, decay) in enumerate(((48, 9), (55, 14), (42, 6)), start=1):
        sounds[f"Kick {number}"] = made.kick(pitch_hz, decay)
    for number, (tone_hz, decay) in enumerate(((185, 16), (220, 24), (165, 11)), start=1):
        sounds[f"Snare {number}"] = made.snare(tone_hz, decay)
    for number, decay in enumerate((70, 110, 45), start=1):
        sounds[f"Closed hat {number}"] = made.hat(decay, seed=number)
    sounds |= {f"Open hat {number}": made.hat(decay, seed=40 + number) for number, decay in ((1, 9), (2, 15))}
    sounds |= {"Clap": made.clap(), "Clap wide": made.clap(11), "Rim": made.rim(), "Rim low": made.rim(1100)}
    for name, frequency_hz in (("A", 55.0), ("C", 65.41), ("D", 73.42), ("E", 82.41)):
        sounds[f"Bass {name}"] = made.bass(frequency_hz, 1.2)
    sounds["Keys Am7"] = made.chord(landing_loop.A_MINOR_7, 3.0)
    sounds["Keys Dm9"] = made.chord(landing_loop.D_MINOR_9, 3.0)
    sounds |= {name: landing_loop.make_loop(*recipe) for name, recipe in LOOPS.items()}
    for name, sound in sounds.items():
        level = 0.9 / max(abs(sound).max(), 1e-9)
        soundfile.write(folder / f"{name}.wav", level * sound, RATE, subtype="PCM_16")
    return [folder / f"{name}.wav" for name in sounds]  # the loops last: the library shows the newest first


def show_library_and_kit(browser: Browser, url: str, sounds: list[Path]) -> None:
    """Fill the demo account and take the pictures of its library and of a kit."""
    page = browser.new_page(
        base_url=url, color_scheme="dark", viewport={"width": WIDTH, "height": LIBRARY_HEIGHT}
    )
    page.goto("/sign-in")
    page.get_by_role("button", name="Open the demo account").click()
    page.goto("/upload")
    page.locator("#audio").set_input_files(sounds)
    expect(page.locator(".card.completed")).to_have_count(len(sounds), timeout=JOBS_S * 1000)
    page.goto("/samples")
    take_picture(page, "library")
    page.set_viewport_size({"width": WIDTH, "height": KIT_HEIGHT})
    page.goto("/kits")
    page.get_by_label("Name").fill("Dusty nights")
    page.get_by_label("Tempo").fill("90")
    page.get_by_role("button", name="Make kit", exact=True).click()
    page.get_by_label("Recipe").select_option(label="Boom bap")
    page.get_by_role("button", name="Fill bank A", exact=True).click()
    expect(page.locator("#kit-notices")).to_contain_text("Bank A: ")
    page.goto(page.url.partition("#")[0])
    page.evaluate("scrollTo(0, 0)")
    take_picture(page, "kit")
    page.close()


def show_landing(browser: Browser, url: str) -> None:
    """Take the picture that other sites show beside a link to the landing page."""
    width, height = SOCIAL_SIZE
    page = browser.new_page(base_url=url, color_scheme="dark", viewport={"width": width, "height": height})
    page.goto("/")
    settle(page)
    page.screenshot(path=IMAGES / "social-card.png")
    page.close()


def take_picture(page: Page, name: str) -> None:
    """Write what the window shows: as PNG for the README, and as WebP for the landing page."""
    settle(page)
    page.screenshot(path=DOCS / f"{name}.png")
    connection = page.context.new_cdp_session(page)
    taken = connection.send("Page.captureScreenshot", {"format": "webp", "quality": 80})
    (IMAGES / f"{name}.webp").write_bytes(base64.b64decode(taken["data"]))


def settle(page: Page) -> None:
    """Wait until fonts and waveforms are drawn."""
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready.then(() => true)")
    page.mouse.move(0, 0)


if __name__ == "__main__":
    sys.exit(main())
