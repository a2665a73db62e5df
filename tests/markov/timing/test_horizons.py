"""Horizons of a report: round, from about a third of the mean time on, and not beyond what says something new."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from journeymine.markov.chain import MarkovChain
from journeymine.markov.timing.horizons import DAY_S, HOUR_S, ROUND_S, round_horizons, times_to_goal
from journeymine.reading import read_log

START = 1_767_225_600_000_000
HOUR_US = 3_600_000_000


@pytest.mark.parametrize("mean", [5.0, 400.0, 9_000.0, 3e5, 2e6, 5e7])
def test_horizons_are_round_and_ordered(mean: float) -> None:
    found = round_horizons(mean, 1e9)
    assert set(found) <= set(ROUND_S)
    assert list(found) == sorted(found)
    assert all(seconds >= mean / 3 for seconds in found)
    assert len(found) <= 3


def test_no_horizon_is_longer_than_the_log() -> None:
    assert round_horizons(10 * HOUR_S, 8 * DAY_S) == (6 * HOUR_S, DAY_S, 7 * DAY_S)
    assert round_horizons(10 * HOUR_S, HOUR_S) == ()
    assert round_horizons(0.0, DAY_S) == ()


def log_of(hours: list[float]) -> MarkovChain:
    """Journeys that reach the goal after so many hours, and as many that do not."""
    rows = []
    for i, hour in enumerate(hours):
        start = START + 5 * i * HOUR_US
        rows += [
            (f"g{i}", "see", start),
            (f"g{i}", "buy", start + round(hour * HOUR_US)),
            (f"d{i}", "see", start),
        ]
    rows.append(("last", "see", START + 400 * 24 * HOUR_US))
    case, what, at = (list(column) for column in zip(*rows, strict=True))
    table = pa.table({"case": case, "what": what, "at": at})
    log = read_log(table, case_id="case", activity="what", timestamp="at", time_unit="us", threads=1)
    return log.journeys("buy", idle="3d").fit_markov(n_draws=20)


def test_later_horizons_say_something_new() -> None:
    times = times_to_goal(log_of(list(np.linspace(1, 9, 60))))
    # Mean 5 h: 6 h say that some are late, 24 h that all are there, 7 days nothing more.
    assert [time.horizon_us // 1_000_000 for time in times] == [6 * HOUR_S, DAY_S]
    assert times[0].estimate < times[1].estimate == pytest.approx(0.5, abs=0.01)


def test_none_without_times_or_a_goal() -> None:
    assert times_to_goal(MarkovChain.from_sequences([["a", "won"], ["a"]] * 9, goal="won")) == ()
    assert times_to_goal(MarkovChain.from_sequences([["a", "b"], ["a"]] * 9)) == ()
