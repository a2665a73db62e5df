"""Rows of small groups, shrunk towards the row of everybody: a hierarchical Dirichlet prior, learned from the groups.

The row of state i in group g is Dirichlet(a_i p_i): p_i the centre of the groups, a_i how alike they are at this
state. The moves of a group are then Dirichlet-multinomial, whose marginal likelihood says what a_i is (Minka
2000); a_i is not fixed at its best value but averaged over its likelihood under a uniform prior of the weight a / (a +
n) that the centre gets (Daniels 1999), because few groups say little about it. The centre weighs groups by n (a + 1) /
(n + a), the inverse variance of their shares (Kleinman 1973): large ones count less the more groups differ. Customers
repeat states: counts enter divided by the design effect of the row inside groups (Rao and Scott 1981).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse, special

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

GRID = 100
"""Values of the weight of the pooled row over which is averaged."""
SMALLEST = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class GroupedRows:
    """Moves by unit, group and edge; entries may be split, shape (m,).

    Attributes
    ----------
    unit, group, edge, n
        Edges are numbered from 0.
    source
        Row of each edge, shape (n_edges,).
    n_groups, n_rows
        How many there are.
    """

    unit: Ints
    group: Ints
    edge: Ints
    n: Floats
    source: Ints
    n_groups: int
    n_rows: int

    @property
    def table(self) -> Floats:
        """Moves by group and edge, shape (n_groups, n_edges)."""
        size = len(self.source)
        flat = np.bincount(self.group * size + self.edge, weights=self.n, minlength=self.n_groups * size)
        return flat.astype(float).reshape(self.n_groups, size)

    def by_row(self, values: Floats) -> Floats:
        """Sums over the edges of each row: the last axis goes from edges to rows."""
        shape = (len(self.source), self.n_rows)
        sums = sparse.csr_array((np.ones(shape[0]), (np.arange(shape[0]), self.source)), shape=shape)
        flat = values.reshape(-1, shape[0]) @ sums
        return np.asarray(flat).reshape(*values.shape[:-1], self.n_rows)


@dataclass(frozen=True, slots=True, eq=False)
class ShrunkRows:
    """Rows of groups between their own shares and those of everybody.

    Attributes
    ----------
    raw, shrunk
        Shares by group and edge, shape (n_groups, n_edges); raw is nan in rows without a move.
    weight
        Weight of the centre, shape (n_groups, n_rows); 1 where a group has no move.
    concentration
        The value of a_i of the highest marginal likelihood, shape (n_rows,): large where groups are alike.
    effective
        Moves divided by the design effect, shape (n_groups, n_edges).
    grid, posterior
        Values of a_i and their probabilities, shape (GRID, n_rows).
    centre
        Centre of the groups for each value of a_i, shape (GRID, n_edges).
    worth
        Independent moves that the centre is worth, shape (GRID, n_rows).
    """

    raw: Floats
    shrunk: Floats
    weight: Floats
    concentration: Floats
    effective: Floats
    grid: Floats
    posterior: Floats
    centre: Floats
    worth: Floats


def shrink_rows(rows: GroupedRows) -> ShrunkRows:
    """Shrink the rows of groups towards those of everybody.

    Examples
    --------
    Four groups alike, the last of them with two moves only:

    >>> group, edge = np.repeat(np.arange(4), 2), np.tile([0, 1], 4)
    >>> n = np.array([50.0, 50, 48, 52, 53, 47, 2, 0])
    >>> found = shrink_rows(GroupedRows(np.arange(8), group, edge, n, np.zeros(2, int), 4, 1))
    >>> found.raw[3].tolist(), found.shrunk[3].round(2).tolist()
    ([1.0, 0.0], [0.51, 0.49])
    """
    effective = rows.table / within_design_effects(rows)[rows.source]
    total = rows.by_row(effective)
    own = total[:, rows.source]
    raw = np.divide(effective, own, out=np.full(effective.shape, np.nan), where=own > 0)
    grid = _grid(total)
    worth, centre, logs = [], [], []
    for a in grid:
        size = total * (a + 1) / (total + a)
        worth.append(size.sum(axis=0))
        middle = (size[:, rows.source] * np.nan_to_num(raw)).sum(axis=0)
        centre.append(middle / np.maximum(worth[-1], SMALLEST)[rows.source])
        logs.append(_log_likelihood(rows, effective, total, a, centre[-1]))
    posterior = np.exp(np.array(logs) - np.max(logs, axis=0))
    posterior /= posterior.sum(axis=0)
    shrunk, weight = np.zeros(raw.shape), np.zeros(total.shape)
    for a, middle, part in zip(grid, centre, posterior, strict=True):
        lean = a / (a + total)
        weight += part * lean
        shares = lean[:, rows.source] * middle + (1 - lean[:, rows.source]) * np.nan_to_num(raw)
        shrunk += part[rows.source] * shares
    return ShrunkRows(
        raw=raw,
        shrunk=shrunk / np.maximum(rows.by_row(shrunk), SMALLEST)[:, rows.source],
        weight=np.where(total > 0, weight, 1.0),
        concentration=grid[posterior.argmax(axis=0), np.arange(rows.n_rows)],
        effective=effective,
        grid=grid,
        posterior=posterior,
        centre=np.array(centre),
        worth=np.array(worth),
    )


def within_design_effects(rows: GroupedRows) -> Floats:
    """Design effect of each row when groups may differ, shape (n_rows,), at least 1.

    Squares of what customers do more or less often than their own group, in units of the multinomial's.
    """
    size, table = len(rows.source), rows.table
    departures = rows.by_row(table)
    share = table / np.maximum(departures, SMALLEST)[:, rows.source]
    pairs, pair = np.unique(rows.unit * np.int64(rows.n_groups) + rows.group, return_inverse=True)
    group = pairs % rows.n_groups
    moves = sparse.csr_array((rows.n, (pair, rows.edge)), shape=(len(pairs), size))
    trials = sparse.csr_array((rows.n, (pair, rows.source[rows.edge])), shape=(len(pairs), rows.n_rows))
    members = sparse.csr_array(
        (np.ones(len(pairs)), (group, np.arange(len(pairs)))), shape=(rows.n_groups, len(pairs))
    )
    own = (members @ moves.multiply(moves)).toarray()
    mixed = (members @ moves.multiply(trials[:, rows.source])).toarray()
    squares = (members @ trials.multiply(trials)).toarray()[:, rows.source]
    customers = (members @ (trials > 0)).toarray().astype(float)
    # One customer says nothing about how customers of the group differ.
    correction = np.where(customers > 1, customers / np.maximum(customers - 1, 1), 0.0)
    between = correction[:, rows.source] * np.maximum(own - 2 * share * mixed + share**2 * squares, 0.0)
    alone = (correction > 0)[:, rows.source] * table * (1 - share)
    scale = 1 / np.maximum(table.sum(axis=0), 1.0)
    found = rows.by_row(between.sum(axis=0) * scale)
    expected = rows.by_row(alone.sum(axis=0) * scale)
    return np.asarray(
        np.maximum(np.divide(found, expected, out=np.ones(rows.n_rows), where=expected > 0), 1.0)
    )


def _grid(total: Floats) -> Floats:
    """Values of a, shape (GRID, n_rows): the centre's weight in a group of the usual size runs evenly from 0 to 1."""
    seen = total > 0
    logs = np.where(seen, np.log(np.maximum(total, SMALLEST)), 0.0).sum(axis=0)
    usual = np.exp(logs / np.maximum(seen.sum(axis=0), 1))
    weight = (np.arange(GRID) + 0.5) / GRID
    return np.asarray((weight / (1 - weight))[:, None] * usual)


