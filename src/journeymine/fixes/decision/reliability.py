"""Reliability: a fix that is said to be the best with 70 % should be it in 70 % of the worlds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.uncertainty import Estimates, generator, percentile_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

EDGES = np.linspace(0, 1, 11)
N_DRAWS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """How often what was said with a probability was so.

    Attributes
    ----------
    slope, intercept
        Of the least-squares line of what happened on what was said; 1 and 0 where probabilities are right, a slope
        below 1 where they are overconfident. Intervals over worlds; `n` worlds.
    said, happened
        Means in tenths of what was said that hold anything, shape (n_bins,); `n` statements.
    brier
        Mean squared distance between what was said and what happened.
    """

    slope: Estimates
    intercept: Estimates
    said: Floats
    happened: Estimates
    brier: float


def reliability(
    p: Floats, is_best: Floats, world: NDArray[np.integer] | None = None, *, seed: int = 0
) -> Reliability:
    """Score stated probabilities of being the best against the truth of many worlds.

    The line is the linear one of Cox's calibration (1958; here without logits): probabilities of exactly 0 and 1 and
    truths that are shared between fixes are what P(best) is made of, and neither has a logit. Its slope is 1 for
    every calibrated statement, as then E(truth | p) = p.

    Pool over worlds whose order varies: a benchmark in which one fix leads by the same gap in every log has the
    answer built in, and its slope shows the gap (0 for none, above 1 for a wide one), not the method.

    Parameters
    ----------
    p
        What was said of each fix of each world, shape (m,).
    is_best
        1 for the fix that is truly the best, 0 for others; 1 / c for each of c that are equally good; shape (m,).
    world
        World of each statement, shape (m,): worlds are resampled for the intervals. By default each is its own.
    seed
        Of that resampling.

    Raises
    ------
    OptionError
        Shapes differ, or a number is not between 0 and 1.
    NotEnoughDataError
        The same was said every time: no line can be drawn.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p = rng.uniform(size=4000)
    >>> found = reliability(p, (rng.uniform(size=4000) < p).astype(float))
    >>> bool(found.slope.lower < 1 < found.slope.upper), found.slope.n.tolist()
    (True, 4000)
    """
    p, truth = np.asarray(p, dtype=float), np.asarray(is_best, dtype=float)
    _check(p, truth)
    owner = np.arange(len(p)) if world is None else np.unique(world, return_inverse=True)[1]
    n_worlds = int(owner.max()) + 1
    sums = np.stack(
        [np.bincount(owner, x, n_worlds) for x in (np.ones_like(p), p, truth, p * p, p * truth)], axis=1
    )
    point = _line(sums.sum(axis=0)[None])
    picks = generator(seed, "reliability").multinomial(n_worlds, np.full(n_worlds, 1 / n_worlds), N_DRAWS)
    draws = _line(picks.astype(float) @ sums)
    slope, intercept = (percentile_interval(a[0], b, n_worlds) for a, b in zip(point, draws, strict=True))
    said, happened = _curve(p, truth, owner, picks)
    return Reliability(slope, intercept, said, happened, float(((p - truth) ** 2).mean()))


def _line(sums: Floats) -> tuple[Floats, Floats]:
    """Slope and intercept from sums of 1, p, y, p^2 and p y, shape (n, 5)."""
    n, p, y, pp, py = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (n * py - p * y) / (n * pp - p * p)
    return slope, (y - slope * p) / n


def _curve(
    p: Floats, truth: Floats, owner: NDArray[np.integer], picks: NDArray[np.integer]
) -> tuple[Floats, Estimates]:
    place = np.clip(np.searchsorted(EDGES, p, side="right") - 1, 0, len(EDGES) - 2)
    shape = (picks.shape[1], len(EDGES) - 1)
    at = owner * shape[1] + place
    n, said, won = (
        np.bincount(at, x, shape[0] * shape[1]).reshape(shape) for x in (np.ones_like(p), p, truth)
    )
    total = n.sum(axis=0)
    held = total > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        draws = (picks @ won[:, held]) / (picks @ n[:, held])
    share = won.sum(axis=0)[held] / total[held]
    counted = np.asarray(np.rint(total[held]), dtype=np.int64)
    return said.sum(axis=0)[held] / total[held], percentile_interval(share, draws, counted)


def _check(p: Floats, truth: Floats) -> None:
    if p.shape != truth.shape or p.ndim != 1:
        raise OptionError(f"p has the shape {p.shape} and is_best {truth.shape}, expected one list each.")
    for name, x in (("p", p), ("is_best", truth)):
        if not ((x >= 0) & (x <= 1)).all():
            raise OptionError(f"{name} holds a number that is not between 0 and 1.")
    if not len(p) or np.ptp(p) == 0:
        raise NotEnoughDataError("the same probability was stated every time, so no line can be drawn.")
