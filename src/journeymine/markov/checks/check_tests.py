"""Do rows of a chain differ between groups, and by how much? The tests and effects behind the checks.

The table of a state has a row of targets for each group. Its score, observed less expected moves, is a sum over
customers. With z_u what customer u adds to it, scaled so that the squared length of the sum is Pearson's
chi-square, chi-square falls apart into the squared lengths of the z_u, which are noise, and the products of
different customers, whose mean is 0 if the groups go on alike. Only the latter are used:

- the first two moments of chi-square come from the z_u, the second one from products of different customers, which
  keeps it unbiased when there are more cells than customers (Chen and Qin 2010); the test is the second-order
  correction of Rao and Scott (1984) with these moments, in the F form of Thomas and Rao (1987);
- a rare cell blows up the squared length of one z_u but not its products with others, so the level holds in sparse
  tables; shares that are estimated add the product of the noises of the margins to the mean, which for independent
  moves is the exact excess of Haldane (1940), and is taken off;
- customers may share rows, return often and differ from each other: only their independence is used.

The effect is a share of moves. If a share d of the moves of a state goes to one target instead of another, the
distance of the rows is d; in general it is the root of half the mean squared distance between the row of a group and
the row of all, over all moves. If the difference is spread over many targets, total variation is larger. Total
variation itself is above 0 by noise alone and cannot be estimated without bias (Cai and Low 2011); its square root of
squares can: noise is subtracted. Its interval inverts the non-central chi-square distribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from journeymine.uncertainty import LEVEL, quantile_of_normal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.markov.checks.check_tables import StateMoves

    Floats = NDArray[np.float64]

MIN_UNITS = 10
"""Customers (or buckets) that must have visited a state: fewer do not tell how much customers differ."""
MANY = 1e4
"""Degrees of freedom, or non-centrality, from which a chi-square is as good as normal."""
TINY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """A squared length ||sum of z_u||^2: the products of all z_u, shape (n_units, n_units), and its bias.

    Attributes
    ----------
    products
        Inner products z_u . z_v; those of tables that are added up are added up.
    margins
        What shares that are estimated add to its mean, summed over tables.
    """

    products: Floats
    margins: float

    @property
    def noise(self) -> float:
        """Mean of the squared length if nothing differs."""
        return float(np.trace(self.products))

    @property
    def spread(self) -> float:
        """Half the variance of the squared length if nothing differs."""
        own = np.diag(self.products)
        return float(max((self.products * self.products).sum() - (own * own).sum(), 0.0))

    @property
    def signal(self) -> float:
        """Squared length less its mean if nothing differs."""
        return float(self.products.sum()) - self.noise - self.margins

    def __add__(self, other: Form) -> Form:
        return Form(self.products + other.products, self.margins + other.margins)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Sums that tests and effects of one state, or of several, are made from.

    Attributes
    ----------
    chi_square, flat
        Scaled as Pearson's statistic; and as n times the mean squared distance of the rows.
    cells
        Degrees of freedom of independent moves.
    pull
        First-order influence of each unit on the squared distance, times n; shape (n_units,).
    visits
        Moves of each unit, shape (n_units,).
    """

    chi_square: Form
    flat: Form
    cells: int
    pull: Floats
    visits: Floats

    @property
    def n(self) -> float:
        """Number of moves."""
        return float(self.visits.sum())

    @property
    def design_effect(self) -> float:
        """Variance of the score over that of independent moves."""
        return self.chi_square.noise / self.cells

    def __add__(self, other: Table) -> Table:
        return Table(
            self.chi_square + other.chi_square,
            self.flat + other.flat,
            self.cells + other.cells,
            self.pull + other.pull,
            self.visits + other.visits,
        )


@dataclass(frozen=True, slots=True)
class Deviation:
    """How far the rows of the groups are apart, and whether that can be chance.

    Attributes
    ----------
    statistic, df, df_units
        Corrected chi-square, its degrees of freedom (not whole), and those of the customers behind them.
    p_value
        Probability of so large a statistic if the groups go on alike.
    effect, lower, upper
        Share of moves that go elsewhere, with its 95 % interval; 0 where noise explains the difference.
    n
        Moves that were compared.
    design_effect
        How much the moves of one customer go together; 1 is independence.
    """

    statistic: float
    df: float
    df_units: int
    p_value: float
    effect: float
    lower: float
    upper: float
    n: int
    design_effect: float


