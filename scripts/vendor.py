"""Copy the front-end files that pages load from node_modules to static/vendor, with their licences."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES, VENDOR = ROOT / "node_modules", ROOT / "static" / "vendor"

MONO = "@fontsource-variable/jetbrains-mono"
FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "idiomorph-ext.min.js": "idiomorph/dist/idiomorph-ext.min.js",
    "inter.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "jetbrains-mono.woff2": f"{MONO}/files/jetbrains-mono-latin-wght-normal.woff2",
}
ICONS = (
    "arrow-down-tray",
    "arrow-path",
    "arrow-right-end-on-rectangle",
    "arrow-up-tray",
    "backward",
    "cog-6-tooth",
    "credit-card",
    "ellipsis-horizontal",
    "exclamation-triangle",
    "forward",
    "heart",
    "lock-closed",
    "musical-note",
    "pause",
    "play",
    "queue-list",
    "speaker-wave",
    "square-3-stack-3d",
    "squares-2x2",
    "user-plus",
)


def main() -> None:
    """Fill static/vendor from scratch."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    packages = set()
    for name, source in FILES.items():
        shutil.copyfile(MODULES / source, VENDOR / name)
        parts = source.split("/")
        packages.add("/".join(parts[:2]) if source.startswith("@") else parts[0])
    (VENDOR / "icons.svg").write_text(sprite())
    for package in sorted(packages | {"heroicons"}):
        copy_licence(package)


def sprite() -> str:
    """Return all icons as symbols of one SVG file; our own style sheet sets their colours and strokes."""
    symbols = [symbol(name, f"24/outline/{name}.svg") for name in ICONS]
    symbols.append(symbol("heart-solid", "24/outline/heart.svg"))
    return '<svg xmlns="http://www.w3.org/2000/svg">' + "".join(symbols) + "</svg>\n"


def symbol(name: str, source: str) -> str:
    """Return one icon as a symbol, without colours and strokes of its own."""
    text = (MODULES / "heroicons" / source).read_text()
    inner = "".join(re.findall(r"<path[^>]*/>", text))
    inner = re.sub(r'\s(?:stroke|fill|stroke-width)="[^"]*"', "", inner)
    return f'<symbol id="{name}" viewBox="0 0 24 24">{inner}</symbol>'


def copy_licence(package: str) -> None:
    """Copy the licence of a package next to its files."""
    for licence in (MODULES / package).glob("LICENSE*"):
        target = VENDOR / "licences" / f"{package.replace('/', '-').lstrip('@')}.txt"
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(licence, target)


if __name__ == "__main__":
    main()
