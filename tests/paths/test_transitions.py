"""Directly-follows pairs: counts, shares of departures, median waits with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from tests import oracle

from journeymine.errors import OptionError
from journeymine.paths.transitions import estimate_transitions
from journeymine.reading import read_log
from journeymine.uncertainty import wilson

if TYPE_CHECKING:
    from journeymine.log import EventLog

HOUR = oracle.HOUR
START = 1_767_225_600_000_000
COVERAGE = (0.92, 0.98)  # of 95 % intervals in 200 worlds: three standard errors of the simulation are 0.046


def make(rows: list[tuple[Any, ...]], columns: str = "case what at", **roles: Any) -> EventLog:
    names = columns.split()
    table = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    if "at" in names:
        table["at"] = [START + int(h * HOUR) for h in table["at"]]
        roles = {"timestamp": "at", "time_unit": "us", **roles}
    return read_log(pa.table(table), case_id="case", activity="what", threads=1, **roles)


ROWS = [
    ("1", "a", 0), ("1", "b", 1), ("1", "a", 2), ("1", "b", 5), ("1", "c", 6),
    ("2", "a", 0), ("2", "b", 2), ("2", "b", 2),
    ("3", "a", 0), ("3", "c", 10),
    ("4", "c", 0),
]  # fmt: skip


def test_pairs_by_hand() -> None:
    frame = make(ROWS).transitions().to_frame()
    assert frame.columns.tolist() == [
        "source", "target", "n", "n_cases", "estimate", "lower", "upper", "wait_s", "wait_s_lower", "wait_s_upper",
    ]  # fmt: skip
    got = [
        tuple(row)
        for row in frame[["source", "target", "n", "n_cases", "estimate", "wait_s"]].itertuples(index=False)
    ]
    assert got == [
        ("a", "b", 3, 2, 0.75, 7200.0), ("a", "c", 1, 1, 0.25, 36_000.0), ("b", "a", 1, 1, 1 / 3, 3600.0),
        ("b", "b", 1, 1, 1 / 3, 0.0), ("b", "c", 1, 1, 1 / 3, 3600.0),
    ]  # fmt: skip
    assert (frame["lower"] < frame["estimate"]).all()
    assert (frame["estimate"] < frame["upper"]).all()


def test_shares_of_a_source_sum_to_one_and_pairs_to_events_without_cases() -> None:
    log = make(ROWS)
    frame = log.transitions().to_frame()
    assert frame.groupby("source")["estimate"].sum().to_numpy() == pytest.approx(1.0, abs=1e-12)
    assert frame["n"].sum() == log.n_events - log.n_cases


def test_independent_cases_have_wilsons_interval() -> None:
    rows = [(f"c{i:03}", what, h) for i in range(100) for h, what in enumerate(("a", "b" if i < 30 else "c"))]
    share = make(rows).transitions().share
    low, high = wilson(np.array([30, 70]), np.array([100, 100]))
    # The variance over units has the factor n / (n - 1).
    assert share.lower == pytest.approx(low, abs=2e-3)
    assert share.upper == pytest.approx(high, abs=2e-3)


def test_cases_of_one_customer_are_not_independent() -> None:
    rows = [
        (f"{k}-{i}", what, h, f"k{k:02}")
        for k in range(20)
        for i in range(10)
        for h, what in enumerate(("a", "b" if k < 6 else "c"))
    ]
    alone = make(rows, "case what at who").transitions().share
    clustered = make(rows, "case what at who", customer_id="who").transitions().share
    assert clustered.estimate.tolist() == alone.estimate.tolist()
    width = (clustered.upper - clustered.lower) / (alone.upper - alone.lower)
    assert width == pytest.approx(np.sqrt(10), rel=0.2)


def test_a_log_of_single_events_has_no_pairs() -> None:
    transitions = make([("a", "x", 0), ("b", "y", 1)]).transitions()
    assert len(transitions.to_frame()) == 0
    assert "0 pairs" in repr(transitions)


def test_waits_of_nothing_and_of_centuries() -> None:
    rows = [("1", "a", 0), ("1", "b", 0), ("2", "a", 0), ("2", "b", 24 * 365 * 150)]
    waits = make(rows).transitions().wait_s
    assert waits is not None
    assert waits.estimate.tolist() == [24 * 365 * 150 * 3600 / 2]
    assert 0 <= waits.lower[0] <= waits.estimate[0] <= waits.upper[0] <= 24 * 365 * 150 * 3600 * 1.1


def test_without_times_there_are_no_waits() -> None:
    transitions = make([("1", "a"), ("1", "b")], "case what").transitions()
    assert transitions.wait_s is None
    assert "wait_s" not in transitions.to_frame()


def test_the_histogram_of_a_pair_holds_all_its_waits() -> None:
    rng = np.random.default_rng(5)
    waits = rng.lognormal(3, 2, 300)
    counts = (
        make([r for i, w in enumerate(waits) for r in ((f"c{i:03}", "a", 0), (f"c{i:03}", "b", w))])
        .transitions()
        .counts
    )
    assert counts.bin_n.sum() == 300
    edges = 2.0 ** (np.arange(counts.bin.min(), counts.bin.max() + 2) / 8) - 1
    expected = np.histogram(np.floor(waits * HOUR), edges)[0]
    filled = np.zeros(len(edges) - 1, int)
    filled[counts.bin - counts.bin.min()] = counts.bin_n
    assert filled.tolist() == expected.tolist()


def test_the_median_lies_in_its_interval_as_often_as_promised() -> None:
    """One log holds 200 worlds, each a pair of activities with sixty log-normal waits of median ten hours."""
    rng = np.random.default_rng(11)
    worlds, cases = 200, 60
    waits = 10 * np.exp(rng.normal(0, 1.2, (worlds, cases)))
    number = np.arange(worlds * cases * 2)
    pair, second = number // 2, number % 2 == 1
    at = np.where(second, START + (waits.ravel()[pair] * HOUR).astype(np.int64), START)
    what = np.char.add(np.where(second, "b", "a"), np.char.zfill((pair // cases).astype(str), 3))
    table = pa.table({"case": np.char.add("c", pair.astype(str)), "what": what, "at": at})
    log = read_log(table, case_id="case", activity="what", timestamp="at", time_unit="us", threads=1)
    found = log.transitions().wait_s
    assert found is not None
    held = (found.lower <= 36_000) & (found.upper >= 36_000)
    assert len(held) == worlds
    assert COVERAGE[0] <= held.mean() <= COVERAGE[1]


def test_the_display_is_short_and_starts_with_the_most_frequent() -> None:
    lines = repr(make(ROWS).transitions()).splitlines()
    assert lines[0] == "Transitions: 5 pairs, 7 moves"
    assert lines[1].startswith("  a -> b  3  75.0%")
    assert lines[-1] == "Next: .to_frame()"
    many = [(str(i), f"x{i:02}", h) for i in range(30) for h in range(2)]
    assert len(repr(make(many).transitions()).splitlines()) <= 12


def test_estimates_come_from_the_counts_alone() -> None:
    counts = make(ROWS).transitions().counts
    first, second = (estimate_transitions(counts, lambda: counts.n) for _ in range(2))
    assert first.share.estimate.tolist() == second.share.estimate.tolist()
    assert not first.share.estimate.flags.writeable


@pytest.mark.parametrize("share", [0.1, 0.25, 0.9])
def test_other_quantiles_of_the_waits(share: float) -> None:
    rng = np.random.default_rng(4)
    waits = rng.lognormal(2, 1, 400).round(3)
    rows = [
        (f"c{i}", what, h) for i, wait in enumerate(waits.tolist()) for what, h in (("a", 0), ("b", wait))
    ]
    found = make(rows).transitions(wait_share=share).wait_s
    assert found is not None
    assert found.estimate[0] == pytest.approx(np.quantile(waits, share) * 3600, rel=1e-6)
    # Woodruff's interval of independent waits lies between the order statistics of the binomial one.
    half = 1.96 * np.sqrt(share * (1 - share) / len(waits))
    low, high = (np.quantile(waits, share + side * half) * 3600 for side in (-1, 1))
    assert found.lower[0] == pytest.approx(low, rel=0.15)
    assert found.upper[0] == pytest.approx(high, rel=0.15)


@pytest.mark.parametrize("share", [0, 1, -0.5, True, "half"])
def test_a_quantile_that_is_none(share: Any) -> None:
    with pytest.raises(OptionError, match="wait_share"):
        make(ROWS).transitions(wait_share=share)
