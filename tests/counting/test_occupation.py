"""Where journeys are at the points of a grid: the query against journeys followed one by one in plain Python."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import journeymine as jm
from journeymine.analyses.occupation import occupation, report_occupation
from journeymine.counting.occupation import count_occupation, grid_of, points_of, round_times
from journeymine.counts.occupation import START
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.spec import Stage

BEGIN = 1_767_225_600_000_000
HOUR = 3_600_000_000
EVIL = "\"x'; DROP TABLE <b>"
LETTERS = ("a", "b", EVIL, "end", "G")
Event = tuple[str, str, int]


def sampled(seed: int, n: int = 40) -> list[Event]:
    """(case, activity, hour); cases of one customer begin anywhere in 60 hours."""
    rng = random.Random(seed)
    rows = []
    for case in range(n):
        now = rng.randrange(60)
        for _ in range(rng.randrange(1, 7)):
            rows.append((f"{case:03}", rng.choices(LETTERS, (4, 4, 2, 1, 1))[0], now))
            now += rng.choice((0, 1, 1, 2, 5, 12))
    return [row for row in rows if row[2] <= 70]


def log_of(rows: list[Event], **options: Any) -> jm.EventLog:
    table = pa.table(
        {
            "case": [r[0] for r in rows],
            "customer": [str(int(r[0]) // 3) for r in rows],
            "what": [r[1] for r in rows],
            "at": [BEGIN + r[2] * HOUR for r in rows],
            "order": list(range(len(rows))),
        }
    )
    log = jm.read_log(
        table, case_id="case", customer_id="customer", activity="what", timestamp="at", time_unit="us",
        order="order", threads=1,
    )  # fmt: skip
    return log.journeys("G", end="end", idle="6h", **options)


def state_at(events: list[tuple[str, int]], time: int) -> str:
    """The state of a journey some hours after its start: what happened until then alone decides."""
    begin = events[0][1]
    seen = [(what, hour - begin) for what, hour in events if hour - begin <= time]
    if any(what == "G" for what, _ in seen):
        return "(goal)"
    what, hour = seen[-1]
    return "(dropped)" if what == "end" or time >= hour + 6 else what


def followed(rows: list[Event], starts: tuple[str, ...] = ()) -> dict[str, list[tuple[str, int]]]:
    cases: dict[str, list[tuple[str, int]]] = {}
    for case, what, hour in rows:
        if case in cases or not starts or what in starts:
            cases.setdefault(case, []).append((what, hour))
    return cases


@given(st.integers(0, 100_000), st.booleans())
@settings(max_examples=15, deadline=None)
def test_moves_equal_the_plain_ones(seed: int, has_start: bool) -> None:
    rows = sampled(seed)
    starts = ("b",) if has_start and any(r[1] == "b" for r in rows) else ()
    if not any(r[1] == "G" for r in rows) or not any(r[1] == "end" for r in rows):
        return
    log = log_of(rows, start=starts)
    hours = [1, 3, 7, 20, 31]
    assert log.found is not None
    counts = count_occupation(log.engine, log.canonical, log.found, [h * HOUR for h in hours])
    names = (*counts.states, "(goal)", "(dropped)")
    points = [int(us) / HOUR for us in counts.times_us]
    assert set(hours) <= set(points)
    last_hour = max(r[2] for r in rows)
    expected: Counter[tuple[int, str, str]] = Counter()
    gone: Counter[tuple[int, str]] = Counter()
    for events in followed(rows, starts).values():
        known = [p for p in points if p <= last_hour - events[0][1]]
        states = [state_at(events, p) for p in known]  # type: ignore[arg-type]
        expected[0, "", states[0]] += 1
        for place, (a, b) in enumerate(itertools.pairwise(states), start=1):
            expected[place, a, b] += a != b
        if len(known) < len(points):
            gone[len(known) - 1, states[-1]] += 1
    ours: Counter[tuple[int, str, str]] = Counter()
    for place, a, b, n in zip(counts.place, counts.source, counts.target, counts.n, strict=True):
        ours[int(place), "" if a == START else names[a], names[b]] += int(n)
    assert ours == +expected
    left: Counter[tuple[int, str]] = Counter()
    for place, state, n in zip(counts.left_place, counts.left_state, counts.left_n, strict=True):
        left[int(place), names[state]] += int(n)
    assert left == gone
    assert counts.n_journeys == len(followed(rows, starts))


def test_row_order_does_not_matter() -> None:
    rows = sampled(3, 100)
    first = occupation(log_of(rows), ["2h", "9h"], n_draws=20)
    numbered = list(enumerate(rows))
    random.Random(1).shuffle(numbered)
    table = pa.table(
        {
            "case": [r[0] for _, r in numbered],
            "customer": [str(int(r[0]) // 3) for _, r in numbered],
            "what": [r[1] for _, r in numbered],
            "at": [BEGIN + r[2] * HOUR for _, r in numbered],
            "order": [i for i, _ in numbered],
        }
    )
    log = jm.read_log(
        table,
        case_id="case",
        customer_id="customer",
        activity="what",
        timestamp="at",
        time_unit="us",
        order="order",
    )
    again = occupation(log.journeys("G", end="end", idle="6h"), ["2h", "9h"], n_draws=20)
    np.testing.assert_array_equal(first.curves.share.lower, again.curves.share.lower)
    assert first.to_frame()["state"].tolist() == again.to_frame()["state"].tolist()


def test_stages_merge_their_activities() -> None:
    rows = sampled(5, 200)
    plain = occupation(log_of(rows), ["2h", "9h"], n_draws=10)
    with pytest.raises(NotEnoughDataError, match="stage"):
        occupation(log_of(rows), by_stage=True)
    table = log_of(rows)
    stage = Stage(id="first", name="First", activities=["a", "b", "unknown"])
    staged = occupation(
        jm.EventLog(**{**vars_of(table), "stages": (stage,)}), ["2h", "9h"], by_stage=True, n_draws=10
    )
    assert staged.curves.states[0] == "First"
    assert EVIL in staged.curves.states
    shares = {name: plain.at("2h").set_index("state")["estimate"][name] for name in ("a", "b")}
    # Merged before the product: equal up to what censoring makes of the Markov property.
    assert staged.at("2h").set_index("state")["estimate"]["First"] == pytest.approx(
        sum(shares.values()), abs=0.02
    )


def vars_of(log: jm.EventLog) -> dict[str, Any]:
    names = ("engine", "raw", "roles", "rules", "whole", "cut", "found", "expected")
    return {name: getattr(log, name) for name in names}


def test_the_grid() -> None:
    grid = grid_of(30 * 24 * HOUR, [HOUR * 5])
    points = points_of(grid)
    assert points[0] == 0
    assert points[-1] == 30 * 24 * HOUR
    assert len(points) == grid.last + 1
    assert set(round_times(30 * 24 * HOUR)) <= set(points.tolist())
    assert HOUR * 5 in points
    assert (np.diff(points) > 0).all()


def test_the_default_horizon_holds_most_of_the_ends() -> None:
    found = report_occupation(log_of(sampled(8, 300)), n_draws=20)
    assert found is not None
    assert 6 * 3600 <= found.found.curves.times[-1] <= 70 * 3600
    assert float(found.found.under_way.estimate[-1]) < 0.2
    assert not found.by_stage


@pytest.mark.parametrize("times", [[], 5, ["1d", 3], ["soon"], ["1d"] * 51])
def test_times_that_are_refused(times: Any) -> None:
    with pytest.raises(OptionError, match="times"):
        occupation(log_of(sampled(1)), times)


def test_a_log_without_times() -> None:
    table = pa.table({"case": [1, 1, 2], "what": ["a", "G", "a"]})
    log = jm.read_log(table, case_id="case", activity="what").journeys("G")
    with pytest.raises(NotEnoughDataError, match="no times"):
        occupation(log)
    assert report_occupation(log) is None
