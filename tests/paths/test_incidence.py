"""Cumulative incidence with competing ends: against lifelines, statsmodels, plain shares and the jackknife."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from journeymine.counts.funnel import LATE, OPEN, OVER, REACHED
from journeymine.paths.incidence import Incidence, cumulative_incidence, share_from_influence
from journeymine.uncertainty import share_of_units, unit_matrix, wilson

N = 400


def world(seed: int, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Kinds and times of journeys: two competing exponentials, cut off at a uniform time."""
    rng = np.random.default_rng(seed)
    there, over, cut = rng.exponential(1.0, N), rng.exponential(1.5, N), rng.uniform(0, 2.5, N)
    kind = np.select([(there <= over) & (there <= cut), over <= cut], [REACHED, OVER], OPEN)
    time = np.minimum(np.minimum(there, over), cut)
    return kind, (np.floor(time * 8) if ties else np.rint(time * 1e6)).astype(np.int64)


def found(kind: np.ndarray, time: np.ndarray, unit: np.ndarray | None = None) -> Incidence:
    unit = np.arange(len(kind)) if unit is None else unit
    return cumulative_incidence(unit, kind, time, np.ones(len(kind), np.int64), int(unit.max()) + 1)


@pytest.mark.parametrize("seed", range(3))
def test_equals_lifelines(seed: int) -> None:
    from lifelines import AalenJohansenFitter

    kind, time = world(seed)
    # Up to a time at which many are still watched: their variance is undefined where nobody is.
    kind, time = np.where(time > 1_500_000, OPEN, kind), np.minimum(time, 1_500_000)
    own = found(kind, time)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = AalenJohansenFitter(calculate_variance=True).fit(time, kind, event_of_interest=REACHED)
    theirs = float(fitted.cumulative_density_.iloc[-1, 0])
    assert own.share == pytest.approx(theirs, abs=1e-12)
    # Their variance is Aalen's plug-in; ours is the sum of squared influences: equal in the limit.
    assert (own.influence**2).sum() == pytest.approx(float(fitted.variance_.iloc[-1]), rel=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_equals_statsmodels_with_ties(seed: int) -> None:
    from statsmodels.duration.survfunc import CumIncidenceRight

    kind, time = world(seed, ties=True)
    theirs = CumIncidenceRight(time.astype(float), kind)
    assert found(kind, time).share == pytest.approx(float(theirs.cinc[0][-1]), abs=1e-12)


def test_without_censoring_it_is_the_plain_share() -> None:
    kind, time = world(4)
    kind = np.where(kind == OPEN, OVER, kind)
    unit = np.arange(N) // 3
    own = found(kind, time, unit)
    units = int(unit.max()) + 1
    share = (kind == REACHED).mean()
    assert own.share == share
    assert own.weight == pytest.approx(np.ones(len(own.weight)), abs=1e-9)
    plain = np.bincount(unit, weights=(kind == REACHED) - share) / N
    assert own.influence == pytest.approx(plain, abs=1e-12)
    zero, one = np.zeros(units, int), np.bincount(unit).astype(float)
    wins = unit_matrix(np.arange(units), zero, np.bincount(unit, weights=kind == REACHED), (units, 1))
    theirs = share_of_units(wins, unit_matrix(np.arange(units), zero, one, (units, 1)))
    ours = share_from_influence(np.array([own.share]), own.influence[:, None], one[:, None], one[:, None])
    for part in ("estimate", "lower", "upper", "n"):
        assert getattr(ours, part) == pytest.approx(getattr(theirs, part), abs=1e-9)


def test_influence_is_what_leaving_a_unit_out_changes() -> None:
    kind, time = world(5)
    unit = np.arange(N) // 2
    own = found(kind, time, unit)
    assert own.influence.sum() == pytest.approx(0.0, abs=1e-12)
    for left_out in (0, 7, 50):
        rest = unit != left_out
        without = found(kind[rest], time[rest])
        change = own.share - without.share
        assert change == pytest.approx(own.influence[left_out], abs=2e-4)


def test_influence_of_a_weight_is_the_derivative() -> None:
    """Counting one row a little more often changes the share as the influence says."""
    kind, time = world(6, ties=True)
    ids, n = np.arange(N), np.full(N, 100_000, np.int64)
    base = cumulative_incidence(ids, kind, time, n, N)
    for row in (3, 40, 111, 300):
        more = n.copy()
        more[row] += 100
        moved = cumulative_incidence(ids, kind, time, more, N)
        slope = (moved.share - base.share) / 100 * 100_000
        assert slope == pytest.approx(base.influence[row], rel=1e-2, abs=1e-9)


def test_weights_add_up_to_the_share() -> None:
    kind, time = world(7)
    own = found(kind, time)
    slots, counts = np.unique(time[kind == REACHED], return_counts=True)
    assert own.times.tolist() == slots.tolist()
    assert (own.weight * counts).sum() / N == pytest.approx(own.share, abs=1e-12)
    assert own.weight[0] >= 1.0
    assert np.diff(own.weight).min() > -1e-12


def test_late_journeys_are_under_way_until_the_window_ends() -> None:
    own = found(np.array([REACHED, LATE, LATE, OPEN]), np.array([5, 10, 10, 3]))
    assert own.share == pytest.approx(1 / 3)
    assert own.undecided == pytest.approx(2 / 3)


def test_edges() -> None:
    everyone = found(np.full(4, REACHED), np.arange(4))
    assert (everyone.share, everyone.undecided) == (1.0, 0.0)
    nobody = found(np.full(4, OPEN), np.arange(4))
    assert (nobody.share, nobody.undecided, nobody.weight.tolist()) == (0.0, 1.0, [])
    none = cumulative_incidence(*(np.zeros(0, np.int64),) * 4, 3)
    assert np.isnan(none.share)


def test_where_all_is_open_nothing_is_known() -> None:
    estimate = share_from_influence(np.zeros(1), np.zeros((3, 1)), np.ones((3, 1)), np.zeros((3, 1)))
    assert (estimate.lower.tolist(), estimate.upper.tolist()) == ([0.0], [1.0])
    none = share_from_influence(np.array([np.nan]), *(np.zeros((3, 1)),) * 3)
    assert np.isnan([none.lower, none.upper]).all()


def test_a_share_of_nothing_is_as_sure_as_what_is_known() -> None:
    zero, trials = np.zeros((10, 1)), np.ones((10, 1))
    known = trials.copy()
    known[:4] = 0
    estimate = share_from_influence(np.zeros(1), zero, trials, known)
    assert estimate.upper[0] == pytest.approx(float(wilson(0, 6)[1]))
