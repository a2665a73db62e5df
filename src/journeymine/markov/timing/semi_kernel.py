"""Semi-Markov kernel: where visits lead and how long that takes, with visits that are still waiting.

Each visit starts a clock, on which leaving for one of several targets are competing risks and the end of the log is
right-censoring. The cumulative incidence of each target is Aalen and Johansen's estimator (1978): the share still
waiting (Kaplan and Meier 1958) times the hazards of the targets. Dropping out shows after `idle` of silence, so it is
a risk at that wait; visits that the log does not follow for so long are censored before.

The kernel is q_ij(w) = p_ij g_ij(w). How long a move takes, g_ij, is the incidence of its target divided by what it
comes to in the end: all visits tell it, those still waiting too. How often it is made, p_ij, is the chain's matrix:
visits watched for `idle`. Both estimate the same limit, and the incidence would add what late visits did in the few
days they were seen; with the chain's row, however, the goal is reached in the end as often as the chain says, and a
report has one conversion and not two that differ by chance. The price is width: of a log with two open journeys in five
the interval of P(goal within 30 days) is two fifths wider than with the incidence of all visits.

Logs that begin while journeys are under way need nothing more here: the clock starts at a visit, and every visit is
seen from its start. Where journeys start is another matter (`EventLog.journeys(start=...)`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from journeymine.counts.visit_waits import JOURNEY
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.markov.timing.renewal import Grid, LatticeKernel, spread
from journeymine.uncertainty import unit_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.visit_waits import VisitWaits

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Risks:
    """Competing risks of leaving one state, on the clock of the visit.

    Attributes
    ----------
    entry
        Entries of the waits that come from this state, shape (m,).
    place
        Which of the distinct times each entry stands at, its mean wait; shape (m,).
    moves
        Whether an entry left, rather than was still waiting, shape (m,).
    mass
        Probability of leaving as an entry did; 0 for those still waiting, shape (m,).
    at_risk, stays, before
        Of each distinct time: visits still waiting, the share of them that stays, and the probability of waiting
        until then, shape (t,).
    """

    entry: Ints
    place: Ints
    moves: NDArray[np.bool_]
    mass: Floats
    at_risk: Floats
    stays: Floats
    before: Floats

    def influence(self, value: Floats) -> Floats:
        """What one visit of each entry adds to the sum of value x mass, to first order, shape (m, j).

        The derivative with respect to the hazards times the martingale residual of the visit (Andersen et al. 1993,
        section IV.4). At equal times those who leave go before those who are censored.

        Parameters
        ----------
        value
            Values of leaving as each entry did, shape (m, j).
        """
        size = len(self.entry)
        at = sparse.csr_array((self.mass, (self.place, np.arange(size))), (len(self.at_risk), size))
        here = np.asarray(at @ value, dtype=float)
        later = here.sum(axis=0) - np.cumsum(here, axis=0)
        stays, at_risk = self.stays[:, None], self.at_risk[:, None]
        # Where nobody stays nothing is still to come.
        to_come = np.divide(later, stays, out=np.zeros_like(later), where=stays > 0)
        drift = np.cumsum((here - to_come * (1 - stays)) / at_risk, axis=0)
        slope = (self.before[self.place, None] * value - to_come[self.place]) / at_risk[self.place]
        return np.asarray(np.where(self.moves[:, None], slope, 0.0) - drift[self.place])


def competing_risks(waits: VisitWaits) -> tuple[Risks, ...]:
    """Aalen and Johansen's estimator for every state, on the mean waits of the entries."""
    ends = np.searchsorted(waits.source, np.arange(waits.n_states + 1))
    return tuple(_risks(waits, np.arange(a, b)) for a, b in pairwise(ends.tolist()))


def journey_risks(waits: VisitWaits) -> Risks:
    """The same estimator for journeys as a whole, on the clock of the journey."""
    return _risks(waits, np.flatnonzero(waits.source == JOURNEY))


