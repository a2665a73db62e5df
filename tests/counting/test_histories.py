"""Histories: what was known at a time, and what came after each visit, against plain Python and shorter logs."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import journeymine as jm
from journeymine.counting.histories import count_histories, count_returning, cut_time, fetch_open, known_at
from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.histories import CONVERTED, DROPPED, LONGEST, UNDECIDED, HistoryCounts
from journeymine.simulate import sample_chain

if TYPE_CHECKING:
    from journeymine.log import EventLog

DAY_US = 86_400_000_000
BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
MATRIX = [[0.1, 0.5, 0.1, 0.3], [0.3, 0.1, 0.4, 0.2]]


def world(seed: int = 1, **options: Any) -> pd.DataFrame:
    settings: dict[str, Any] = {
        "days": 90.0,
        "cases_per_customer": 2.0,
        "wait_days": 2.0,
        "max_wait_days": 9.0,
    }
    return sample_chain(MATRIX, [0.7, 0.3], 400, seed, **(settings | options)).events


def read(events: pd.DataFrame, **options: Any) -> EventLog:
    log = jm.read_log(
        events,
        case_id="case_id",
        customer_id="customer_id",
        activity="activity",
        timestamp="timestamp",
        threads=1,
    )
    return log.journeys("Goal", idle="10d", **options)


def histories(log: EventLog, begin_us: int, **options: Any) -> HistoryCounts:
    assert log.found is not None
    return count_histories(log.engine, log.canonical, log.found, log._visits, begin_us=begin_us, **options)


def known(log: EventLog, at_us: int) -> EventLog:
    assert log.found is not None
    canonical, found = known_at(log.engine, log.raw, log.canonical, log.found, at_us)
    return replace(log, cut=canonical, found=found)


def micro(time: Any) -> int:
    return int(pd.Timestamp(time).value // 1000)


# --------------------------------------------------------------------------------------------- what was known


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_what_was_known_is_the_log_that_ended_then(share: float) -> None:
    events = world()
    log = read(events)
    assert log.found is not None
    at = cut_time(log.engine, log.found, share)
    first = events.groupby("case_id")["timestamp"].min()
    assert (first < pd.Timestamp(at, unit="us", tz="UTC")).mean() == pytest.approx(
        share, abs=1.01 / len(first)
    )
    stamp = pd.Timestamp(at - 1, unit="us", tz="UTC")
    # Somebody is seen in the last moment before the cut, so that both logs end there.
    last = pd.DataFrame({"case_id": ["z"], "customer_id": ["z"], "activity": ["A"], "timestamp": [stamp]})
    whole = read(pd.concat([events, last], ignore_index=True))
    shorter = read(pd.concat([events[events["timestamp"] <= stamp], last], ignore_index=True))
    then = known(whole, at)
    assert (then.n_events, then.n_cases, then.n_customers) == (
        shorter.n_events,
        shorter.n_cases,
        shorter.n_customers,
    )
    assert then.end_states.n == shorter.end_states.n
    ours, theirs = then.count_chain(), shorter.count_chain()
    assert ours.states == theirs.states
    assert moves_of(ours) == moves_of(theirs)
    assert ours.n_unwatched == theirs.n_unwatched
    assert ours.n_starts == theirs.n_starts


def moves_of(counts: Any) -> Counter[tuple[int, int]]:
    found: Counter[tuple[int, int]] = Counter()
    for source, target, n in zip(
        counts.source.tolist(), counts.target.tolist(), counts.n.tolist(), strict=True
    ):
        found[source, target] += n
    return found


def test_an_end_that_comes_later_is_not_known() -> None:
    hours = [("1", "A", 0), ("1", "X", 1), ("2", "A", 0), ("2", "X", 30), ("3", "A", 50), ("4", "Goal", 60)]
    events = pd.DataFrame(
        [(case, case, name, BEGIN + dt.timedelta(hours=h)) for case, name, h in hours],
        columns=["case_id", "customer_id", "activity", "timestamp"],
    )
    log = read(events, end="X")
    then = known(log, micro(BEGIN + dt.timedelta(hours=2)))
    assert log.end_states.n == (1, 2, 1)
    # Journey 1 has ended, journey 2 is under way; the others have not begun.
    assert then.end_states.n == (0, 1, 1)
    assert then.n_cases == 2


def test_sessions_cut_by_silence_are_known_as_they_were() -> None:
    days = [("u", "A", 0), ("u", "B", 1), ("u", "A", 30), ("u", "Goal", 31), ("v", "A", 31)]
    events = pd.DataFrame(
        [(who, name, BEGIN + dt.timedelta(days=d)) for who, name, d in days],
        columns=["customer_id", "activity", "timestamp"],
    )
    log = jm.read_log(
        events, customer_id="customer_id", activity="activity", timestamp="timestamp", threads=1
    )
    log = log.journeys("Goal", idle="10d")
    then = known(log, micro(BEGIN + dt.timedelta(days=30, hours=12)))
    assert log.end_states.n == (1, 1, 1)
    assert then.end_states.n == (0, 1, 1)


# --------------------------------------------------------------------------------------------- what came after


def plain(
    events: pd.DataFrame, log: EventLog, begin_us: int, horizon_us: int | None, bin_us: int | None
) -> Any:
    """Histories one by one in plain Python: (unit, activity, length, target or outcome) -> n."""
    names = {name: code for code, name in enumerate(log.activities)}
    order = sorted(events["customer_id"].unique())
    unit = {customer: place for place, customer in enumerate(order)}
    last_us = micro(events["timestamp"].max())
    idle_us = 10 * DAY_US
    steps: Counter[tuple[int, ...]] = Counter()
    ends: Counter[tuple[int, ...]] = Counter()
    watched: Counter[int] = Counter()
    for _, case in events.groupby("case_id"):
        rows = case.sort_values("timestamp")
        path, times = rows["activity"].tolist(), [micro(t) for t in rows["timestamp"]]
        goal = path.index("Goal") if "Goal" in path else None
        over = times[-1] <= last_us - idle_us
        state = CONVERTED if goal is not None else DROPPED if over else UNDECIDED
        for place in range(len(path) if goal is None else goal):
            time = times[place]
            if time < begin_us:
                continue
            key = (unit[rows["customer_id"].iloc[0]], names[path[place]], min(place + 1, LONGEST))
            if time <= last_us - idle_us:
                follows = place + 1 < len(path)
                target = (GOAL if place + 1 == goal else names[path[place + 1]]) if follows else DROP
                steps[(*key, target)] += 1
            if horizon_us is not None:
                if time <= last_us - horizon_us:
                    came = goal is not None and times[goal] - time <= horizon_us
                    ends[(*key, CONVERTED if came else DROPPED, 0)] += 1
                continue
            assert bin_us is not None
            shown = (times[goal] if goal is not None else times[-1] + idle_us) - time
            its_last = (last_us - time) // bin_us
            watched[its_last] += 1
            decided = state != UNDECIDED and shown // bin_us < its_last
            ends[(*key, state if decided else UNDECIDED, shown // bin_us if decided else 0)] += 1
    return steps, ends, watched


def counted(found: HistoryCounts) -> tuple[Counter[Any], Counter[Any]]:
    steps: Counter[Any] = Counter()
    ends: Counter[Any] = Counter()
    kind = [(int(c[0]), int(n)) for c, n in zip(found.context, found.length, strict=True)]
    for u, k, t, n in zip(found.next_unit, found.next_kind, found.next_target, found.next_n, strict=True):
        steps[(int(u), *kind[k], int(t))] += int(n)
    rows = (found.end_unit, found.end_kind, found.end_outcome, found.end_bin, found.end_n)
    for u, k, o, b, n in zip(*rows, strict=True):
        ends[(int(u), *kind[k], int(o), int(b))] += int(n)
    return steps, ends


@pytest.mark.parametrize("horizon_days", [None, 4])
def test_histories_are_those_of_plain_python(horizon_days: int | None) -> None:
    events = world(3)
    log = read(events)
    begin_us = micro(BEGIN + dt.timedelta(days=50))
    horizon_us = None if horizon_days is None else horizon_days * DAY_US
    found = histories(log, begin_us, horizon_us=horizon_us)
    last_us = micro(events["timestamp"].max())
    bin_us = -(-(last_us - begin_us + 1) // 24)
    steps, ends, watched = plain(events, log, begin_us, horizon_us, bin_us)
    assert counted(found) == (steps, ends)
    assert {b: n for b, n in enumerate(found.watched_n.tolist()) if n} == dict(watched)
    assert found.horizon_us == horizon_us


def test_the_order_of_rows_does_not_matter() -> None:
    events = world(4)
    shuffled = events.sample(frac=1, random_state=1).reset_index(drop=True)
    begin_us = micro(BEGIN + dt.timedelta(days=40))
    one, other = (histories(read(frame), begin_us) for frame in (events, shuffled))
    for name in ("context", "length", "next_unit", "next_kind", "next_target", "next_n"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    for name in ("end_unit", "end_kind", "end_outcome", "end_bin", "end_n", "watched_n"):
        assert np.array_equal(getattr(one, name), getattr(other, name))


def test_weights_make_up_for_a_log_that_ends_too_soon() -> None:
    """The share that converts, of visits in a log that ends, is that of the same visits followed on."""
    shares = []
    for seed in range(12):
        events = world(seed, days=200.0)
        until = pd.Timestamp(BEGIN + dt.timedelta(days=120))
        begin_us = micro(BEGIN + dt.timedelta(days=60))
        # Visits after the cut, all of them followed to their ends, for the truth.
        visits = events[(events["activity"] != "Goal") & (events["timestamp"] < until)]
        visits = visits[visits["timestamp"] >= pd.Timestamp(begin_us, unit="us", tz="UTC")]
        goal = set(events.loc[events["activity"] == "Goal", "case_id"])
        truth = visits["case_id"].isin(goal).mean()
        short = histories(read(events[events["timestamp"] < until]), begin_us)
        weight = short.end_n * short.end_weight
        weighted = weight[short.end_outcome == CONVERTED].sum() / weight.sum()
        decided = short.end_n * (short.end_outcome != UNDECIDED)
        naive = decided[short.end_outcome == CONVERTED].sum() / decided.sum()
        shares.append((weighted - truth, naive - truth))
    error = np.array(shares)
    spread = error.std(axis=0, ddof=1) / np.sqrt(len(error))
    assert abs(error[:, 0].mean()) < 3 * spread[0]
    # Without weights, what shows soon is over-counted: goals come sooner than silence tells.
    assert error[:, 1].mean() > 3 * spread[1]


def test_last_activities_and_new_customers() -> None:
    days = [
        ("1", "u", "A", 0),
        ("1", "u", "B", 1),
        ("1", "u", "A", 2),
        ("2", "v", "B", 2),
        ("3", "u", "A", 3),
    ]
    events = pd.DataFrame(
        [(case, who, name, BEGIN + dt.timedelta(days=d)) for case, who, name, d in days]
        + [("4", "w", "Goal", BEGIN + dt.timedelta(days=40))],
        columns=["case_id", "customer_id", "activity", "timestamp"],
    )
    log = read(events)
    assert log.found is not None
    cut = micro(BEGIN + dt.timedelta(hours=36))
    found = histories(log, cut, depth=2)
    assert found.context.tolist() == [[0, -1], [0, 1], [1, -1]]
    assert found.length.tolist() == [1, 3, 1]
    only_new = histories(log, cut, new_from_us=cut)
    assert only_new.context.tolist() == [[1]]
    assert count_returning(log.engine, log.found, cut) == (1, 3)


def test_open_journeys_with_their_last_visit() -> None:
    events = world(5)
    log = read(events)
    assert log.found is not None
    found = fetch_open(log.engine, log.canonical, log.found, log._visits)
    last = events.sort_values("timestamp").groupby("case_id").last()
    size = events.groupby("case_id").size()
    goals = set(events.loc[events["activity"] == "Goal", "case_id"])
    open_cases = last[
        (last["timestamp"] > events["timestamp"].max() - pd.Timedelta(days=10)) & ~last.index.isin(goals)
    ]
    expected = sorted(
        (row.customer_id, case, row.activity, int(size[case]), micro(row.timestamp))
        for case, row in open_cases.iterrows()
    )
    names = log.activities
    rows = zip(found.customer_id, found.case_id, found.code, found.n_events, found.time_us, strict=True)
    assert [(who, case, names[code], int(n), int(t)) for who, case, code, n, t in rows] == expected
