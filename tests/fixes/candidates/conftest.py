"""Logs written down as journeys, and what is counted in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from journeymine.counting.contacts import count_follow_ups
from journeymine.counting.drops import count_drops
from journeymine.counting.memory import count_with_memory
from journeymine.counting.switches import count_switches
from journeymine.counts.memory import Memory
from journeymine.fixes.candidates import Evidence
from journeymine.reading import read_log

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from journeymine.log import EventLog

    Journey = Sequence[tuple[str, str, float]]

HOUR_US = 3_600_000_000
START_US = 1_767_225_600_000_000
"""2026-01-01, UTC."""


def make_log(
    journeys: Sequence[Journey],
    begin: Sequence[float],
    segments: Mapping[str, Sequence[str]],
    *,
    order: Any = None,
) -> EventLog:
    """Journeys of (activity, channel, hours after the journey began); `begin` in days after 2026-01-01."""
    rows: dict[str, list[Any]] = {name: [] for name in ("case", "what", "where", "at", *segments)}
    for case, journey in enumerate(journeys):
        for activity, channel, hours in journey:
            rows["case"].append(f"c{case:06}")
            rows["what"].append(activity)
            rows["where"].append(channel)
            rows["at"].append(START_US + int((begin[case] * 24 + hours) * HOUR_US))
            for name, of_case in segments.items():
                rows[name].append(of_case[case])
    table = pa.table(rows)
    if order is not None:
        table = table.take(order.permutation(len(table)))
    log = read_log(
        table, case_id="case", activity="what", timestamp="at", time_unit="us", channel="where", threads=1
    )
    return log.journeys("Buy", idle="10d", segments=list(segments))


def evidence_of(log: EventLog) -> Evidence:
    """Everything candidates are found in."""
    assert log.found is not None
    counts, visits = log.count_chain(), log._visits
    channel = log.roles.channel
    return Evidence(
        counts=counts,
        drops=count_drops(log.engine, log.canonical, visits, counts),
        segments=log.found.segments,
        activities=log.activities,
        attempts=count_with_memory(log.engine, log.canonical, log.found, visits, counts, Memory(attempts=3)),
        switches=None
        if channel is None
        else count_switches(log.engine, log.canonical, visits, counts, log.raw.table, channel),
        follow_ups=count_follow_ups(log.engine, log.canonical, log.found, visits, counts),
    )


@pytest.fixture(scope="session")
def log_of() -> Callable[..., EventLog]:
    """The factory `make_log`."""
    return make_log


@pytest.fixture(scope="session")
def evidence() -> Callable[..., Evidence]:
    """The function `evidence_of`."""
    return evidence_of


STORE_SHARE, HELP_SHARE, DECLINED = 0.4, 0.4, 0.35


def service_journey(rng: np.random.Generator, mobile: bool, day: float) -> list[tuple[str, str, float]]:
    """A journey with planted faults.

    After a call 50 % leave who come from the web and 15 % who come from the store. After the first decline 15 % leave,
    after later ones 55 %. Who reads the guide before choosing leaves the payment in 5 % of cases and else in 40 %. From
    day 30 to 42 mobile customers leave the form in 60 % of cases and else, like all others, in 15 %.
    """
    hours = 0.0
    way: list[tuple[str, str, float]] = []

    def step(name: str, channel: str, leave: float) -> bool:
        nonlocal hours
        hours += float(rng.exponential(2.0))
        way.append((name, channel, hours))
        return bool(rng.random() < leave)

    from_store = rng.random() < STORE_SHARE
    if step("Shop visit", "store", 0.05) if from_store else step("Web visit", "web", 0.05):
        return way
    if rng.random() < 0.5 and step("Call", "phone", 0.15 if from_store else 0.50):
        return way
    broken = mobile and 30 <= day + hours / 24 < 42
    if step("Form", "web", 0.60 if broken else 0.15):
        return way
    helped = rng.random() < HELP_SHARE
    if helped and step("Guide", "web", 0.02):
        return way
    if step("Choice", "web", 0.05):
        return way
    attempt = 1
    while True:
        if step("Pay", "web", 0.05 if helped else 0.40):
            return way
        if rng.random() >= DECLINED:
            step("Buy", "web", 0.0)
            return way
        if step("Declined", "web", 0.15 if attempt == 1 else 0.55):
            return way
        attempt += 1


def service_journeys(n: int, *, seed: int) -> tuple[list[Journey], list[float], dict[str, list[str]]]:
    """Journeys, the days they begin on, and their segments."""
    rng = np.random.default_rng(seed)
    device = np.where(rng.random(n) < 0.5, "mobile", "desktop")
    begin = np.sort(rng.uniform(0, 90, n))
    journeys: list[Journey] = [service_journey(rng, device[i] == "mobile", begin[i]) for i in range(n)]
    return (
        journeys,
        begin.tolist(),
        {"device": device.tolist(), "country": rng.choice(["FR", "DE"], n).tolist()},
    )


@pytest.fixture(scope="session")
def make_journeys() -> Callable[..., Any]:
    """The function `service_journeys`."""
    return service_journeys


@pytest.fixture(scope="session")
def service_log() -> EventLog:
    """Journeys of 5,000 customers with the faults of `service_journey`, over 90 days."""
    journeys, begin, segments = service_journeys(5000, seed=5)
    return make_log(journeys, begin, segments)


@pytest.fixture(scope="session")
def service_evidence(service_log: EventLog) -> Evidence:
    """What is counted in `service_log`."""
    return evidence_of(service_log)
