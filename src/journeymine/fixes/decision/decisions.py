"""`decide`: from effects and their draws to an order, with all that a decision needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import OptionError, shown
from journeymine.fixes.decision.error_control import bounded, kept_above_zero, simultaneous
from journeymine.fixes.decision.information import information, worth_of_tests
from journeymine.fixes.decision.net_value import net_value
from journeymine.fixes.decision.ranks import rank_intervals, surely_better
from journeymine.fixes.decision.rice import Rice, rice
from journeymine.fixes.decision.shrinkage import in_contention, shrunk_draws
from journeymine.fixes.decision.ties import tied_with
from journeymine.uncertainty import LEVEL, Estimates, percentile_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """Everything a decision needs; arrays have the shape (n_fixes,), in the order in which the fixes were given.

    Attributes
    ----------
    ids
        Of the fixes.
    order
        Places in `ids`, best first: by the lower bound of net value, then the estimate, then the id.
    rank, rank_lower, rank_upper
        Place in that order, from 1, and the places the fix could hold (at 95 % for all at once).
    effect
        With an interval that reaches 0 where the fix does not survive the error control.
    above_zero
        Whether it does.
    band
        The same effect with intervals that hold for the whole list at once.
    net
        Net value with its interval, in `unit`: "conversion" where neither value nor cost is known (net value is the
        effect then), "money a journey" without a calendar, else "money" over the months that were asked for.
    p_positive
        P(effect > cost): share of the draws in which the net value is above 0.
    p_best, p_nothing
        Probability of being the best, nearly tied fixes drawn together; and of doing nothing being it, where
        anything costs.
    regret
        Expected loss of choosing it against the best option, in `unit`.
    evpi
        What knowing all effects would bring, in `unit`.
    evsi
        What the planned test would bring, in `unit`; nan without one.
    worth_of_certainty
        What a test that tells the truth would bring: no test of the fix is worth more.
    rice
        Reach, impact, confidence, effort, score; None where they are not known.
    tied_with
        Ids of those that cannot be told from it.
    """

    ids: tuple[str, ...]
    order: Ints
    rank: Ints
    rank_lower: Ints
    rank_upper: Ints
    effect: Estimates
    above_zero: NDArray[np.bool_]
    band: tuple[Floats, Floats]
    net: Estimates
    unit: str
    p_positive: Floats
    p_best: Floats
    p_nothing: float
    regret: Floats
    evpi: float
    evsi: Floats
    worth_of_certainty: Floats
    rice: tuple[Rice | None, ...]
    tied_with: tuple[tuple[str, ...], ...]


def decide(
    ids: Sequence[str],
    effect: Floats,
    draws: Floats,
    *,
    n: NDArray[np.integer] | int,
    reach: Floats,
    cost: Floats | None = None,
    effort: Floats | None = None,
    value: float | None = None,
    value_draws: Floats | None = None,
    volume: float | None = None,
    horizon_months: float = 12.0,
    test_se: Floats | None = None,
    common_error: bool = False,
    level: float = LEVEL,
) -> Decisions:
    """Order the fixes and say how sure the order is.

    Parameters
    ----------
    effect, draws
        Effects on a journey (above 0 is better) and their replicates, shapes (n_fixes,) and (n_draws, n_fixes).
    n
        Journeys behind them.
    reach
        Share of journeys that meet each fix.
    cost, effort
        As the user gave them; effort is nan where it was not given.
    value, value_draws, volume, horizon_months
        See `net_value`.
    common_error
        Whether all effects share an error, as after past experiments: it moves the bounds of large fixes most and their
        order not at all. Fixes whose bound is not above 0 are then in the order of their estimates.
    test_se
        Standard error that the planned test of each fix would have for its effect; nan where none is planned.

    Raises
    ------
    OptionError
        Arrays do not fit each other, or a cost has nothing to be compared with.

    Examples
    --------
    >>> effect = np.array([0.010, 0.020])
    >>> draws = np.random.default_rng(0).normal(effect, 0.002, (1000, 2))
    >>> found = decide(["a", "b"], effect, draws, n=5000, reach=np.array([0.5, 0.3]))
    >>> [found.ids[i] for i in found.order], found.unit, round(float(found.p_best[1]), 1)
    (['b', 'a'], 'conversion', 1.0)
    """
    effect, draws = np.asarray(effect, dtype=float), np.asarray(draws, dtype=float)
    k = len(ids)
    cost = np.zeros(k) if cost is None else np.asarray(cost, dtype=float)
    effort = np.full(k, np.nan) if effort is None else np.asarray(effort, dtype=float)
    test_se = np.full(k, np.nan) if test_se is None else np.asarray(test_se, dtype=float)
    reach = np.asarray(reach, dtype=float)
    _check(ids, effect, draws, {"cost": cost, "effort": effort, "test_se": test_se, "reach": reach})
    kept = kept_above_zero(effect, draws, 1 - level)
    net = net_value(
        effect, draws, cost=cost, value=value, value_draws=value_draws, volume=volume, months=horizon_months
    )
    of_net = _interval(net.estimate, net.draws, n, kept, -net.cost, level)
    bound = np.maximum(of_net.lower, 0.0) if common_error else of_net.lower
    order = np.array(sorted(range(k), key=lambda i: (-bound[i], -of_net.estimate[i], ids[i])), dtype=np.int64)
    rank = np.empty(k, dtype=np.int64)
    rank[order] = np.arange(1, k + 1)
    low, high = rank_intervals(net.estimate, net.draws, level=level)
    shrunk = net.of(shrunk_draws(effect, draws, in_contention(net.estimate, net.draws)))
    known = information(shrunk, nothing_counts=bool(cost.any()))
    p_positive = np.asarray((net.draws > 0).mean(axis=0)) if len(draws) else np.zeros(k)
    return Decisions(
        ids=tuple(ids),
        order=order,
        rank=rank,
        rank_lower=np.minimum(low, rank),
        rank_upper=np.maximum(high, rank),
        effect=_interval(effect, draws, n, kept, 0.0, level),
        above_zero=kept,
        band=simultaneous(effect, draws, level),
        net=of_net,
        unit=net.unit,
        p_positive=p_positive,
        p_best=known.p_best,
        p_nothing=known.p_nothing,
        regret=known.regret,
        evpi=known.evpi,
        evsi=worth_of_tests(shrunk, test_se * net.scale),
        worth_of_certainty=known.worth_of_certainty,
        rice=rice(effect, p_positive, reach=reach, volume=volume, effort=effort),
        tied_with=tied_with(ids, surely_better(net.estimate, net.draws, level=level)),
    )


def _interval(
    estimate: Floats,
    draws: Floats,
    n: NDArray[np.integer] | int,
    kept: NDArray[np.bool_],
    zero: Floats | float,
    level: float,
) -> Estimates:
    """Percentile interval, to no effect where the fix does not survive the error control."""
    found = percentile_interval(estimate, draws, n, level=level)
    return Estimates(estimate, *bounded(found.lower, found.upper, kept, zero), found.n)


def _check(ids: Sequence[str], effect: Floats, draws: Floats, of_fix: dict[str, Floats]) -> None:
    k = len(ids)
    for name, numbers in {"effect": effect, **of_fix}.items():
        if numbers.shape != (k,):
            raise OptionError(
                f"{name} has the shape {numbers.shape}, expected one number for each of {k} fixes."
            )
    if draws.ndim != 2 or draws.shape[1] != k or len(draws) < 2:
        raise OptionError(f"draws has the shape {draws.shape}, expected (at least 2 draws, {k} fixes).")
    if not (np.isfinite(effect).all() and np.isfinite(draws).all()):
        raise OptionError("an effect is not a number.", hint="leave out fixes whose effect is not known.")
    twice = sorted({name for name in ids if list(ids).count(name) > 1})
    if twice:
        raise OptionError(f"two fixes have the id {shown(twice[0])}.", hint="give one of them another id.")
