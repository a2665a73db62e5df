"""Intervals of first passages and committors: where a journey gets to, and what it reaches first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import OptionError, shown
from journeymine.markov.analytics import departures_of, share_intervals
from journeymine.markov.outcomes import StateOutcomes
from journeymine.markov.passage import committor, passage_to
from journeymine.uncertainty import N_DRAWS, percentile_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from journeymine.markov.estimation import ChainModel, Solved

    Floats = NDArray[np.float64]


def passage_outcomes(
    model: ChainModel,
    targets: Iterable[str],
    *,
    n_draws: int = N_DRAWS,
    seed: int = 0,
    timed: bool = True,
) -> StateOutcomes:
    """Whether a journey ever reaches one of the targets, and how far away they are if it does.

    `reach` is the probability from each state; `steps` and `seconds` until the first of them, given that one is
    reached: 1 and 0 in a target itself.

    Parameters
    ----------
    targets
        Names of states, "(goal)" or "(dropped)".

    Raises
    ------
    OptionError
        No target, or one that is not a state.

    Examples
    --------
    >>> from journeymine.markov.estimation import ChainModel
    >>> from journeymine.markov.lists import count_lists
    >>> counts, _ = count_lists([["a", "b", "paid"], ["a"], ["a", "a", "b"]], goal="paid", weights=[20, 30, 50])
    >>> found = passage_outcomes(ChainModel(counts), ["b"], n_draws=200, timed=False)
    >>> found.of_state["reach"].estimate.round(3).tolist(), found.of_state["steps"].estimate.round(3).tolist()
    ([0.7, 1.0], [1.5, 0.0])
    """
    columns = model.columns(targets, "targets")

    def of(found: Solved) -> dict[str, Floats]:
        passage = passage_to(found.moves, columns, found.wait_s if timed else None)
        reach, start = passage.reach, found.start
        total = np.einsum("bi,bi->b", start, reach)
        if model.k in columns:
            total = total + found.at_goal
        out = {"reach": reach, "start:reach": total}
        for name, value in (("steps", passage.moves), ("seconds", passage.seconds)):
            if value is not None:
                taken = np.einsum("bi,bi->b", start, np.where(reach > 0, reach * np.nan_to_num(value), 0.0))
                with np.errstate(divide="ignore", invalid="ignore"):
                    out |= {name: value, "start:" + name: np.where(total > 0, taken / total, np.nan)}
        return out

    return _simple_outcomes(model, of, "reach", n_draws, seed)


def committor_outcomes(
    model: ChainModel, a: Iterable[str], b: Iterable[str], *, n_draws: int = N_DRAWS, seed: int = 0
) -> StateOutcomes:
    """Probability that a journey reaches one of `b` before any of `a`, from each state.

    Journeys that end without either count as not reaching `b`.

    Raises
    ------
    OptionError
        A set is empty or holds a name that is not a state, or both hold the same one.
    """
    before, first = model.columns(a, "a"), model.columns(b, "b")
    both = sorted(set(before) & set(first))
    if both:
        name = model.names[both[0]]
        raise OptionError(f"a and b both hold {shown(name)}.", hint="give two sets without a common state.")

    def of(found: Solved) -> dict[str, Floats]:
        value = committor(found.moves, before, first)
        total = np.einsum("bi,bi->b", found.start, value)
        return {"committor": value, "start:committor": total + (found.at_goal if model.k in first else 0.0)}

    return _simple_outcomes(model, of, "committor", n_draws, seed)


def _simple_outcomes(
    model: ChainModel, of: Callable[[Solved], dict[str, Floats]], share: str, n_draws: int, seed: int
) -> StateOutcomes:
    """Outcomes of a function of the chain whose quantity `share` is a probability."""
    counts = model.counts
    point = {name: v[0] for name, v in of(model.solve(np.ones((1, counts.n_units)))).items()}
    parts = [of(found) for _, found in model.draws(n_draws, seed)]
    draws = {name: np.concatenate([part[name] for part in parts]) for name in point}
    begun = "start:" + share
    state, start = share_intervals(counts, point[share], draws[share], point[begun], draws[begun])
    of_state, of_start = {share: state}, {share: start}
    for name, value in point.items():
        if name.startswith("start:") and name != begun:
            of_start[name[6:]] = percentile_interval(value, draws[name], counts.n_starts)
        elif name not in (share, begun):
            of_state[name] = percentile_interval(value, draws[name], departures_of(counts))
    return StateOutcomes(counts.states, of_state, of_start, n_draws)
