"""The checks of a chain: what is compared, what is said, and what a user sees."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import journeymine as jm
from journeymine.counting.periods import count_periods
from journeymine.counting.sequences import count_sequences
from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.periods import PeriodCounts
from journeymine.counts.sequences import OPEN, SequenceCounts
from journeymine.markov.checks.check_groups import START, by_attempt, by_period, by_step_before, period_names
from journeymine.markov.checks.check_results import ChainChecks
from journeymine.markov.checks.checks import MATTERS, check_chain
from journeymine.markov.lists import chain_of_sequences, count_lists
from journeymine.uncertainty import benjamini_hochberg

if TYPE_CHECKING:
    from collections.abc import Sequence

EXACT = 1e-12
DAY_US = 86_400_000_000
LOOP = [["visit", "form", "paid"], ["visit", "form", "visit"]] * 100
"""Everybody who comes back to the first step leaves from it."""


def checks_of(journeys: Sequence[Sequence[str]], goal: str = "paid") -> ChainChecks:
    chain, sequences = count_lists(journeys, goal=goal)
    return check_chain(chain, sequences, None)


def walked(seed: int, n: int, *, memory: float = 0.0, again: float = 0.0) -> list[list[str]]:
    """Journeys between three steps: `memory` after b go on to a more often; `again` on the second visit of a leave."""
    rng = np.random.default_rng(seed)
    journeys = []
    for _ in range(n):
        path = [str(rng.choice(["a", "b", "c"]))]
        while path[-1] not in ("paid", "out"):
            p = np.array([0.3, 0.2, 0.2, 0.1, 0.2])
            if path[-1] == "c" and len(path) > 1 and path[-2] == "b":
                p += memory * np.array([1, -1, 0, 0, 0])
            if path[-1] == "a" and path.count("a") > 1:
                p += again * np.array([-1, 0, 0, 0, 1])
            path.append(str(rng.choice(["a", "b", "c", "paid", "out"], p=p)))
        journeys.append(path if path[-1] == "paid" else path[:-1])
    return journeys


# --------------------------------------------------------------------------------------------- what is compared


@st.composite
def some_sequences(draw: st.DrawFn) -> SequenceCounts:
    paths = draw(st.lists(st.lists(st.integers(0, 2), max_size=6), min_size=1, max_size=6))
    last = [draw(st.sampled_from([GOAL, DROP, OPEN, 1])) if path else GOAL for path in paths]
    n = [draw(st.integers(1, 3)) for _ in paths]
    m = len(paths)
    return SequenceCounts(
        ("a", "b", "c"),
        np.array([code for path in paths for code in path], dtype=np.int64),
        np.concatenate([[0], np.cumsum([len(path) for path in paths])]).astype(np.int64),
        np.array(last, dtype=np.int64),
        np.arange(m) % 2,
        np.zeros(m, np.int64),
        np.array(n, dtype=np.int64),
        ((),),
        2,
    )


@given(some_sequences())
@settings(max_examples=60, deadline=None)
def test_step_before_and_attempt_equal_a_loop(sequences: SequenceCounts) -> None:
    before, attempts = [], []
    for s in range(sequences.n_sequences):
        path = sequences.code[sequences.begin[s] : sequences.begin[s + 1]].tolist()
        follows = [*path[1:], int(sequences.last[s])]
        for place, (state, target) in enumerate(zip(path, follows, strict=False)):
            column = {GOAL: 3, DROP: 4}.get(target, target)
            if target == OPEN:
                continue
            row = (int(sequences.unit[s]), state, column, int(sequences.n[s]))
            before.append((*row, path[place - 1] if place else 3))
            attempts.append((*row, min(path[:place].count(state), 2)))
    for moves, expected in ((by_step_before(sequences), before), (by_attempt(sequences), attempts)):
        parts = (moves.unit, moves.state, moves.column, moves.n, moves.group)
        assert sorted(zip(*(part.tolist() for part in parts), strict=True)) == sorted(expected)
    assert by_step_before(sequences).groups == ("a", "b", "c", START)
    assert by_attempt(sequences).groups == ("#1", "#2", "#3+")


def test_periods_are_named_by_day_or_minute() -> None:
    assert period_names(np.array([0, DAY_US])) == ("1970-01-01 to 1970-01-02",)
    assert period_names(np.array([0, DAY_US // 2])) == ("1970-01-01T00:00 to 1970-01-01T12:00",)
    ids = np.arange(3)
    moves = by_period(PeriodCounts(ids, ids % 2, ids, np.array([GOAL, DROP, 1]), ids, np.arange(3), 3), 4)
    assert moves.column.tolist() == [4, 5, 1]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_correction_equals_scipy(p_values: list[float]) -> None:
    p = np.array(p_values)
    np.testing.assert_allclose(benjamini_hochberg(p), stats.false_discovery_control(p), atol=EXACT)


def test_nothing_to_correct() -> None:
    assert benjamini_hochberg(np.zeros(0)).tolist() == []


# --------------------------------------------------------------------------------------------------- what is said


def test_memory_of_a_loop_asks_for_attempts() -> None:
    check = checks_of(LOOP)[0]
    assert (check.name, check.by, check.verdict, check.consequence) == (
        "first_order", "previous", "matters", "attempts",
    )  # fmt: skip
    worst = check.worst[0]
    assert (worst.state, worst.group, worst.target) == ("visit", "form", "(dropped)")
    assert (worst.shift.share, worst.shift.n) == (1.0, 100)
    assert worst.shift.usual == pytest.approx(1 / 3)
    assert worst.contribution == 1
    # Two thirds of the visits to "visit" go on to the form, none of the others do; "form" has one step before.
    # Rows (1, 0) and (0, 1) against (2/3, 1/3): the mean squared distance is 4/9, and half of it, rooted, 0.47.
    assert check.found is not None
    assert check.found.effect == pytest.approx((2 / 9) ** 0.5, abs=0.002)
    assert "Use attempts=3" in check.sentence
    assert "'visit'" in check.sentence


def test_memory_of_the_step_before_asks_for_a_longer_memory() -> None:
    check = checks_of(walked(1, 3000, memory=0.2))[0]
    assert (check.verdict, check.consequence) == ("matters", "order")
    assert (check.worst[0].state, check.worst[0].group) == ("c", "b")
    assert check.worst[0].target in ("a", "b")
    assert check.attempts is not None
    assert check.found is not None
    assert check.attempts.effect < check.found.effect / 2
    assert "order=2" in check.sentence


def test_memory_of_the_attempt_asks_for_attempts() -> None:
    check = checks_of(walked(1, 3000, again=0.3))[0]
    assert (check.verdict, check.consequence) == ("matters", "attempts")
    assert check.worst[0].state == "a"


def test_a_chain_without_memory_holds_once_there_is_enough_of_it() -> None:
    few, many = (checks_of(walked(5, n))[0] for n in (200, 6000))
    assert (few.verdict, few.consequence, few.worst) == ("unclear", "more_data", ())
    assert "too small to exclude" in few.sentence
    assert (many.verdict, many.consequence) == ("holds", "none")
    assert many.found is not None
    assert many.found.upper < MATTERS
    assert "at most" in many.sentence


def test_a_million_moves_do_not_make_a_small_deviation_matter() -> None:
    """Two halves of a million customers who go on in 50.5 and 49.5 % of cases: beyond doubt, and of no consequence."""
    chain, _ = count_lists([["a", "b"], ["a"]])
    rng = np.random.default_rng(0)
    on = rng.binomial(2500, [[0.505, 0.495]] * 200)
    n = np.stack([on, 2500 - on], axis=2)
    unit, cell, dropped = (place.ravel() for place in np.indices(n.shape))
    many = dataclasses.replace(
        chain,
        unit=unit,
        cell=cell,
        source=unit * 0,
        target=np.where(dropped, DROP, 1),
        n=n.ravel(),
        wait_us=np.zeros(n.size),
        cells=(("app",), ("web",)),
        cell_customers=np.array([1, 1]),
        n_units=200,
        buckets=True,
    )
    check = check_chain(many, None, None, ("channel",))[1]
    assert (check.verdict, check.consequence, check.groups) == ("small", "none", ("app", "web"))
    assert check.found is not None
    assert check.found.p_value < 1e-6
    assert check.found.lower < 0.005 < check.found.upper
    assert check.found.upper - check.found.lower < 0.003
    assert check.found.n == 1_000_000
    assert "small deviation" in check.sentence


@pytest.mark.parametrize(("low", "high", "verdict"), [(50, 50, "unclear"), (35, 65, "matters")])
def test_segments_and_periods(low: int, high: int, verdict: str) -> None:
    """The same journeys in both groups, or not; a check of each column."""
    journeys = [["a", "b"]] * low + [["a"]] * (100 - low) + [["a", "b"]] * high + [["a"]] * (100 - high)
    chain, sequences = count_lists(journeys * 40, customers=[f"{i:04}" for i in range(8000)])
    cell = sequences.unit % 200 // 100
    sequences = dataclasses.replace(sequences, cell=cell, cells=(("x", "app"), ("x", "web")))
    chain = chain_of_sequences(sequences)
    first = by_step_before(sequences)
    target = np.select([first.column == 2, first.column == 3], [GOAL, DROP], first.column)
    period = first.unit % 200 // 100
    begins = np.array([0, 10, 20]) * DAY_US
    periods = PeriodCounts(first.unit, period, first.state, target, first.n, begins, 8000)
    checks = check_chain(chain, sequences, periods, ("same", "channel"))
    assert [check.by for check in checks] == ["previous", "same", "channel", "period"]
    assert [check.verdict for check in checks] == ["not available", "not available", verdict, verdict]
    assert [check.reason for check in checks] == ["too_little", "one_group", None, None]
    if verdict == "matters":
        assert [check.consequence for check in checks][2:] == ["segments", "periods"]
        for check in tuple(checks)[2:]:
            assert check.found is not None
            assert check.found.lower < 0.15 < check.found.upper
        assert "for 'app'" in checks[2].sentence
        assert "from 1970-01-" in checks[3].sentence


def test_what_is_not_there_is_said() -> None:
    chain, _ = count_lists(LOOP, goal="paid")
    checks = check_chain(chain, None, None)
    assert [(check.verdict, check.reason) for check in checks] == [
        ("not available", "no_sequences"),
        ("not available", "no_calendar"),
    ]
    assert "the log has no dates" in checks[1].sentence
    assert checks.to_frame()["p_value"].isna().all()
    assert len(checks[0].to_frame()) == 0


def test_journeys_that_all_start_with_the_goal() -> None:
    chain, sequences = count_lists([["paid"]] * 30, goal="paid")
    checks = check_chain(chain, sequences, None)
    assert checks[0].reason == "too_little"


def checks_of_log(log: jm.EventLog) -> ChainChecks:
    assert log.found is not None
    chain = log.count_chain()
    sequences = count_sequences(log.engine, log.canonical, log.found, log._visits, chain)
    periods = count_periods(log.engine, log.canonical, log.found, log._visits, chain)
    return check_chain(chain, sequences, periods, log.found.segments)


def test_the_demo_shows_what_was_put_into_it() -> None:
    """Payments fail more often after a failure, and the app signs in badly on mobile; both are in the simulator."""
    path = Path(jm.demo_config_path())
    memory, *segments, periods = checks_of_log(jm.log_from_spec(jm.read_spec(path), path.parent))
    assert (memory.verdict, memory.consequence) == ("matters", "attempts")
    assert (memory.worst[0].state, memory.worst[0].group) == ("Payment", "Payment declined")
    platform = segments[0]
    assert (platform.by, platform.verdict, platform.consequence) == ("platform", "matters", "segments")
    worst = platform.worst[0]
    assert (worst.state, worst.group, worst.target) == ("Account sign-in", "mobile", "(dropped)")
    assert worst.shift.lower > 0.05
    # An incident of some weeks at the payment: beyond chance, of few moves.
    assert (periods.name, periods.verdict, periods.worst[0].state) == ("stationarity", "small", "Payment")
    assert len(periods.groups) == 4


@pytest.mark.reference
def test_sepsis_has_memory_and_no_drift(reference_data: Path) -> None:
    """Published: laboratory values are taken in varying order, so the step before tells which one is still missing."""
    log = jm.read_log(reference_data / "sepsis/Sepsis_Cases-Event_Log.xes.gz", threads=1).journeys(
        "Release A"
    )
    memory, periods = checks_of_log(log)
    assert memory.verdict == "matters"
    assert {one.state for one in memory.worst} <= {"CRP", "Leucocytes", "LacticAcid", "IV Liquid"}
    assert (periods.verdict, periods.worst) == ("holds", ())


# ------------------------------------------------------------------------------------------------ what users see


def test_frames_have_a_row_a_check_and_a_row_a_state() -> None:
    checks = checks_of(walked(1, 3000, memory=0.2))
    frame = checks.to_frame()
    assert frame.columns.tolist() == [
        "check", "by", "statistic", "df", "p_value", "effect", "lower", "upper", "n", "verdict", "worst",
    ]  # fmt: skip
    assert frame["check"].tolist() == ["first_order", "stationarity"]
    states = checks[0].to_frame()
    assert set(states["state"]) == {"a", "b", "c"}
    assert states["contribution"].sum() == pytest.approx(1)
    assert states["contribution"].is_monotonic_decreasing
    assert (states["lower"] <= states["effect"]).all()
    assert (states["effect"] <= states["upper"]).all()
    assert (states["q_value"] >= states["p_value"] - EXACT).all()


def test_repr_is_short_and_says_what_next() -> None:
    checks = checks_of(LOOP)
    many = ChainChecks(tuple(checks)[:1] * 30)
    for one in (checks, many):
        lines = repr(one).splitlines()
        assert len(lines) <= 12
        assert lines[-1].startswith("Next: ")
    assert len(many) == 30
    assert [check.name for check in checks] == ["first_order", "stationarity"]


@pytest.mark.parametrize("name", ['a" <b>', "it's", "two\nlines", "😀", "NA", "%s {x}", "(start)"])
def test_names_of_any_kind(name: str) -> None:
    check = checks_of([[name, "form", "paid"], [name, "form", name]] * 50)[0]
    assert check.worst[0].state == name
    assert repr(name) in check.sentence


def test_the_same_counts_give_the_same_checks() -> None:
    one, two = (checks_of(walked(3, 500)) for _ in range(2))
    assert one == two
