"""Figures of a run become the costs of the simulation, and the simulation gives the figures back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.formparser import parse_form_data
from werkzeug.test import EnvironBuilder

from benchmarks.load.activities import REQUEST_THINK_S
from benchmarks.load.forecast import POLL, calibrate, check_table, with_fewer
from benchmarks.load.forms import encode_form, make_wav
from benchmarks.load.points import BARE_PING, OTHERS, PING, Point, Processes, load_points, save_points

SECONDS = 100.0


def answers(count: int, time_ms: float) -> dict[str, float]:
    return {"count": count, "failures": 0, "mean_ms": time_ms, "median_ms": time_ms, "p95_ms": 2 * time_ms}


@pytest.fixture
def point() -> Point:
    """20 producers, 30 requests a second: polls that take 10 ms each, and uploads that take 40."""
    asked = {POLL: answers(2000, 10), "upload: job": answers(1000, 40)}
    pings = {PING: answers(400, 2), BARE_PING: answers(400, 1)}
    return Point(
        backend="services", producers=20, processes=Processes(1, 1), seconds=SECONDS, requests=asked | pings,
        errors=[], cores={"web": 0.6, "worker": 0.5, "database": 0.3, "redis": 0.03, OTHERS: 0.0},
        memory_mb={}, jobs={"upload completed": 1000, "upload failed": 3}, connections=9,
    )  # fmt: skip


def test_costs_add_up_to_the_processor_time_that_was_used(point: Point) -> None:
    costs = calibrate(point, None)
    per_request_s = sum(each.share * each.web_s for each in costs.requests)
    assert per_request_s * 3000 / SECONDS == pytest.approx(0.6)
    poll, upload = costs.requests
    assert (poll.share, upload.share) == pytest.approx((2 / 3, 1 / 3))
    assert upload.web_s == pytest.approx(4 * poll.web_s)  # by their times
    assert (poll.makes_job, upload.makes_job) == (False, True)
    assert costs.job_s == pytest.approx(0.05)
    assert costs.think_s == pytest.approx(REQUEST_THINK_S)


def test_uploads_alone_tell_what_a_job_costs_the_database(point: Point) -> None:
    uploads = replace(point, only="upload_folder", cores=point.cores | {"web": 0.2, "database": 0.3})
    costs = calibrate(point, uploads)
    assert costs.job_database_s == pytest.approx((0.3 - 0.5 * 0.2) * SECONDS / 1000)


def test_the_simulation_gives_the_throughput_of_an_unloaded_point_back(point: Point) -> None:
    point = replace(point, cores={part: used / 4 for part, used in point.cores.items()})
    costs = replace(calibrate(point, None), think_s=20 / 30 - 0.02)
    (row,) = check_table(costs, replace(point), [point], seconds=400).rows
    assert row[6] == pytest.approx(30, rel=0.05)


def test_fewer_polls_leave_the_other_requests_as_often_as_they_were(point: Point) -> None:
    costs = calibrate(point, None)
    fewer = with_fewer(costs, POLL, 4)
    rates = [[each.share / some.think_s for each in some.requests] for some in (costs, fewer)]
    total = [sum(each.share for each in some.requests) for some in (costs, fewer)]
    polls, uploads = (
        [rate[place] / whole for rate, whole in zip(rates, total, strict=True)] for place in (0, 1)
    )
    assert polls[1] == pytest.approx(polls[0] / 4)
    assert uploads[1] == pytest.approx(uploads[0])


def test_a_newer_measurement_takes_the_place_of_the_older_one(tmp_path: Path, point: Point) -> None:
    file = tmp_path / "points.json"
    save_points(file, [point, replace(point, producers=60)])
    save_points(file, [replace(point, connections=12)])
    assert [(each.producers, each.connections) for each in load_points([file])] == [(20, 12), (60, 9)]


def test_a_form_is_read_as_it_was_written_and_no_sound_comes_twice() -> None:
    sound = make_wav()
    body, kind = encode_form({"folder": "Größe"}, ("audio", "kick.wav", sound))
    builder = EnvironBuilder(method="POST", data=body, content_type=kind)
    _, form, files = parse_form_data(builder.get_environ())
    assert form["folder"] == "Größe"
    assert files["audio"].filename == "kick.wav"
    assert files["audio"].read() == sound
    assert make_wav() != sound
