"""Moves by period: counted by hand and by plain Python, cut into periods of about as many visits each."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymine.counting.periods import count_periods
from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.periods import PeriodCounts, cut_slices
from journeymine.errors import OptionError
from journeymine.reading import read_log
from journeymine.simulate import sample_chain
from journeymine.sql.periods import period_moves_sql

if TYPE_CHECKING:
    from journeymine.log import EventLog

HOUR, DAY = 3_600_000_000, 86_400_000_000
START = 1_767_225_600_000_000
"""2026-01-01, UTC."""


def make(rows: list[tuple[Any, ...]], goal: str = "buy", idle: str = "1d", **roles: Any) -> EventLog:
    """Rows of (case, activity, hours since the start, customer)."""
    case, what, hours, who = (list(part) for part in zip(*rows, strict=True))
    table = pa.table({"case": case, "what": what, "at": [START + int(h * HOUR) for h in hours], "who": who})
    roles = {"timestamp": "at", "time_unit": "us"} | roles
    log = read_log(table, case_id="case", activity="what", customer_id="who", threads=1, **roles)
    return log.journeys(goal, idle=idle)


def counted(log: EventLog, n_periods: int = 4, **chain: Any) -> PeriodCounts | None:
    assert log.found is not None
    counts = log.count_chain(**chain)
    return count_periods(log.engine, log.canonical, log.found, log._visits, counts, n_periods=n_periods)


ROWS = [
    ("1", "visit", 0, "k1"), ("1", "basket", 1, "k1"), ("1", "buy", 3, "k1"), ("1", "visit", 4, "k1"),
    ("2", "visit", 10, "k1"), ("2", "visit", 12, "k1"),
    ("3", "buy", 20, "k2"),
    ("4", "visit", 30, "k3"), ("4", "basket", 31, "k3"), ("4", "visit", 995, "k3"), ("4", "basket", 999, "k3"),
]  # fmt: skip
BASKET, VISIT = 0, 1


def test_moves_by_hand() -> None:
    """The log ends after 999 hours, its slices are of six hours; the last visits were not watched for a day."""
    found = counted(make(ROWS), n_periods=3)
    assert found is not None
    assert found.n_periods == 3
    # Two watched visits each: 0 and 1 hours; 10 and 12 are in slices 1 and 2; 30 and 31 in slice 5.
    assert ((found.begin_us - START) / HOUR).tolist() == [0, 6, 30, 36]
    names = (found.unit, found.period, found.source, found.target, found.n)
    assert sorted(zip(*(part.tolist() for part in names), strict=True)) == sorted([
        (0, 0, VISIT, BASKET, 1), (0, 0, BASKET, GOAL, 1),
        (0, 1, VISIT, VISIT, 1), (0, 1, VISIT, DROP, 1),
        (2, 2, VISIT, BASKET, 1), (2, 2, BASKET, VISIT, 1),
    ])  # fmt: skip
    assert found.n_units == 3


def totals(found: PeriodCounts) -> Counter[tuple[int, int, int]]:
    total: Counter[tuple[int, int, int]] = Counter()
    for unit, source, target, n in zip(
        found.unit.tolist(), found.source.tolist(), found.target.tolist(), found.n.tolist(), strict=True
    ):
        total[unit, source, target] += n
    return total


@pytest.fixture(scope="module")
def sampled() -> EventLog:
    matrix = [[0.2, 0.5, 0.0, 0.05, 0.25], [0.1, 0.0, 0.6, 0.0, 0.3], [0.0, 0.15, 0.1, 0.55, 0.2]]
    events = sample_chain(matrix, [1, 0, 0], 600, 3, open_share=0.3, cases_per_customer=3.0).events
    return read_log(
        events,
        case_id="case_id",
        customer_id="customer_id",
        activity="activity",
        timestamp="timestamp",
        threads=1,
    ).journeys("Goal", idle="30d")


@pytest.mark.parametrize("n_periods", [2, 4, 9])
def test_periods_add_up_to_the_chain_and_are_of_about_one_size(sampled: EventLog, n_periods: int) -> None:
    found, chain = counted(sampled, n_periods), sampled.count_chain()
    assert found is not None
    whole: Counter[tuple[int, int, int]] = Counter()
    for unit, source, target, n in zip(
        chain.unit.tolist(), chain.source.tolist(), chain.target.tolist(), chain.n.tolist(), strict=True
    ):
        whole[unit, source, target] += n
    assert totals(found) == whole
    assert found.n_periods == n_periods
    size = np.bincount(found.period, weights=found.n, minlength=n_periods)
    assert size.min() > 0.6 * size.mean()
    assert size.max() < 1.4 * size.mean()


def test_the_period_is_that_of_the_visit(sampled: EventLog) -> None:
    """By plain Python from the visits of the engine."""
    found = counted(sampled)
    assert found is not None
    rows = sampled.engine.fetch(f"SELECT unit, code, time_us FROM {sampled._visits} WHERE watched")
    chain = sampled.count_chain()
    state = {int(code): place for place, code in enumerate(chain.activity.tolist())}
    expected: Counter[tuple[int, int, int]] = Counter()
    for unit, code, time in zip(
        rows["unit"].tolist(), rows["code"].tolist(), rows["time_us"].tolist(), strict=True
    ):
        period = max(i for i, begin in enumerate(found.begin_us[:-1].tolist()) if time >= begin)
        assert time < found.begin_us[period + 1]
        expected[int(unit), period, state[int(code)]] += 1
    got: Counter[tuple[int, int, int]] = Counter()
    for unit, period, source, n in zip(
        found.unit.tolist(), found.period.tolist(), found.source.tolist(), found.n.tolist(), strict=True
    ):
        got[unit, period, source] += n
    assert got == expected


def test_the_order_of_the_rows_does_not_matter() -> None:
    one, two = counted(make(ROWS)), counted(make(ROWS[::-1]))
    assert one is not None
    assert two is not None
    for name in ("unit", "period", "source", "target", "n", "begin_us"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_a_log_without_a_calendar_has_no_periods() -> None:
    rows = [(case, what, hour - START / HOUR, who) for case, what, hour, who in ROWS]
    assert counted(make(rows)) is None  # a clock that starts at zero
    assert counted(make(ROWS, timestamp=None, time_unit=None, order="at")) is None


def test_a_log_of_goals_only_has_one_empty_period() -> None:
    found = counted(make([("1", "buy", 0, "k"), ("2", "buy", 99, "k")]))
    assert found is not None
    assert (found.n_periods, len(found.n)) == (1, 0)


def test_moves_into_rare_states_that_share_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("journeymine.counting.chain.MAX_STATES", 2)
    rows = [
        (str(i), what, 30 * i + place, f"k{i}")
        for i in range(20)
        for place, what in enumerate(["visit", f"rare {i % 3}", "visit"])
    ]
    log = make([*rows, ("98", "buy", 9, "y"), ("99", "visit", 2000, "z")])
    found, chain = counted(log), log.count_chain()
    assert found is not None
    assert chain.states[1] == "(other, 3 activities)"
    sums = np.bincount(found.source, weights=found.n)
    assert sums.tolist() == np.bincount(chain.source, weights=chain.n).tolist()
    assert sorted({target for _, _, target in totals(found)}) == sorted(set(chain.target.tolist()))


def test_what_cannot_be_counted_is_refused() -> None:
    log = make(ROWS)
    with pytest.raises(OptionError, match="n_periods is 1"):
        counted(log, n_periods=1)
    with pytest.raises(OptionError, match="attempts=1"):
        counted(log, attempts=2)


def test_one_period_needs_no_case() -> None:
    assert "CASE" not in period_moves_sql("v", [])
    assert "WHEN time_us < 7 THEN 0 WHEN time_us < 9 THEN 1 ELSE 2 END" in period_moves_sql("v", [7, 9])


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(2, 6))
def test_slices_are_cut_where_the_share_is_nearest(n: list[int], n_periods: int) -> None:
    counts = np.array(n)
    begins = cut_slices(counts, n_periods).tolist()
    assert begins[0] == 0
    assert begins == sorted(set(begins))
    assert len(begins) <= n_periods
    sizes = [int(part.sum()) for part in np.split(counts, begins[1:])]
    assert sum(sizes) == counts.sum()
    if counts.sum():
        # Every period but the first (which holds the empty beginning) has a visit, and no cut is off by a slice.
        assert all(size > 0 for size in sizes[1:])
        assert max(sizes) <= counts.sum() / n_periods + 2 * counts.max()
