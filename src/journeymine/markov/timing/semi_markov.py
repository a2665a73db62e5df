"""Sojourn times of a semi-Markov chain: how long a visit lasts before each of the moves that follow it.

The waits of an edge are read off the estimated kernel (`semi_kernel.py`), so that visits which were still waiting where
the log ends count for as long as they were seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import OptionError, shown
from journeymine.markov.priors import GOAL_COLUMN
from journeymine.markov.timing.semi_kernel import Kernel, estimate_kernel, share_below
from journeymine.uncertainty import (
    Estimates,
    effective_size,
    few_units,
    rows_that_go_together,
    unit_column,
    wilson_of_share,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.visit_waits import VisitWaits

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

QUANTILES = (0.5, 0.9)
MICRO = 1e-6
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class SemiMarkov:
    """Sojourn times: how long a visit lasts before each of the moves that follow it.

    Attributes
    ----------
    kernel
        The kernel they are read off.
    edges
        Source and column of each edge, without dropping out, shape (m, 2).
    quantiles
        Which quantiles, shape (q,).
    wait_s
        Quantiles of the wait before each move, in seconds; shape (m, q). `n` counts the moves seen.
    """

    kernel: Kernel
    edges: Ints
    quantiles: tuple[float, ...]
    wait_s: Estimates

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the states."""
        return self.kernel.waits.states

    def to_frame(self) -> pd.DataFrame:
        """One row a quantile of an edge: source, target, quantile, estimate, lower, upper (seconds), n (moves)."""
        import pandas as pd

        names = (*self.states, GOAL_COLUMN)
        q = len(self.quantiles)
        return pd.DataFrame(
            {
                "source": [names[i] for i in self.edges[:, 0] for _ in range(q)],
                "target": [names[j] for j in self.edges[:, 1] for _ in range(q)],
                "quantile": list(self.quantiles) * len(self.edges),
                "estimate": self.wait_s.estimate.ravel(),
                "lower": self.wait_s.lower.ravel(),
                "upper": self.wait_s.upper.ravel(),
                "n": self.wait_s.n.ravel(),
            }
        )

    def __repr__(self) -> str:
        w = self.kernel.waits
        return (
            f"SemiMarkov: sojourn times of {len(self.edges)} edges between {w.n_states} states and the goal\n"
            f"{w.n_visits:,} visits, {w.n_waiting:,} of them still waiting at the end of the log\n"
            "Next: .to_frame()"
        )


def fit_semi_markov(
    waits: VisitWaits | None, chain: ChainCounts, *, quantiles: Sequence[float] = QUANTILES
) -> SemiMarkov:
    """Sojourn times of every move of a chain, with intervals over customers.

    The interval of a quantile is that of the share of waits below it, read back through the distribution (Woodruff
    1952).

    Raises
    ------
    NotEnoughDataError
        There are no times.
    OptionError
        A quantile is not between 0 and 1, or the waits are not those of the chain.
    """
    for level in quantiles:
        if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 1:
            raise OptionError(f"quantiles holds {shown(level)}, expected numbers between 0 and 1.")
    kernel = estimate_kernel(waits, chain)
    levels = tuple(float(level) for level in quantiles)
    moved = np.flatnonzero(kernel.edges[:, 1] <= chain.n_states)
    found = _quantiles(kernel, moved, np.array(levels))
    return SemiMarkov(kernel, kernel.edges[moved], levels, found)


def _quantiles(kernel: Kernel, chosen: Ints, levels: Floats) -> Estimates:
    """Quantiles of the waits of some edges in seconds, shape (len(chosen), len(levels))."""
    w, shape = kernel.waits, (len(chosen), len(levels))
    estimate, lower, upper = (np.full(shape, np.nan) for _ in range(3))
    n = np.zeros(shape, dtype=np.int64)
    by_unit = kernel.rows_by_unit().tocsc()
    curves = _curves(kernel)
    source = kernel.edges[chosen, 0]
    for state in np.unique(source):
        risks, here = kernel.risks[state], np.flatnonzero(source == state)
        own = by_unit[:, risks.entry].tocsr()
        for row in here:
            edge = int(chosen[row])
            mine = kernel.edge[risks.entry] == edge
            x, below = curves[edge]
            estimate[row] = _inverse(levels, below, x)
            inside = share_below(w, risks.entry, estimate[row])
            value = np.where(mine[:, None], inside - levels, 0.0) / kernel.incidence[edge]
            influence = own @ risks.influence(value)
            moves = own[:, np.flatnonzero(mine)].sum(axis=1)
            lower[row], upper[row] = _woodruff(levels, influence, moves, x, below, buckets=w.buckets)
            n[row] = int(moves.sum())
    return Estimates(estimate * MICRO, lower * MICRO, upper * MICRO, n)


def _curves(kernel: Kernel) -> list[tuple[Floats, Floats]]:
    """Distribution function of the waits of each edge: corners (wait, share at or below)."""
    entry, mass, low, high = kernel.pieces()
    edge = kernel.edge[entry]
    order = np.lexsort((high, low, edge))
    edge, mass, low, high = edge[order], mass[order], low[order], high[order]
    ends = np.searchsorted(edge, np.arange(len(kernel.edges) + 1))
    found = []
    for a, b in pairwise(ends.tolist()):
        total = np.cumsum(mass[a:b])
        total = total / total[-1]
        before = np.concatenate([[0.0], total[:-1]])
        found.append(
            (np.stack([low[a:b], high[a:b]], axis=1).ravel(), np.stack([before, total], axis=1).ravel())
        )
    return found


def _inverse(level: Floats, below: Floats, x: Floats) -> Floats:
    """The smallest wait that a share of all does not exceed."""
    # Where the function is flat, its left end; without the hair, rounding would decide.
    return np.asarray(np.interp(np.maximum(level - ROUNDING, 0.0), below, x), dtype=float)


def _woodruff(
    levels: Floats, influence: Floats, moves: Ints, x: Floats, below: Floats, *, buckets: bool
) -> tuple[Floats, Floats]:
    """Intervals of quantiles from what each unit adds to the share below them."""
    total = np.full(len(levels), float(moves.sum()))
    n_units = float((moves > 0).sum())
    variance = (influence**2).sum(axis=0) * n_units / max(n_units - 1, 1.0)
    effective = few_units(effective_size(levels, variance, total), total, np.full(len(levels), n_units))
    if n_units == 1:
        effective = np.full(len(levels), rows_that_go_together(unit_column(moves), buckets=buckets)[0])
    low, high = wilson_of_share(levels, effective)
    return _inverse(low, below, x), _inverse(high, below, x)
