"""Make a card by HTTP, and let the browser write it to a folder that stands for a memory card."""

from __future__ import annotations

import io
import re
import time
import zipfile
from base64 import b64decode

from playwright.sync_api import Page, expect

from tests.live import JOB_S, Producer

WAIT_MS = JOB_S * 1000
# The folder of the origin takes the place of a memory card: its handles are real ones.
AS_CARD = "window.showDirectoryPicker = () => navigator.storage.getDirectory();"
READ_CARD = """async () => {
  const found = {};
  const read = async (folder, path) => {
    for await (const [name, handle] of folder.entries()) {
      if (handle.kind === "directory") { await read(handle, `${path}${name}/`); continue; }
      const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
      found[path + name] = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    }
  };
  await read(await navigator.storage.getDirectory(), "");
  return found;
}"""
PUT_FILE = """async ([path, text]) => {
  let folder = await navigator.storage.getDirectory();
  const parts = path.split("/");
  const name = parts.pop();
  for (const part of parts) folder = await folder.getDirectoryHandle(part, { create: true });
  const out = await (await folder.getFileHandle(name, { create: true })).createWritable();
  await out.write(text);
  await out.close();
}"""
EMPTY_CARD = """async () => {
  const root = await navigator.storage.getDirectory();
  for await (const name of root.keys()) await root.removeEntry(name, { recursive: true });
}"""
CHOOSE_INSIDE = """(name) => {
  window.showDirectoryPicker = async () =>
    (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
}"""
MAKE_FOLDER = (
    "async (name) => { (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true }); }"
)

# Make the writing of one file fail in a way that no test can bring about by itself.
FAIL_AT = """([path, kind]) => {
  const real = window.realOpen ??= FileSystemFileHandle.prototype.createWritable;
  FileSystemFileHandle.prototype.createWritable = async function open() {
    if (this.name !== path) return real.call(this);
    if (kind.endsWith("Error")) throw new DOMException("", kind);
    const out = await real.call(this);
    // Streams end a write that has begun before they are cancelled.
    const cancel = document.querySelector('[data-card="cancel"]');
    const untilCancelled = () => new Promise((resolve) => {
      cancel.addEventListener("click", resolve, { once: true });
    });
    if (kind === "stuck") return new WritableStream({ write: untilCancelled, abort: () => out.abort() });
    return new WritableStream({ write: () => out.write("damage"), close: () => out.close() });
  };
}"""


def make_card(library: Producer) -> tuple[str, dict[str, bytes]]:
    """Make a card without a browser; return the address of its page, and the files of its ZIP."""
    ids = re.findall(r'id="sample-(\w{26})"', library.http.get("/samples").text)
    kit = library.post("/kits/placements", kit="", sample=ids[:2]).url.path
    library.post(f"{kit}/exports", target=["mk2", "import"])
    until = time.monotonic() + JOB_S
    while "Download ZIP" not in (page := library.http.get(f"{kit}/card").text):
        assert time.monotonic() < until, page
        time.sleep(0.3)
    found = re.search(r'href="(/exports/\w{26})"', page)
    assert found is not None
    with zipfile.ZipFile(io.BytesIO(library.http.get(found[1]).content)) as archive:
        return f"{kit}/card", {name: archive.read(name) for name in archive.namelist()}


def read_card(page: Page) -> dict[str, bytes]:
    return {path: b64decode(data) for path, data in page.evaluate(READ_CARD).items()}


def write_card(page: Page, words: str) -> None:
    page.get_by_role("button", name="Write to a folder").click()
    expect(page.locator('[data-card="state"]')).to_contain_text(words, timeout=WAIT_MS)


def zipped(files: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", packing) as archive:
        archive.mkdir("A")
        for path, data in files.items():
            with archive.open(path, "w", force_zip64=True) as out:
                out.write(data)
    return made.getvalue()
