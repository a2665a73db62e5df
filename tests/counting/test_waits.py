"""Waits and trials counted by the engine, against a plain-Python walk over the events."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pandas as pd
import pytest

import journeymine as jm
from journeymine.counting.waits import count_wait_trials, count_waits
from journeymine.counts.waits import BINS_PER_OCTAVE, LEFT, PASSED, SILENT, TrialCounts, WaitCounts
from journeymine.errors import NotEnoughDataError

HOUR = 3_600_000_000
BEGIN = pd.Timestamp("2026-03-01", tz="UTC")
ROLES = {"case_id": "case", "customer_id": "customer", "activity": "activity", "timestamp": "time"}
NAMES = ("A", 'B "quoted"', "<b>C</b>\n", "NA", "Quit", "🎯 Goal")
IDLE_HOURS = 50


def random_frame(seed: int, n: int = 80) -> pd.DataFrame:
    """Cases of customers with ties, long waits, every kind of end, and two segments."""
    rng = np.random.default_rng(seed)
    rows = []
    for case in range(n):
        hour = float(rng.integers(0, 400))
        for _ in range(int(rng.integers(1, 9))):
            name = NAMES[int(rng.choice(6, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.1]))]
            place = "north" if case % 3 else "south"
            rows.append(
                (f"case {case}", f"customer {case % 17:02}", name, BEGIN + pd.Timedelta(hours=hour), place)
            )
            hour += float(rng.choice([0.0, 0.25, 3.0, 20.0, 49.0, 70.0, 120.0]))
    frame = pd.DataFrame(rows, columns=[*ROLES.values(), "place"])
    frame["order"] = range(len(frame))
    return frame


def read(frame: pd.DataFrame, *, end: bool, seed: int = 0) -> jm.EventLog:
    log = jm.read_log(frame.sample(frac=1, random_state=seed), order="order", **ROLES, threads=1)
    return log.journeys(NAMES[5], end="Quit" if end else None, idle=f"{IDLE_HOURS}h", segments=["place"])


def counted(log: jm.EventLog, **options: Any) -> WaitCounts:
    assert log.found is not None
    return count_waits(log.engine, log.canonical, log.found, log._visits, **options)


def walk(frame: pd.DataFrame, *, end: bool) -> list[dict[str, Any]]:
    """Watched visits before the goal, one by one, with what ended their wait."""
    us = (frame["time"] - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(microseconds=1)
    last, idle = int(us.max()), IDLE_HOURS * HOUR
    found = []
    for _, events in frame.assign(us=us).sort_values(["us", "order"]).groupby("case"):
        path = [(str(a), int(t)) for a, t in zip(events["activity"], events["us"], strict=True)]
        who = {"customer": str(events["customer"].iloc[0]), "place": str(events["place"].iloc[0])}
        goal = next((i for i, (a, _) in enumerate(path) if a == NAMES[5]), None)
        ended = end and goal is None and path[-1][0] == "Quit"
        visits = path[: len(path) - (ended and len(path) > 1)] if goal is None else path[:goal]
        state = (
            "converted" if goal is not None else "dropped" if ended or last - path[-1][1] >= idle else "open"
        )
        attempts: Counter[str] = Counter()
        for i, (name, time) in enumerate(visits):
            attempts[name] += 1
            if last - time < idle:
                continue
            if i + 1 < len(visits) or goal is not None:
                kind, wait = PASSED, path[i + 1][1] - time
            elif ended:
                kind, wait = LEFT, path[-1][1] - time
            else:
                kind, wait = SILENT, None
            found.append(
                {
                    **who,
                    "name": name,
                    "kind": kind,
                    "wait": wait,
                    "attempt": attempts[name],
                    "before": i,
                    "state": state,
                }
            )
    return found


def bin_of(wait: int | None) -> int | None:
    return None if wait is None else math.floor(BINS_PER_OCTAVE * math.log2(wait + 1))


def by_names(log: jm.EventLog, waits: WaitCounts, frame: pd.DataFrame) -> Counter[tuple[Any, ...]]:
    """Entries by names; a bin by that of its mean."""
    assert log.found is not None
    customers = sorted(set(frame["customer"]))
    found: Counter[tuple[Any, ...]] = Counter()
    for u, c, a, k, b, n in zip(
        waits.unit, waits.cell, waits.activity, waits.kind, waits.bin, waits.n, strict=True
    ):
        if b >= 0:
            assert waits.bin_activity[b] == a
        place = log.found.cells[c][0]
        wait = None if b < 0 else bin_of(round(float(waits.mean_us[b])))
        found[customers[u], place, log.activities[a], int(k), wait] += int(n)
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("end", [False, True])
def test_waits_counted_by_hand(seed: int, *, end: bool) -> None:
    frame = random_frame(seed)
    log = read(frame, end=end, seed=seed)
    waits, visits = counted(log), walk(frame, end=end)
    expected = Counter((v["customer"], v["place"], v["name"], v["kind"], bin_of(v["wait"])) for v in visits)
    assert by_names(log, waits, frame) == expected
    assert {kind for *_, kind, _ in expected} == ({PASSED, LEFT, SILENT} if end else {PASSED, SILENT})
    times = defaultdict(list)
    for v in visits:
        if v["wait"] is not None:
            times[v["name"], bin_of(v["wait"])].append(v["wait"])
    table = zip(waits.bin_activity, waits.mean_us, waits.low_us, waits.high_us, strict=True)
    bins = {
        (log.activities[a], bin_of(round(float(m)))): (float(m), int(lo), int(hi)) for a, m, lo, hi in table
    }
    assert bins == {key: (statistics.fmean(w), min(w), max(w)) for key, w in times.items()}
    assert waits.n_units == 17


def test_order_of_rows_does_not_matter() -> None:
    frame = random_frame(7)
    first, second = (counted(read(frame, end=True, seed=seed)) for seed in (0, 1))
    for name in (
        "unit",
        "cell",
        "activity",
        "kind",
        "bin",
        "n",
        "bin_activity",
        "mean_us",
        "low_us",
        "high_us",
    ):
        assert np.array_equal(getattr(first, name), getattr(second, name))


def test_some_activities_and_everybody_together() -> None:
    frame = random_frame(9)
    log = read(frame, end=True)
    whole, pooled = counted(log), counted(log, pooled=True)
    one = counted(log, activities=[1])
    for name in ("unit", "cell", "kind", "bin", "n", "mean_us", "low_us", "high_us"):
        assert np.array_equal(getattr(one.of(1), name), getattr(whole.of(1), name))
    assert one.activities.tolist() == [1]
    assert (pooled.n_units, pooled.unit.max(), pooled.cell.max()) == (1, 0, 0)
    for code in whole.activities.tolist():
        assert np.array_equal(pooled.of(code).passed, whole.of(code).passed)
        assert pooled.of(code).share_silent == whole.of(code).share_silent
    assert len(counted(log, activities=[]).n) == 0


@pytest.mark.parametrize("end", [False, True])
def test_trials_counted_by_hand(*, end: bool) -> None:
    frame = random_frame(5, n=200)
    log = read(frame, end=end)
    assert log.found is not None
    codes = [0, 2]
    trials = count_wait_trials(log.engine, log.canonical, log.found, log._visits, activities=codes)
    visits = [v for v in walk(frame, end=end) if v["name"] in [log.activities[c] for c in codes]]
    passed = [v for v in visits if v["kind"] == PASSED]
    groups = defaultdict(list)
    for v in passed:
        groups[v["place"], v["name"]].append(v["wait"])
    # The smallest wait that half of them do not exceed.
    median = {key: sorted(w)[math.ceil(len(w) / 2) - 1] for key, w in groups.items()}
    expected: Counter[tuple[Any, ...]] = Counter()
    for v in passed:
        if v["state"] == "open":
            continue
        bucket = sum(v["before"] >= low for low in (1, 2, 4, 8, 16))
        key = (
            v["customer"], v["place"], v["name"], min(v["attempt"], 3), bucket,
            v["wait"] > median[v["place"], v["name"]], v["state"] == "converted",
        )  # fmt: skip
        expected[key] += 1
    assert as_counter(log, trials, frame) == expected


def as_counter(log: jm.EventLog, trials: TrialCounts, frame: pd.DataFrame) -> Counter[tuple[Any, ...]]:
    assert log.found is not None
    customers = sorted(set(frame["customer"]))
    found: Counter[tuple[Any, ...]] = Counter()
    columns = (trials.unit, trials.cell, trials.activity, trials.attempt, trials.before, trials.long)
    for u, c, a, t, b, long, n, won in zip(*columns, trials.n, trials.n_converted, strict=True):
        key = (customers[u], log.found.cells[c][0], log.activities[a], int(t), int(b), bool(long))
        found[*key, True] += int(won)
        found[*key, False] += int(n - won)
    return +found


def test_a_log_without_times() -> None:
    frame = random_frame(1)[["case", "activity", "order"]]
    log = jm.read_log(frame, case_id="case", activity="activity", order="order").journeys(NAMES[5])
    assert log.found is not None
    with pytest.raises(NotEnoughDataError, match="no times"):
        counted(log)
    with pytest.raises(NotEnoughDataError, match="no times"):
        count_wait_trials(log.engine, log.canonical, log.found, log._visits, activities=[0])
