"""A seeded sample of `python -m benchmarks.fuzz`: each damaged file gives audio or a refusal, a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.audio.decoding.decoder import decode_file
from app.audio.errors import UnreadableAudio
from benchmarks.mutations import ACCEPTED, REFUSED, Lures, Mutations
from tests.audio.signals import noise, write

FILES, SEED = 100, 404


def test_a_sample_of_damaged_files_is_read_or_refused(tmp_path: Path) -> None:
    canary = write(tmp_path / "canary.wav", noise(0.5))
    mutations = Mutations(tmp_path, Lures("http://127.0.0.1:9/canary.wav", ("canary.wav", str(canary))), SEED)
    work, kinds = tmp_path / "work", set()
    work.mkdir()
    for number in range(FILES):
        mutant = mutations.make(number)
        kinds.add(mutant.kind)
        (work / "source").write_bytes(mutant.data)
        try:
            found = decode_file(work / "source", work)
            verdict, sentences = ACCEPTED, list(found.warnings)
            assert np.isfinite(found.samples[:]).all()
        except UnreadableAudio as error:
            verdict, sentences = REFUSED, [error.message]
        assert mutant.verdict in (None, verdict), (number, mutant.kind, sentences)
        assert all(sentence.endswith(".") and sentence.isprintable() for sentence in sentences)
        assert {path.name for path in work.iterdir()} <= {"source", "decoded.f32"}
    assert len(kinds) > 10
