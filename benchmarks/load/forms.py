"""Forms with files as a browser sends them, and small sounds to send. Needs only the standard library."""

from __future__ import annotations

import io
import random
import wave
from array import array
from uuid import uuid4

from benchmarks.load.activities import FILE_RATE, FILE_S

_rng = random.Random(404)
_NOISE = array("h", (_rng.randint(-20_000, 20_000) for _ in range(2 * FILE_RATE)))


def make_wav() -> bytes:
    """Return a decaying burst of noise as a mono WAV that no other call returns."""
    count = round(random.uniform(*FILE_S) * FILE_RATE)
    place = random.randrange(FILE_RATE)
    noise = (_NOISE[place:] + _NOISE[:place])[:count]
    block = max(count // 32, 1)
    for start in range(0, len(noise), block):
        share = (1 - start / len(noise)) ** 2
        noise[start : start + block] = array(
            "h", (int(each * share) for each in noise[start : start + block])
        )
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(FILE_RATE)
        out.writeframes(noise.tobytes())
    return file.getvalue()


def encode_form(fields: dict[str, str], file: tuple[str, str, bytes] | None = None) -> tuple[bytes, str]:
    """Return a multipart body and its content type; `file` is the field, the file's name and its content."""
    mark = uuid4().hex
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    if file is not None:
        field, name, content = file
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        parts += [f"{head}Content-Type: audio/wav\r\n\r\n".encode(), content, b"\r\n"]
    return b"".join([*parts, f"--{mark}--\r\n".encode()]), f"multipart/form-data; boundary={mark}"
