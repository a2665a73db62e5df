"""The inert event: customers are split at random, and the machinery that finds fixes must find nothing.

Halves that no data decided are compared by the same test as segments are (`paths/row_tests.py`), activity by
activity, with false discoveries controlled in each split. If tests call more differences real than their level
allows, then their level does not hold in this log (sparse rows, a few customers with most of the visits), and what
was found by them is not to be trusted. A quiet placebo says that the tests are sound; it says nothing about hidden
differences between customers, which a random split cannot have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special, stats

from journeymine.errors import OptionError, shown
from journeymine.fixes.candidates import ScopedDrops
from journeymine.paths.row_tests import MIN_EXPECTED, TINY
from journeymine.uncertainty import Estimates, benjamini_hochberg, generator, quantile_of_normal, unit_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.chain import DropCounts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

REPEATS = 20
LEVEL = 0.05
"""False discovery rate of each split, the one of the candidates."""
QUIET = 0.01
"""So many splits with a finding, or more, must be at least this likely by chance."""


@dataclass(frozen=True, slots=True, eq=False)
class PlaceboResult:
    """What random splits of the customers seem to show.

    Attributes
    ----------
    n_tested, n_kept
        Tests over all splits, and those kept after the control of false discoveries within their split.
    n_splits, n_splits_kept
        Splits, and those with a test that was kept; by chance at most one in twenty.
    largest
        The most striking difference in drop-out between two halves. Its interval allows for having been picked from
        all tests: it holds 0 in 95 % of logs in which nothing is wrong. nan where nothing could be tested.
    state
        Where that was; -1 where nothing could be tested.
    quiet
        Whether chance explains what was kept.
    """

    n_tested: int
    n_kept: int
    n_splits: int
    n_splits_kept: int
    largest: Estimates
    state: int
    quiet: bool


def random_halves(n_units: int, repeats: int, seed: int) -> Floats:
    """Which half each unit is in, 0 or 1, for each split; shape (n_units, repeats). Halves differ by at most one."""
    rng = generator(seed, "placebo")
    return np.stack([rng.permutation(n_units) % 2 for _ in range(repeats)], axis=1).astype(float)


def placebo_tests(
    drops: DropCounts, n_states: int, *, seed: int = 0, repeats: int = REPEATS
) -> PlaceboResult:
    """Test whether drop-out differs between random halves of the customers.

    Parameters
    ----------
    drops
        Visits and drops of every activity.
    n_states
        Number of activities.
    repeats
        Number of splits.

    Examples
    --------
    >>> from journeymine.counts.chain import DropCounts
    >>> ids, zero = np.arange(400), np.zeros(400, int)
    >>> drops = DropCounts(ids, zero, zero, zero, zero + 1, zero + 1, ids % 2, 400, None, None, 1)
    >>> result = placebo_tests(drops, 1)
    >>> result.n_tested, result.quiet
    (20, True)
    """
    if repeats < 1:
        raise OptionError(f"repeats is {shown(repeats)}, expected at least 1.")
    halves = random_halves(drops.n_units, repeats, seed)
    tests = [_tests_of(drops.of_state(state), halves) for state in range(n_states)]
    p, gap, error, n = (
        np.array([getattr(test, name) for test in tests]).reshape(n_states, repeats)
        for name in ("p_value", "gap", "error", "n")
    )
    made = np.isfinite(p)
    kept = np.zeros_like(made)
    for r in range(repeats):
        kept[made[:, r], r] = benjamini_hochberg(p[made[:, r], r]) <= LEVEL
    splits = int(kept.any(axis=0).sum())
    state, largest = _largest(p, gap, error, n)
    by_chance = float(stats.binom.sf(splits - 1, repeats, LEVEL))
    return PlaceboResult(
        int(made.sum()), int(kept.sum()), repeats, splits, largest, state, by_chance >= QUIET
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Tests:
    """Tests of one activity, one a split; nan where the halves cannot be compared; shape (repeats,)."""

    p_value: Floats
    gap: Floats
    error: Floats
    n: Floats


def _tests_of(here: DropCounts, halves: Floats) -> _Tests:
    """`row_test` of two groups for all splits at once.

    A unit is in one half only, so the clustered variance of the residuals is the same for every split, and observed
    less expected drops of a half are the sum of its residuals.
    """
    none = np.full(halves.shape[1], np.nan)
    cells, place = np.unique(here.cell, return_inverse=True)
    n, drops = here.n.astype(float), here.drops.astype(float)
    total = np.maximum(np.bincount(place, n, len(cells)), TINY)
    rate = np.bincount(place, drops, len(cells)) / total
    independent = float((total * rate * (1 - rate)).sum())
    if independent <= 0:
        return _Tests(none, none, none, none)
    residual = np.bincount(here.unit, drops - rate[place] * n, here.n_units)
    effect = max(float((residual**2).sum()) / independent, 1.0)
    in_half = np.asarray(
        unit_matrix(here.unit, place, n, (here.n_units, len(cells))).T @ halves
    )  # (cells, repeats)
    share = in_half / total[:, None]
    spread = np.where(total > 1, rate * (1 - rate) * total**2 / np.maximum(total - 1, 1), 0.0)
    variance = (spread[:, None] * share * (1 - share)).sum(axis=0)
    expected = (rate[:, None] * in_half).sum(axis=0)
    size = in_half.sum(axis=0)
    smallest = np.minimum.reduce(
        [expected, size - expected, drops.sum() - expected, n.sum() - drops.sum() - size + expected]
    )
    score = residual @ halves
    # Score over its information is the difference in drop-out, halves compared within cells.
    information = (total[:, None] * share * (1 - share)).sum(axis=0)
    usable = (smallest >= MIN_EXPECTED) & (variance > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = special.chdtrc(1, score**2 / variance / effect)
        gap, error = score / information, np.sqrt(variance * effect) / information
    return _Tests(*(np.where(usable, x, np.nan) for x in (p, gap, error, np.full_like(p, n.sum()))))


def _largest(p: Floats, gap: Floats, error: Floats, n: Floats) -> tuple[int, Estimates]:
    """The difference furthest from 0 in its errors; its interval is as wide as for all tests at once (Sidak)."""
    made = np.isfinite(p)
    if not made.any():
        nothing = np.array(np.nan)
        return -1, Estimates(nothing, nothing, nothing, np.array(0))
    at = np.unravel_index(int(np.argmin(np.where(made, p, np.inf))), p.shape)
    reach = quantile_of_normal((1 - LEVEL) ** (1 / int(made.sum()))) * error[at]
    size = np.array(int(n[at]))
    return int(at[0]), Estimates(gap[at], gap[at] - reach, gap[at] + reach, size)


def placebo_scopes(drops: DropCounts, state: int, *, seed: int = 0) -> tuple[ScopedDrops, ScopedDrops]:
    """A fix that brings the drop-out of a random half of the customers to that of the other: scope and reference.

    Its effect must cover 0.
    """
    here = drops.of_state(state)
    half = random_halves(drops.n_units, 1, seed)[here.unit, 0] > 0
    scope, reference = (
        ScopedDrops(
            here.unit[keep],
            here.cell[keep],
            here.cell[keep],
            here.n_all[keep].astype(float),
            here.n[keep].astype(float),
            here.drops[keep].astype(float),
        )
        for keep in (half, ~half)
    )
    return scope, reference