def _risks(waits: VisitWaits, entry: Ints) -> Risks:
    n, moves = waits.n[entry].astype(float), waits.column[entry] >= 0
    times, place = np.unique(waits.mean_us[entry], return_inverse=True)
    left, every = (np.bincount(place, weights=w, minlength=len(times)) for w in (np.where(moves, n, 0.0), n))
    at_risk = np.cumsum(every[::-1])[::-1].astype(float)
    stays = (at_risk - left) / at_risk
    before = np.concatenate([[1.0], np.cumprod(stays)[:-1]])[: len(times)]
    mass = np.where(moves, before[place] * n / at_risk[place], 0.0)
    return Risks(entry, place.astype(np.int64), moves, mass, at_risk, stays, before)


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """The estimated kernel q_ij(w) = p_ij g_ij(w).

    Attributes
    ----------
    waits
        What it was estimated on.
    edges
        Source and column (the k states, the goal, dropping out) of each edge of the chain, sorted, shape (m, 2).
    share
        p_ij, from the chain, shape (m,).
    incidence
        What Aalen and Johansen's incidence of each edge comes to in the end, shape (m,).
    edge
        Edge of each entry of the waits; -1 where it was still waiting, or the chain does not have it.
    weight
        Share of g_ij that each entry holds: sums to 1 over the entries of an edge.
    risks
        Competing risks of each state.
    """

    waits: VisitWaits
    edges: Ints
    share: Floats
    incidence: Floats
    edge: Ints
    weight: Floats
    risks: tuple[Risks, ...]

    def pieces(self) -> tuple[Ints, Floats, Floats, Floats]:
        """The distributions g_ij as uniform pieces: entry, share of the edge, lowest and highest wait.

        Each entry is two pieces that meet at its mean, with as much on either side as keeps the mean.
        """
        w = self.waits
        at = np.flatnonzero(self.edge >= 0)
        low, mean, high = w.low_us[at].astype(float), w.mean_us[at], w.high_us[at].astype(float)
        width = high - low
        left = np.divide(high - mean, width, out=np.ones_like(width), where=width > 0)
        mass = np.concatenate([left, 1 - left]) * np.tile(self.weight[at], 2)
        kept = mass > 0
        return (
            np.tile(at, 2)[kept],
            mass[kept],
            np.concatenate([low, mean])[kept],
            np.concatenate([mean, high])[kept],
        )

    def on_grid(self, grid: Grid) -> LatticeKernel:
        """The kernel on a grid, its means kept."""
        entry, mass, low, high = self.pieces()
        edge, step = self.edge[entry], grid.step_us
        density = spread(edge, mass * self.share[edge], low / step, high / step, len(self.edges), grid.size)
        return LatticeKernel(self.waits.n_states, self.edges, density)

    def influence_of_times(self, value: Floats, mean: Floats) -> Floats:
        """What one visit of each entry adds to the sum of p_ij g_ij(entry) value(entry) through the waits.

        Parameters
        ----------
        value
            Shape (n_entries, j); entries without an edge do not count.
        mean
            Its mean over each edge, shape (n_edges, j).

        Returns
        -------
        Shape (n_entries, j). Without effect is what does not depend on the wait: that is p_ij's.
        """
        # g_ij is the incidence divided by its end; entries without an edge take the 0 at the end.
        scale = np.append(self.share / self.incidence, 0.0)[self.edge]
        centred = value - np.append(mean, np.zeros((1, value.shape[1])), axis=0)[self.edge]
        centred *= scale[:, None]
        found = np.zeros_like(value)
        for risks in self.risks:
            found[risks.entry] = risks.influence(centred[risks.entry])
        return found

    def mean_value(self, value: Floats) -> Floats:
        """Mean of a value over the waits of each edge, shape (n_edges, j)."""
        on = np.flatnonzero(self.edge >= 0)
        shape = (len(self.edges), len(self.edge))
        return np.asarray(sparse.csr_array((self.weight[on], (self.edge[on], on)), shape) @ value)

    def rows_by_unit(self) -> sparse.csr_array:
        """Visits of each unit in each entry, shape (n_units, n_entries)."""
        w = self.waits
        return unit_matrix(w.row_unit, w.row_entry, w.row_n, (w.n_units, len(w.n)))


def estimate_kernel(waits: VisitWaits | None, chain: ChainCounts) -> Kernel:
    """Estimate the kernel from the waits of all visits and the moves of the watched ones.

    Raises
    ------
    NotEnoughDataError
        There are no times.
    OptionError
        The waits are not those of the chain.
    """
    if waits is None:
        hint = "read a log with timestamp=..., and fit the chain from it."
        raise NotEnoughDataError(
            "the chain has no times, so it is not known how long anything takes.", hint=hint
        )
    if waits.states != chain.states:
        raise OptionError("the waits are counted for other states than the chain.")
    width = chain.n_states + 2
    ids = chain.edges()
    edges = np.stack([ids // width, ids % width], axis=1)
    moves = np.searchsorted(ids, chain.source * width + chain.column(chain.target))
    n = np.bincount(moves, weights=chain.n, minlength=len(ids))
    visits = np.bincount(chain.source, weights=chain.n, minlength=chain.n_states)
    risks = competing_risks(waits)
    mass = np.zeros(len(waits.n))
    for risk in risks:
        mass[risk.entry] = risk.mass
    code = waits.source * width + waits.column
    place = np.searchsorted(ids, code).clip(max=max(len(ids) - 1, 0))
    known = (waits.source >= 0) & (waits.column >= 0) & (ids[place] == code if len(ids) else False)
    edge = np.where(known, place, -1).astype(np.int64)
    incidence = np.bincount(edge[known], mass[known], len(ids)).astype(float)
    if np.any(incidence <= 0):
        raise OptionError("the waits lack moves that the chain has: they are of other journeys.")
    weight = np.where(known, mass / incidence[edge] if len(ids) else 0.0, 0.0)
    return Kernel(waits, edges, n / visits[edges[:, 0]], incidence, edge, weight, risks)


def share_below(waits: VisitWaits, entry: Ints, at: Floats) -> Floats:
    """Share of the visits of each entry that waited at most so long, shape (len(entry), len(at))."""
    low, high = waits.low_us[entry, None].astype(float), waits.high_us[entry, None].astype(float)
    width = high - low
    share = np.divide(at - low, width, out=np.zeros((len(entry), len(at))), where=width > 0)
    return np.asarray(np.where(width > 0, np.clip(share, 0, 1), at >= low), dtype=float)
