"""A difference in conversion, split into who came and what they did.

Kitagawa (1955), Oaxaca (1973) and Blinder (1973): journeys are put into strata by the other segments and by the
activity they begin with. With the mean of both groups' strata, what remains of the difference is what journeys of
one kind did; the rest is composition, and so are kinds of journeys that only one group has. Each group's journeys
are weighted to the mean strata and their conversion is that of the weighted chain, so journeys under way are not
lost; where every outcome is known this equals the weighted share of converted journeys. The part of behaviour is a
sum over activities: between two chains C_a - C_b = v_a (P_a - P_b) h_b exactly (v visits, h conversion), and
likewise with a and b exchanged; the mean of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse, special

from journeymine.counts.compare import A, B
from journeymine.paths.mix_layout import lay_out
from journeymine.uncertainty import LEVEL, Estimates, bootstrap_weights, share_from_draws

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.compare import Groups, MoveCounts
    from journeymine.paths.mix_layout import Layout

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

N_DRAWS = 200
"""Only the variance is taken from the draws, which needs few of them."""
LEAK = 1e-9
CHUNK = 50


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One number with its interval over customers."""

    estimate: float
    lower: float
    upper: float
    n: int

    def at(self) -> dict[str, float | int] | None:
        """The number as `{estimate, lower, upper, n}`; None if the groups have no kind of journey in common."""
        if not np.isfinite(self.estimate):
            return None
        return {"estimate": self.estimate, "lower": self.lower, "upper": self.upper, "n": self.n}


@dataclass(frozen=True, slots=True, eq=False)
class Mix:
    """The difference in conversion between two groups, and what it is made of.

    Attributes
    ----------
    conversion_a, conversion_b
        Conversion of each group.
    difference
        A less B: the sum of the next two.
    composition
        Who came: other segments and other first activities.
    behaviour
        What journeys of one kind did.
    compared
        Share of the journeys whose kind occurs in both groups: on these behaviour is compared.
    activities
        Names of the activities that contribute, shape (k,); rare ones share the last.
    contribution
        What each activity adds to `behaviour` through where it leads, shape (k,); sums to it.
    reach
        Share of journeys that meet each activity before the goal, A less B, shape (k,).
    reach_a, reach_b
        The shares themselves, shape (k,).
    """

    conversion_a: Part
    conversion_b: Part
    difference: Part
    composition: Part
    behaviour: Part
    compared: float
    activities: tuple[str, ...]
    contribution: Estimates
    reach: Estimates
    reach_a: Floats
    reach_b: Floats

    def to_frame(self) -> pd.DataFrame:
        """One row an activity, largest contribution first: activity, estimate, lower, upper, reach, reach_lower, ..."""
        import pandas as pd

        order = np.lexsort((np.arange(len(self.activities)), -np.abs(self.contribution.estimate).round(9)))
        columns: dict[str, object] = {"activity": [self.activities[i] for i in order]}
        for prefix, part in (("", self.contribution), ("reach_", self.reach)):
            for name in ("estimate", "lower", "upper"):
                columns[f"{prefix}{name}"] = getattr(part, name)[order]
        return pd.DataFrame(columns | {"reach_a": self.reach_a[order], "reach_b": self.reach_b[order]})

    def __repr__(self) -> str:
        lines = [f"Mix: conversion {self.conversion_a.estimate:.1%} against {self.conversion_b.estimate:.1%}"]
        for label in ("difference", "composition", "behaviour"):
            part = getattr(self, label)
            lines.append(
                f"  {label}: {100 * part.estimate:+.1f} points ({100 * part.lower:+.1f} to {100 * part.upper:+.1f})"
            )
        return "\n".join([*lines, f"  compared: {self.compared:.1%} of journeys", "Next: .to_frame()"])


@dataclass(frozen=True, slots=True, eq=False)
class _Solved:
    """Results by draw."""

    conversion: Floats
    behaviour: Floats
    compared: Floats
    contribution: Floats
    reach: Floats


