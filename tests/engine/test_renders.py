"""A sound is shaped by a child of the worker or by the engine's own process, with the same bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import soundfile

from app.audio.errors import UnreadableAudio
from app.engine import local_engine, remote_engine
from app.engine.contract import RENDERED_NAME, CutOrder, RenderOrder, RenderReport
from app.sandbox.errors import EngineCancelled, EngineTimeout
from app.sandbox.runner import Sandbox
from tests.engine.fake_store import FakeStore
from tests.live import ENGINE_SECRET, EngineProcess
from tests.support import drum_loop

RECIPE: dict[str, Any] = {
    "bpm": 100.0, "from_bpm": 93.0, "beats": 8, "level": -1.0, "fade_out_ms": 5.0
}  # fmt: skip


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = local_engine.new_sandbox()
    yield sandbox
    sandbox.close()


def render_here(sandbox: Sandbox, folder: Path, wanted: bool = True, **order: Any) -> RenderReport:
    (folder / "source").write_bytes(drum_loop(93))
    order = {"recipe": RECIPE} | order
    return local_engine.render_locally(sandbox, folder / "source", RenderOrder(**order), lambda: wanted)


def test_both_ways_give_the_same_bytes(
    sandbox: Sandbox, engine_process: EngineProcess, store: FakeStore, tmp_path: Path
) -> None:
    here = render_here(sandbox, tmp_path)
    assert here.done[:2] == ("93 → 100 BPM", "7.5 % faster")
    assert (here.frames, here.channels, here.bpm) == (round(8 * 60 * 48_000 / 100), 1, 100.0)
    made = (tmp_path / RENDERED_NAME).read_bytes()
    assert soundfile.info(tmp_path / RENDERED_NAME).frames == here.frames
    there = tmp_path / "there"
    there.mkdir()
    engine = remote_engine.RemoteEngine(engine_process.url, ENGINE_SECRET)
    link = store.keep("loop.wav", drum_loop(93))
    answer = remote_engine.render_remotely(engine, link, there, RenderOrder(recipe=RECIPE), lambda: True)
    assert answer == here
    assert (there / RENDERED_NAME).read_bytes() == made


def test_slices_are_one_zip_from_one_decoding_on_both_ways(
    sandbox: Sandbox, engine_process: EngineProcess, store: FakeStore, tmp_path: Path
) -> None:
    loop = drum_loop(93)
    (tmp_path / "source").write_bytes(loop)
    order = CutOrder(slices={"version": 1, "cuts": [0, 20_000], "names": ["01 Amen.wav", "02 Amen.wav"]})
    here = local_engine.render_locally(sandbox, tmp_path / "source", order, lambda: True)
    zipped = (tmp_path / RENDERED_NAME).read_bytes()
    with zipfile.ZipFile(io.BytesIO(zipped)) as made:
        assert made.namelist() == ["01 Amen.wav", "02 Amen.wav"]
        slices = [made.read(name) for name in made.namelist()]
    assert here.done == ("cut into 2 slices",)
    assert here.frames == sum(soundfile.info(io.BytesIO(each)).frames for each in slices)
    # A slice in the ZIP is what its recipe alone gives: cut, 1 ms fade in, 2.5 ms fade out.
    alone = {"start": 20_000, "end": soundfile.info(io.BytesIO(loop)).frames}
    render_here(sandbox, tmp_path, recipe=alone | {"fade_in_ms": 1.0, "fade_out_ms": 2.5})
    assert (tmp_path / RENDERED_NAME).read_bytes() == slices[1]
    there = tmp_path / "there"
    there.mkdir()
    engine = remote_engine.RemoteEngine(engine_process.url, ENGINE_SECRET)
    link = store.keep("loop.wav", loop)
    assert remote_engine.render_remotely(engine, link, there, order, lambda: True) == here
    assert (there / RENDERED_NAME).read_bytes() == zipped
    late = CutOrder(slices={"version": 1, "cuts": [0, 10**9], "names": ["a.wav", "b.wav"]})
    with pytest.raises(UnreadableAudio, match="Nothing is left"):
        local_engine.render_locally(sandbox, tmp_path / "source", late, lambda: True)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({"speed": 9.0}, "less than or equal to 4"),
        ({"pitch": 1}, "no field “pitch”"),
        ({"start": 10_000_000}, "Nothing is left"),
        ({"bpm": 90.0}, "No tempo is known"),
    ],
)
def test_a_recipe_that_does_not_suit_is_refused_for_good(
    sandbox: Sandbox, tmp_path: Path, recipe: dict[str, Any], words: str
) -> None:
    with pytest.raises(UnreadableAudio, match=words):
        render_here(sandbox, tmp_path, recipe=recipe)


def test_a_refusal_comes_over_http_as_well(
    engine_process: EngineProcess, store: FakeStore, tmp_path: Path
) -> None:
    engine = remote_engine.RemoteEngine(engine_process.url, ENGINE_SECRET)
    order = RenderOrder(recipe={"speed": 9.0})
    with pytest.raises(UnreadableAudio, match="less than or equal to 4"):
        remote_engine.render_remotely(
            engine, store.keep("loop.wav", drum_loop(93)), tmp_path, order, lambda: True
        )


def test_the_secret_is_needed(engine_process: EngineProcess, store: FakeStore) -> None:
    body = {"url": store.keep("loop.wav", drum_loop(93)), "options": {"recipe": RECIPE}}
    assert httpx.post(f"{engine_process.url}/api/render", json=body).status_code == 401


def test_a_render_can_be_cancelled_and_has_a_limit(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_engine, "CANCEL_CHECK_S", 0)
    with pytest.raises(EngineCancelled):
        render_here(sandbox, tmp_path, wanted=False)
    monkeypatch.undo()
    with pytest.raises(EngineTimeout):
        render_here(sandbox, tmp_path, limit_s=0.001)
