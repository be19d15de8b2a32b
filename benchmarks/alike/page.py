"""A page to look at and listen to: queries with their nearest sounds, as spectrograms and audio elements."""

from __future__ import annotations

import base64
import html
import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr

from app.audio.listening.front_end import compute_front_end
from app.audio.similarity.distances import distances
from benchmarks.alike.kits import KitHit

QUERIES, NEAREST = 30, 10
_SHOWN_FRAMES, _PICTURE = 60, (60, 40)
_HEARD_S, _HEARD_HZ = 1.5, 22_050
_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 1rem; background: #16161a; color: #ddd }
section { margin-bottom: 1.5rem } .row { display: flex; gap: 8px; overflow-x: auto }
figure { margin: 0; width: 124px; flex: none } img { width: 120px; height: 80px; image-rendering: pixelated }
figure.query img { outline: 3px solid #e8b04b } figure.other img { outline: 3px solid #c0483f }
figcaption { font-size: 11px; overflow-wrap: anywhere } audio { width: 120px; height: 26px }
"""


def write_page(hits: Sequence[KitHit], vectors: np.ndarray, path: Path) -> None:
    """Write the page: a query of each class in turn, from all kits, and its nearest of other kits."""
    sections = "\n".join(_section(hits, vectors, query) for query in draw_queries(hits))
    path.write_text(
        "<!doctype html>\n<html lang=en><meta charset=utf-8><title>Like hits</title>"
        f"<style>{_STYLE}</style>\n<h1>Queries and their nearest of other kits</h1>\n"
        "<p>Orange: the query. Red: of another class by name. The number is the distance.</p>\n"
        f"{sections}\n</html>\n"
    )


def draw_queries(hits: Sequence[KitHit]) -> list[int]:
    """Return the indexes of `QUERIES` hits, drawn from every class in turn."""
    rng = np.random.default_rng(30)
    by_class = {
        label: [i for i, h in enumerate(hits) if h.label == label] for label in {h.label for h in hits}
    }
    drawn = {label: list(rng.permutation(found)) for label, found in sorted(by_class.items())}
    rounds = (found[k] for k in range(QUERIES) for found in drawn.values() if k < len(found))
    return [int(i) for i, _ in zip(rounds, range(QUERIES), strict=False)]


def nearest_of_others(hits: Sequence[KitHit], vectors: np.ndarray, query: int) -> list[tuple[int, float]]:
    """Return the nearest hits of other kits, each recording once, with their distances."""
    away = distances(vectors[query], vectors)
    seen, found = {hits[query].digest}, []
    for i in np.argsort(away, kind="stable"):
        if hits[i].kit != hits[query].kit and hits[i].digest not in seen:
            seen.add(hits[i].digest)
            found.append((int(i), float(away[i])))
    return found[:NEAREST]


def _section(hits: Sequence[KitHit], vectors: np.ndarray, query: int) -> str:
    near = nearest_of_others(hits, vectors, query)
    right = sum(hits[i].label == hits[query].label for i, _ in near)
    figures = "".join(_figures(hits, query, near))
    title = html.escape(f"{hits[query].label}: {hits[query].instrument}, {right} of {len(near)}")
    return f"<section><h2>{title}</h2><div class=row>{figures}</div></section>"


def _figures(hits: Sequence[KitHit], query: int, near: list[tuple[int, float]]) -> Iterator[str]:
    yield _figure(hits[query], "query", "")
    for i, away in near:
        marked = "same" if hits[i].label == hits[query].label else "other"
        yield _figure(hits[i], marked, f"{away:.2f} ")


def _figure(hit: KitHit, marked: str, before: str) -> str:
    y, rate = soundfile.read(hit.path, dtype="float32", always_2d=True)
    heard = soxr.resample(y.mean(axis=1), rate, _HEARD_HZ)[: int(_HEARD_S * _HEARD_HZ)]
    wav = io.BytesIO()
    soundfile.write(wav, heard / (np.abs(heard).max() + 1e-9) * 0.8, _HEARD_HZ, format="OGG")
    caption = html.escape(f"{before}{hit.label} · {hit.instrument}")
    return (
        f"<figure class={marked}>"
        f'<img alt="" src="data:image/png;base64,{_text(_spectrogram_png(y, rate))}">'
        f'<audio controls preload=none src="data:audio/ogg;base64,{_text(wav.getvalue())}"></audio>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _spectrogram_png(y: np.ndarray, rate: int) -> bytes:
    """Return the first 0.6 s of the mel spectrum from the start of the sound as a PNG, low bands below."""
    frames = compute_front_end(y, rate)
    first = int(frames.start_s * 100)
    mel = frames.mel[:, first : first + _SHOWN_FRAMES]
    shown = np.zeros(_PICTURE[::-1])
    shown[:, : mel.shape[1]] = np.sqrt(mel / (mel.max() + 1e-9))
    return _grey_png((255 * shown[::-1]).astype(np.uint8))


def _grey_png(pixels: np.ndarray) -> bytes:
    """Return an 8-bit grey PNG."""
    height, width = pixels.shape
    lines = b"".join(b"\x00" + row.tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