def split_difference(
    counts: MoveCounts, groups: Groups, *, n_draws: int = N_DRAWS, seed: int = 0
) -> Mix | None:
    """Split the difference in conversion; None without a goal, or if a group has no journey that starts."""
    layout = lay_out(counts, groups) if counts.goal else None
    if layout is None:
        return None
    one = np.ones((1, counts.n_units))
    point = _solve(layout, one @ layout.moves, one @ layout.starts)
    draws = [
        _solve(layout, weights @ layout.moves, weights @ layout.starts)
        for weights in bootstrap_weights(counts.n_units, n_draws, seed, chunk=CHUNK)
    ]
    drawn = _Solved(*(np.concatenate([getattr(d, f) for d in draws]) for f in _Solved.__slots__))
    n = [int((layout.starts.sum(axis=0))[layout.start_group == g].sum()) for g in (A, B)]
    return _mix(layout, point, drawn, n)


def _half_width(layout: Layout) -> float:
    """Standard errors in half an interval: Student's t, and what a bootstrap of few units misses of their variance.

    Customers with many journeys count for more: as many equal ones would tell as much (Kish 1965).
    """
    alike = 0.0
    for group in (A, B):
        n = np.asarray(layout.starts[:, layout.start_group == group].sum(axis=1), dtype=float)
        alike += float(n.sum() ** 2 / (n**2).sum())
    df = max(alike - 2, 1.0)
    return float(special.stdtrit(df, 0.5 + LEVEL / 2) * np.sqrt((df + 2) / df))


def _mix(layout: Layout, point: _Solved, drawn: _Solved, n: list[int]) -> Mix:
    t = _half_width(layout)

    def part(middle: Floats, draws: Floats) -> Estimates:
        with np.errstate(invalid="ignore"):
            half = t * _spread(draws)
        return Estimates(
            middle, np.clip(middle - half, -1, 1), np.clip(middle + half, -1, 1), np.array(sum(n))
        )

    def single(middle: Floats, draws: Floats) -> Part:
        found = part(middle, draws)
        return Part(float(found.estimate[0]), float(found.lower[0]), float(found.upper[0]), sum(n))

    def share(group: int) -> Part:
        own = layout.starts[:, layout.start_group == group].sum(axis=1)
        trials = sparse.csr_array(np.asarray(own, dtype=float)[:, None])
        found = share_from_draws(
            point.conversion[:, group],
            drawn.conversion[:, [group]],
            n[group],
            trials=trials,
            buckets=layout.buckets,
        )
        return Part(float(found.estimate[0]), float(found.lower[0]), float(found.upper[0]), n[group])

    total, total_draws = (x.conversion[:, A] - x.conversion[:, B] for x in (point, drawn))
    return Mix(
        conversion_a=share(A),
        conversion_b=share(B),
        difference=single(total, total_draws),
        composition=single(total - point.behaviour, total_draws - drawn.behaviour),
        behaviour=single(point.behaviour, drawn.behaviour),
        compared=float(point.compared[0]),
        activities=layout.names,
        contribution=part(point.contribution[0], drawn.contribution),
        reach=part(point.reach[0, A] - point.reach[0, B], drawn.reach[:, A] - drawn.reach[:, B]),
        reach_a=point.reach[0, A],
        reach_b=point.reach[0, B],
    )


def _spread(draws: Floats) -> Floats:
    """Standard deviation over the draws that are known; nan if fewer than half of them are."""
    known = np.isfinite(draws)
    n = known.sum(axis=0)
    filled = np.where(known, draws, 0.0)
    mean = filled.sum(axis=0) / np.maximum(n, 1)
    square = (np.where(known, draws - mean, 0.0) ** 2).sum(axis=0) / np.maximum(n - 1, 1)
    return np.where(2 * n >= len(draws), np.sqrt(square), np.nan)