def table_of(moves: StateMoves) -> Table:
    """The sums of one state."""
    counts = moves.counts
    units = counts.shape[0]
    total = counts.sum(axis=0)
    by_group, by_target, n = total.sum(axis=1), total.sum(axis=0), float(total.sum())
    part, share = by_group / n, by_target / n
    unit_group, unit_target, visits = counts.sum(axis=2), counts.sum(axis=1), counts.sum(axis=(1, 2))
    # What each unit adds to observed less expected.
    added = counts - unit_group[:, :, None] * share - part[:, None] * unit_target[:, None, :]
    added += (visits[:, None, None] * part[:, None]) * share
    flat = (added / np.sqrt(by_group)[:, None]).reshape(units, -1)
    pearson = (added / np.sqrt(by_group[:, None] * share)).reshape(units, -1)
    group_noise = float((((unit_group - visits[:, None] * part) ** 2) / by_group).sum())
    target_noise = (unit_target - visits[:, None] * share) ** 2
    row = total / by_group[:, None]
    lean = 2 * row - (row**2).sum(axis=1, keepdims=True) - 2 * share + (share**2).sum()
    return Table(
        Form(pearson @ pearson.T, group_noise * float((target_noise / by_target).sum()) / n),
        Form(flat @ flat.T, group_noise * float(target_noise.sum()) / n**2),
        (len(by_group) - 1) * (len(by_target) - 1),
        counts.reshape(units, -1) @ lean.ravel(),
        visits,
    )


def deviation(table: Table) -> Deviation | None:
    """Test and effect of a table; None if too few units visited it or nothing can vary.

    Examples
    --------
    Of 200 customers half come from each of two steps; 60 and 40 of 100 go on to the first target:

    >>> from journeymine.markov.checks.check_tables import GroupedMoves, moves_by_state
    >>> ids, came = np.arange(200), np.arange(200) // 100
    >>> column = 1 + (ids % 100 >= np.where(came, 40, 60))
    >>> moves = GroupedMoves(ids, ids * 0, came, column, ids * 0 + 1, ("a", "b"), 1, 200)
    >>> found = deviation(table_of(next(moves_by_state(moves))))
    >>> round(found.statistic, 2), round(found.df, 2), round(found.p_value, 4), round(found.effect, 3)
    (8.04, 1.01, 0.0051, 0.094)
    """
    active = int((table.visits > 0).sum())
    form = table.chi_square
    if active < MIN_UNITS or form.spread <= TINY or table.flat.spread <= TINY:
        return None
    scale = form.spread / form.noise
    df = form.noise / scale
    statistic = max(form.signal / scale + df, 0.0)
    n = table.n
    distance = _interval(
        table.flat.signal / n,
        table.flat.noise / n,
        table.flat.spread / n**2,
        _pull_variance(table.pull / n, 2 * np.diag(table.flat.products) / n, table.visits / n),
    )
    effect = [float(np.sqrt(value / 2)) for value in distance]
    return Deviation(
        statistic,
        df,
        active - 1,
        float(special.fdtrc(df, df * (active - 1), statistic / df)),
        effect[0],
        effect[1],
        effect[2],
        round(n),
        table.design_effect,
    )


def _pull_variance(pull: Floats, own: Floats, weight: Floats) -> float:
    """Variance of what units add to an estimate by first-order influence, without what each adds by its own noise."""
    others = pull - own
    active = int((weight > 0).sum())
    centred = others - others.sum() * weight
    return float(centred @ centred) * active / (active - 1)


def _interval(signal: float, noise: float, spread: float, pull: float) -> tuple[float, float, float]:
    """Estimate and 95 % interval of a squared length.

    The squared length with its noise is taken as a multiple of a non-central chi-square. The multiple is the
    variance in the direction of the difference: `pull` over four times the squared length, noise included in both.
    """
    scale = max(pull, TINY**2) / (4 * max(signal + noise, TINY))
    df, estimate = spread / scale**2, max(signal, 0.0)
    # Below what noise alone gives on average the upper bound would only say how lucky the sample was.
    if max(df, signal / scale) > MANY:
        lower, upper = _normal_bound(signal, spread, scale, -1), _normal_bound(estimate, spread, scale, 1)
    else:
        at, tail = signal / scale + df, (1 - LEVEL) / 2
        lower = scale * float(special.chndtrinc(at, df, 1 - tail)) if at > 0 else 0.0
        upper = scale * float(special.chndtrinc(max(at, df), df, tail))
    # The inverse returns the smallest number there is for 0.
    return estimate, min(lower, estimate) if lower > TINY * scale else 0.0, max(upper, estimate)


def _normal_bound(signal: float, spread: float, scale: float, side: int) -> float:
    """Bound of a squared length with variance 2 spread + 4 scale x: x at which `signal` is on the edge."""
    z2 = quantile_of_normal(LEVEL) ** 2
    root = np.sqrt(4 * z2 * z2 * scale * scale + z2 * max(2 * spread + 4 * scale * signal, 0.0))
    return max(float(signal + 2 * z2 * scale + side * root), 0.0)