def _log_likelihood(rows: GroupedRows, effective: Floats, total: Floats, a: Floats, centre: Floats) -> Floats:
    """Dirichlet-multinomial log-likelihood of all groups, by row, without what does not depend on `a`."""
    prior = np.maximum(a[rows.source] * centre, SMALLEST)
    moves = (special.gammaln(prior + effective) - special.gammaln(prior)).sum(axis=0)
    leaving = (special.gammaln(a + total) - special.gammaln(a)).sum(axis=0)
    return np.asarray(rows.by_row(moves) - leaving)


def draw_rows(rows: GroupedRows, found: ShrunkRows, n_draws: int, rng: np.random.Generator) -> Floats:
    """Draws of the rows of groups from their posterior, shape (n_draws, n_groups, n_edges).

    In each draw a_i comes from its posterior, the centre from a Dirichlet of what it is worth, and each group's row
    from Dirichlet(a_i centre + moves): the prior is as uncertain as it is.
    """
    steps = np.cumsum(found.posterior, axis=0)
    chosen = (rng.random((n_draws, 1, rows.n_rows)) > steps).sum(axis=1).clip(0, GRID - 1)
    row = np.arange(rows.n_rows)
    a, worth = found.grid[chosen, row][:, rows.source], found.worth[chosen, row][:, rows.source]
    middle = found.centre[chosen[:, rows.source], np.arange(len(rows.source))]
    centre = _shares(rows, worth * middle, rng)
    return _shares(rows, (a * centre)[:, None, :] + found.effective, rng)


def _shares(rows: GroupedRows, alpha: Floats, rng: np.random.Generator) -> Floats:
    """Draws of Dirichlet(alpha), row by row; an edge that nobody ever takes stays exactly 0."""
    # A gamma of a tiny shape underflows.
    drawn = np.where(alpha > 0, np.maximum(rng.standard_gamma(alpha), SMALLEST), 0.0)
    return np.asarray(drawn / np.maximum(rows.by_row(drawn), SMALLEST)[..., rows.source])