def _solve(layout: Layout, moves: Floats, starts: Floats) -> _Solved:
    """Both chains, plain and weighted to the mean strata, for every draw (row) of the counts."""
    k, d = layout.k, len(moves)
    of_stratum = _summed(starts, (layout.start_group, layout.start_stratum), (2, layout.n_strata))
    share = of_stratum / np.maximum(of_stratum.sum(axis=2, keepdims=True), 1e-300)
    common = (share > 0).all(axis=1)
    common[:, -1] = False
    mean = np.where(common, share.mean(axis=1), 0.0)
    compared = mean.sum(axis=1)
    mean /= np.maximum(compared[:, None], 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(common[:, None], mean[:, None] / share, 0.0)
    begin = _summed(starts, (layout.start_group, layout.start_column), (2, k + 1))
    begin /= np.maximum(begin.sum(axis=2, keepdims=True), 1e-300)
    weighted = _summed(
        starts * weight[:, layout.start_group, layout.start_stratum],
        (layout.start_group, layout.start_column),
        (2, k + 1),
    )
    weighted /= np.maximum(weighted.sum(axis=2, keepdims=True), 1e-300)
    together = np.broadcast_to(weighted.mean(axis=1, keepdims=True), weighted.shape)
    at = (layout.move_group, layout.move_source, layout.move_column)
    plain = _chain(_summed(moves, at, (2, k, k + 2)), begin)
    fair = _chain(
        _summed(moves * weight[:, layout.move_group, layout.move_stratum], at, (2, k, k + 2)), together
    )
    change = fair.matrix[:, A] - fair.matrix[:, B]
    both = [fair.visits[:, g] * np.einsum("dij,dj->di", change, fair.value[:, 1 - g]) for g in (A, B)]
    returns = np.diagonal(plain.fundamental, axis1=2, axis2=3)
    known = np.where(compared > 0, 1.0, np.nan)
    return _Solved(
        plain.conversion,
        known * (fair.conversion[:, A] - fair.conversion[:, B]),
        compared,
        known[:, None] * (both[0] + both[1]) / 2,
        (plain.visits / returns).reshape(d, 2, k),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Chains:
    """Two chains a draw: matrix (d, 2, k, k + 2), value of each column, visits, conversion."""

    matrix: Floats
    fundamental: Floats
    value: Floats
    visits: Floats
    conversion: Floats


def _chain(counts: Floats, start: Floats) -> _Chains:
    """Solve the chains; an activity that a group was not watched at leads where it leads in the other group."""
    k = counts.shape[2]
    pooled = np.broadcast_to(counts.sum(axis=1, keepdims=True), counts.shape)
    counts = np.where(counts.sum(axis=3, keepdims=True) > 0, counts, pooled)
    matrix = counts / np.maximum(counts.sum(axis=3, keepdims=True), 1e-300)
    matrix[..., :k] *= 1 - LEAK
    fundamental = np.linalg.inv(np.eye(k) - matrix[..., :k])
    hit = np.einsum("dgij,dgj->dgi", fundamental, matrix[..., k])
    visits = np.einsum("dgi,dgij->dgj", start[..., :k], fundamental)
    value = np.concatenate([hit, np.ones((*hit.shape[:2], 1)), np.zeros((*hit.shape[:2], 1))], axis=2)
    conversion = np.einsum("dgi,dgi->dg", start[..., :k], hit) + start[..., k]
    return _Chains(matrix, fundamental, value, visits, conversion)


def _summed(values: Floats, at: tuple[Ints, ...], shape: tuple[int, ...]) -> Floats:
    """Sum columns into an array of this shape, for each row."""
    flat = np.ravel_multi_index(at, shape)
    place = sparse.csr_array(
        (np.ones(len(flat)), (np.arange(len(flat)), flat)), shape=(len(flat), int(np.prod(shape)))
    )
    return np.asarray(values @ place).reshape(len(values), *shape)
