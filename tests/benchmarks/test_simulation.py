"""The simulation of the load agrees with formulas where the answer is known."""

from __future__ import annotations

from math import factorial

import pytest

from benchmarks.load.simulation import Request, Site, simulate

PAGE = Request("page", 1.0, web_s=0.1)
UPLOAD = Request("upload", 1.0, web_s=0.0, makes_job=True)
EXPONENTIAL = 1.0


def throughput_of_repairs(producers: int, think_s: float, service_s: float) -> float:
    """Return the requests a second of producers who share one exponential server (M/M/1//N)."""
    ratio = service_s / think_s
    terms = [factorial(producers) / factorial(producers - n) * ratio**n for n in range(producers + 1)]
    return (1 - terms[0] / sum(terms)) / service_s


def erlang_c_wait_s(arrivals_per_s: float, service_s: float, servers: int) -> float:
    """Return the mean wait of M/M/c."""
    load = arrivals_per_s * service_s
    last = load**servers / factorial(servers) * servers / (servers - load)
    busy = last / (sum(load**n / factorial(n) for n in range(servers)) + last)
    return busy * service_s / (servers - load)


@pytest.mark.parametrize("producers", [5, 20])
def test_producers_at_one_web_process_are_as_the_formula_says(producers: int) -> None:
    """Half idle with 5, saturated with 20. The response follows from Little's law: N / X - Z."""
    site = Site(producers, 1.0, 1, 1, web_cores=1, shape=EXPONENTIAL, slice_s=0.02)
    found = simulate(site, [PAGE], seconds=400)
    expected = throughput_of_repairs(producers, 1.0, 0.1)
    assert found.per_s == pytest.approx(expected, rel=0.04)
    assert found.mean_s == pytest.approx(producers / expected - 1.0, rel=0.1)
    assert found.busy_s["web"] / 400 == pytest.approx(expected * 0.1, rel=0.05)


def test_jobs_wait_for_a_slot_as_erlang_says() -> None:
    """240 people who each upload every 100 s are 2.4 arrivals a second, for 4 slots of 1 s."""
    site = Site(
        240, 100.0, 1, 4, 1, database_cores=1, worker_cores=64, job_s=1.0, shape=EXPONENTIAL, slice_s=9.0
    )
    found = simulate(site, [UPLOAD], seconds=4000, warm_s=200)
    assert found.jobs_done / 4000 == pytest.approx(2.4, rel=0.04)
    assert found.job_wait_s == pytest.approx(erlang_c_wait_s(2.4, 1.0, 4), rel=0.15)


def test_two_processes_on_one_core_are_no_faster_than_one() -> None:
    """The lock of a process and the cores of the machine both bound the throughput."""
    rates = []
    for web, cores in ((1, 2), (2, 1), (2, 2)):
        site = Site(60, 1.0, web, 1, web_cores=cores, slice_s=0.02)
        rates.append(simulate(site, [PAGE], seconds=100).per_s)
    assert rates[0] == pytest.approx(10, rel=0.05)
    assert rates[1] == pytest.approx(10, rel=0.05)
    assert rates[2] == pytest.approx(20, rel=0.05)
