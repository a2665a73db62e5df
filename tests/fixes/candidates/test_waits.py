"""Waits that everybody has to sit out: the planted one is found, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import journeymine as jm
from journeymine.counting.waits import count_wait_trials, count_waits
from journeymine.counts.waits import LEFT, PASSED, SILENT, WaitCounts
from journeymine.fixes.candidates.waits import MIN_PASSED, enforced_waits, long_waits
from journeymine.fixes.causal.trials import carry_over
from journeymine.fixes.what_if.waits import WaitModel
from journeymine.simulate.states import QUOTE_DAYS, QUOTE_LEAVE_PER_DAY

MINUTE, DAY = 60_000_000, 86_400_000_000
NAMES = ("Browse", "Quote", "Come back")


def made(quote: np.ndarray, gone: np.ndarray, *, browse: int = 10 * MINUTE) -> WaitCounts:
    """Many short moves, a wait of `quote` (who left at `gone`, in sight), and a return that people choose."""
    back = np.linspace(0.1, 20, 100) * DAY
    parts = [
        (0, PASSED, np.full(5_000, browse)),
        (1, PASSED, quote),
        (1, LEFT, gone),
        (2, PASSED, back),
        (2, SILENT, np.zeros(100)),
    ]
    activity = np.concatenate([np.full(len(t), a) for a, _, t in parts])
    kind = np.concatenate([np.full(len(t), k) for _, k, t in parts])
    time = np.concatenate([t for *_, t in parts]).astype(np.int64)
    seen = kind != SILENT
    pairs, place = np.unique(np.stack([activity[seen], time[seen]]), axis=1, return_inverse=True)
    bin_ = np.full(len(time), -1)
    bin_[seen] = place.ravel()
    n = len(time)
    unit, zero = np.arange(n) % 500, np.zeros(n, np.int64)
    return WaitCounts(
        unit, zero, activity, kind, bin_, zero + 1, pairs[0], pairs[1].astype(float), pairs[1], pairs[1], 500
    )


def quotes(n: int, shortest: float = 2.0) -> np.ndarray:
    return np.linspace(shortest, 8.0, n) * DAY


def test_a_wait_that_everybody_has_is_found() -> None:
    """100 leave while 200 wait: one in so many days of waiting."""
    gone = np.full(100, 1.0) * DAY
    found = enforced_waits(made(quotes(200), gone), NAMES)
    assert [wait.fix.id for wait in found] == ["wait:Quote"]
    wait = found[0]
    assert (wait.fix.fraction, wait.activity, wait.n_passed, wait.n_left, wait.n_silent) == (
        0.5,
        1,
        200,
        100,
        0,
    )
    assert wait.median_us == pytest.approx(5 * DAY, rel=0.01)
    assert wait.shortest_us == pytest.approx(2.3 * DAY, rel=0.02)
    # 100 leavers in 100 x 1 + 200 x 5 days.
    assert float(wait.leaving_per_day.estimate) == pytest.approx(-np.expm1(-100 / 1_100), rel=1e-6)
    assert wait.leaving_per_day.lower < wait.leaving_per_day.estimate < wait.leaving_per_day.upper


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        (made(quotes(200), np.zeros(0)), "nobody leaves"),
        (made(quotes(MIN_PASSED - 1), np.full(9, DAY)), "too few"),
        (made(quotes(200, 0.01), np.full(9, DAY)), "some need not wait"),
        (made(quotes(200) / 300, np.full(9, DAY)), "no hour"),
        (made(quotes(200), np.full(9, DAY), browse=DAY), "no longer than usual"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_enforced_wait(counts: WaitCounts, why: str) -> None:
    assert long_waits(counts) == [], why
    assert enforced_waits(counts, NAMES) == []


def test_leaving_that_may_be_chance_is_left_out() -> None:
    """One leaver: in a third of the draws nobody leaves."""
    counts = made(quotes(200), np.full(1, DAY))
    assert long_waits(counts) == [1]
    assert enforced_waits(counts, NAMES) == []


def test_a_log_of_one_visit_each() -> None:
    empty = made(quotes(200), np.zeros(0))
    nothing = WaitCounts(
        *(np.zeros(0, np.int64),) * 7, np.zeros(0), *(np.zeros(0, np.int64),) * 2, n_units=empty.n_units
    )
    assert enforced_waits(nothing, NAMES) == []


def test_the_planted_wait_of_the_demo() -> None:
    """Waits of 2 to 10 days, 8 % leave each day: nothing else is a wait, and the ratio is the planted one."""
    path = Path(jm.demo_config_path())
    log = jm.log_from_spec(jm.read_spec(path), path.parent)
    assert log.found is not None
    source = log.engine, log.canonical, log.found, log._visits
    codes = long_waits(count_waits(*source, pooled=True))
    waits = count_waits(*source, activities=codes)
    found = enforced_waits(waits, log.activities, among=codes)
    assert [wait.fix.id for wait in found] == ["wait:Delivery quote requested"]
    rate = found[0].leaving_per_day
    assert rate.lower < QUOTE_LEAVE_PER_DAY < rate.upper
    days = np.arange(len(QUOTE_DAYS))
    half, now = ((np.array(QUOTE_DAYS) * 0.92 ** (days * kappa)).sum() for kappa in (0.5, 1.0))
    cells = np.zeros(len(log.found.cells), np.int64)
    ratio = WaitModel(waits.of(codes[0]), cells, 1).ratio(np.ones((1, waits.n_units)), 0.5)
    # Two standard errors of a thousand visits.
    assert float(ratio[0, 0]) == pytest.approx(half / now, rel=0.03)
    after = carry_over(count_wait_trials(*source, activities=codes), codes[0])
    assert after is not None
    assert not after.flagged
