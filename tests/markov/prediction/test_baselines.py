"""Simple predictions: shares counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.histories import CONVERTED, DROPPED, UNDECIDED, HistoryCounts
from journeymine.markov.prediction.baselines import BASELINES, baseline

EXACT = 1e-12
A, B, NEW = 0, 1, 2


def histories(
    kinds: list[tuple[int, int]], ends: list[tuple[int, int, int]], steps: list[tuple[int, int, int]]
) -> HistoryCounts:
    """Kinds (last activity, length); ends (kind, outcome, n) and steps (kind, target, n), all of one unit."""
    end, step = np.array(ends).reshape(-1, 3), np.array(steps).reshape(-1, 3)
    return HistoryCounts(
        activities=("A", "B", "new"),
        context=np.array(kinds)[:, :1],
        length=np.array(kinds)[:, 1],
        next_unit=np.zeros(len(step), np.int64),
        next_kind=step[:, 0],
        next_target=step[:, 1],
        next_n=step[:, 2],
        end_unit=np.zeros(len(end), np.int64),
        end_kind=end[:, 0],
        end_outcome=end[:, 1],
        end_bin=np.zeros(len(end), np.int64),
        end_n=end[:, 2],
        watched_n=np.zeros(0, np.int64),
        n_units=1,
    )


TRAIN = histories(
    [(A, 1), (A, 2), (B, 2)],
    [
        (0, CONVERTED, 2),
        (0, DROPPED, 6),
        (1, CONVERTED, 3),
        (1, DROPPED, 1),
        (2, DROPPED, 4),
        (2, UNDECIDED, 9),
    ],
    [(0, A, 4), (0, DROP, 4), (1, B, 4), (2, GOAL, 3), (2, DROP, 1)],
)
TEST = histories([(A, 1), (B, 2), (B, 3), (NEW, 2)], [(0, CONVERTED, 1)], [(0, A, 1)])
STATES = np.array([0, 1, -3])
K = 2


@pytest.mark.parametrize(
    ("name", "conversion", "conversion_n"),
    [
        ("frequency", [5 / 16] * 4, [16] * 4),
        # Of what was never seen, the base rate.
        ("last_step", [5 / 12, 0.0, 0.0, 5 / 16], [12, 4, 4, 16]),
        ("length", [2 / 8, 3 / 8, 5 / 16, 3 / 8], [8, 8, 16, 8]),
    ],
)
def test_conversion_by_hand(name: str, conversion: list[float], conversion_n: list[float]) -> None:
    found = baseline(name, TRAIN, TEST, STATES, K)
    assert found.conversion == pytest.approx(conversion, abs=EXACT)
    assert found.conversion_n == pytest.approx(conversion_n, abs=EXACT)


def test_next_steps_by_hand() -> None:
    # Columns: A, B, the goal, dropping out, an activity without a state.
    every = [4 / 16, 4 / 16, 3 / 16, 5 / 16, 0]
    after_a, after_b = [4 / 12, 4 / 12, 0, 4 / 12, 0], [0, 0, 3 / 4, 1 / 4, 0]
    expected = {
        "frequency": [every] * 4,
        "last_step": [after_a, after_b, after_b, every],
        "length": [[4 / 8, 0, 0, 4 / 8, 0], [0, 4 / 8, 3 / 8, 1 / 8, 0], every, [0, 4 / 8, 3 / 8, 1 / 8, 0]],
    }
    assert set(expected) == set(BASELINES)
    for name, shares in expected.items():
        found = baseline(name, TRAIN, TEST, STATES, K)
        assert found.onward == pytest.approx(np.array(shares), abs=EXACT)
        assert found.onward.sum(axis=1) == pytest.approx(np.ones(4), abs=EXACT)
