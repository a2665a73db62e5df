"""What awaits a journey in each state, and what each move is worth: all absorbing quantities from one set of draws.

Every interval comes from the same resampled customers (`uncertainty.bootstrap_weights`), so numbers can be compared
draw by draw. Closed forms: `absorbing.py`, `passage.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.markov.absorbing import (
    derivative,
    events_to_goal,
    given_goal,
    h_transform,
    remaining_steps,
    remaining_time,
    seconds_to_goal,
    steps_to_goal,
    time_to_goal,
)
from journeymine.markov.outcomes import EdgeOutcomes, StateOutcomes
from journeymine.uncertainty import (
    N_DRAWS,
    Estimates,
    difference_of_shares,
    percentile_interval,
    share_from_draws,
    unit_column,
    unit_matrix,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.markov.estimation import ChainModel, Solved

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

STATE_QUANTITIES = (
    "conversion",
    "visits",
    "visits_given_goal",
    "remaining_steps",
    "remaining_seconds",
    "remaining_value",
    "steps_to_goal",
    "seconds_to_goal",
)
ROUNDING = 1e-12
EDGE_QUANTITIES = ("given_goal", "slope", "elasticity")


@dataclass(frozen=True, slots=True, eq=False)
class GoalValue:
    """Money of the journeys that reach the goal, by unit; entries may be split.

    Attributes
    ----------
    unit, value, n
        Unit, sum of the money, and conversions behind it; shape (m,).
    """

    unit: Ints
    value: Floats
    n: Ints


def chain_outcomes(
    model: ChainModel,
    *,
    value: float | GoalValue | None = None,
    n_draws: int = N_DRAWS,
    seed: int = 0,
    timed: bool = True,
) -> tuple[StateOutcomes, EdgeOutcomes]:
    """All absorbing quantities of a chain with their intervals.

    Parameters
    ----------
    model
        The chain for any reweighting of the units.
    value
        Money of a conversion: a number, or what was paid by unit, which is then resampled with the customers.
    timed
        Whether waits are known.

    Examples
    --------
    >>> from journeymine.markov.estimation import ChainModel
    >>> from journeymine.markov.lists import count_lists
    >>> counts, _ = count_lists([["a", "b", "paid"], ["a"], ["b", "paid"]], goal="paid", weights=[20, 30, 50])
    >>> states, edges = chain_outcomes(ChainModel(counts), n_draws=200, timed=False)
    >>> round(states.of_start["conversion"].at()["estimate"], 6), states.settled()["state"].tolist()
    (0.7, [])
    """
    point = _quantities(model, model.solve(np.ones((1, model.counts.n_units))), timed=timed)
    kept: dict[str, list[Floats]] = {name: [] for name in point}
    worth: list[Floats] = []
    for weights, solved in model.draws(n_draws, seed):
        for name, drawn in _quantities(model, solved, timed=timed).items():
            kept[name].append(drawn)
        worth.append(_worth(value, model.counts.n_units, weights))
    draws = {name: np.concatenate(parts) for name, parts in kept.items()}
    money = _worth(value, model.counts.n_units, np.ones((1, model.counts.n_units)))
    for numbers, of_money in ((point, money), (draws, np.concatenate(worth))):
        numbers["remaining_value"] = numbers["conversion"] * of_money[:, None]
        numbers["start:remaining_value"] = numbers["start:conversion"] * of_money
    states = _state_outcomes(model, {name: v[0] for name, v in point.items()}, draws, n_draws)
    n = departures_of(model.counts)[model.edges[:, 0]]
    of_edge = {
        name: percentile_interval(point["edge:" + name][0], draws["edge:" + name], n)
        for name in EDGE_QUANTITIES
    }
    of_edge["change"] = _changes(model, states.of_state["conversion"], draws["conversion"])
    return states, EdgeOutcomes(model.names, model.edges, of_edge, n_draws)


def _changes(model: ChainModel, hit: Estimates, draws: Floats) -> Estimates:
    """Change of the journey's own conversion with each move; draws of a state that never converts do not vary.

    So the intervals of both ends are joined, with their correlation over the draws.
    """
    rows, cols = model.edges.T
    ends = np.array([1.0, 0.0])
    share, lower, upper = (np.concatenate([part, ends]) for part in (hit.estimate, hit.lower, hit.upper))
    column = Estimates(share, lower, upper, np.concatenate([hit.n, [0, 0]]))
    apart = draws - draws.mean(axis=0)
    sd = np.sqrt((apart**2).sum(axis=0))
    known = np.flatnonzero(cols < model.k)
    product = sd[rows[known]] * sd[cols[known]]
    together = np.einsum("bm,bm->m", apart[:, rows[known]], apart[:, cols[known]])
    rho = np.zeros(len(rows))
    # Solved probabilities of 0 and 1 carry rounding.
    rho[known] = np.divide(together, product, out=np.zeros_like(product), where=product > ROUNDING)
    found = difference_of_shares(_at(column, cols), _at(column, rows), np.clip(rho, -1, 1))
    return Estimates(found.estimate, found.lower, found.upper, departures_of(model.counts)[rows])


def _at(values: Estimates, places: Ints) -> Estimates:
    return Estimates(values.estimate[places], values.lower[places], values.upper[places], values.n[places])


def _worth(value: float | GoalValue | None, n_units: int, weights: Floats) -> Floats:
    """Mean money of a conversion in each draw."""
    if value is None:
        return np.full(len(weights), np.nan)
    if not isinstance(value, GoalValue):
        return np.full(len(weights), float(value))
    money = np.bincount(value.unit, weights=value.value, minlength=n_units)
    n = np.bincount(value.unit, weights=value.n, minlength=n_units)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((weights @ money) / (weights @ n))


def _quantities(model: ChainModel, found: Solved, *, timed: bool) -> dict[str, Floats]:
    """Every quantity in each draw: those of states, of the start ("start:...") and of edges ("edge:...")."""
    solved, full, wait = found.solved, found.moves, found.wait_s
    hit, start, at_goal = solved.hit, found.start, found.at_goal
    rows, cols = model.edges[:, 0], model.edges[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        given = solved.visits * hit / solved.conversion[:, None]
        slope = derivative(solved, full)[:, rows, cols]
        elasticity = slope * full[:, rows, cols] / solved.conversion[:, None]
    steps, nowhere = remaining_steps(solved), np.full(hit.shape, np.nan)
    seconds = remaining_time(solved, full, wait) if timed else nowhere
    out = {
        "conversion": hit,
        "visits": solved.visits,
        "visits_given_goal": np.where(np.isfinite(given), given, np.nan),
        "remaining_steps": steps,
        "remaining_seconds": seconds,
        "steps_to_goal": steps_to_goal(solved),
        "seconds_to_goal": seconds_to_goal(solved, full, wait) if timed else nowhere,
        "start:conversion": solved.conversion,
        "start:remaining_steps": np.einsum("bi,bi->b", start, steps),
        "start:remaining_seconds": np.einsum("bi,bi->b", start, seconds),
        "start:steps_to_goal": given_goal(events_to_goal(solved, start), solved, start, at_goal),
        "start:seconds_to_goal": np.full(len(hit), np.nan),
        "edge:given_goal": h_transform(solved, full)[:, rows, cols],
        "edge:slope": slope,
        "edge:elasticity": np.where(np.isfinite(elasticity), elasticity, np.nan),
    }
    if timed:
        taken = time_to_goal(solved, start, full, wait)
        out["start:seconds_to_goal"] = given_goal(taken, solved, start, at_goal)
    return out


def _state_outcomes(
    model: ChainModel, point: dict[str, Floats], draws: dict[str, Floats], n_draws: int
) -> StateOutcomes:
    counts = model.counts
    departures, starts = departures_of(counts), counts.n_starts
    of_state: dict[str, Estimates] = {}
    of_start: dict[str, Estimates] = {}
    for name in STATE_QUANTITIES:
        begun = "start:" + name
        if name == "conversion":
            share, whole = share_intervals(counts, point[name], draws[name], point[begun], draws[begun])
            of_state |= {name: share, "drop_out": _complement(share)}
            of_start |= {name: whole, "drop_out": _complement(whole)}
            continue
        n = np.full(counts.n_states, starts) if name.startswith("visits") else departures
        of_state[name] = percentile_interval(point[name], draws[name], n)
        if begun in point:
            of_start[name] = percentile_interval(point[begun], draws[begun], starts)
    return StateOutcomes(counts.states, of_state, of_start, n_draws)


def share_intervals(
    counts: ChainCounts, of_state: Floats, state_draws: Floats, of_start: Floats, start_draws: Floats
) -> tuple[Estimates, Estimates]:
    """Intervals of probabilities, of each state and of a journey that has not begun."""
    shape = (counts.n_units, counts.n_states)
    visits = unit_matrix(counts.unit, counts.source, counts.n, shape)
    starts = unit_column(np.bincount(counts.start_unit, weights=counts.start_n, minlength=counts.n_units))
    buckets = counts.buckets
    return (
        share_from_draws(of_state, state_draws, departures_of(counts), trials=visits, buckets=buckets),
        share_from_draws(of_start, start_draws, counts.n_starts, trials=starts, buckets=buckets),
    )


def departures_of(counts: ChainCounts) -> Ints:
    """Visits from which it is known where they led, by state."""
    return np.bincount(counts.source, weights=counts.n, minlength=counts.n_states).astype(np.int64)


def _complement(share: Estimates) -> Estimates:
    return Estimates(1 - share.estimate, 1 - share.upper, 1 - share.lower, share.n)
