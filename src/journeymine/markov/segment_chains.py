"""The chain of each value of a segment: small values lean on everybody, and every number has its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from journeymine.counts.chain import GOAL
from journeymine.errors import NotEnoughDataError, OptionError, listed, shown, suggestion
from journeymine.markov.absorbing import LEAK
from journeymine.markov.estimation import ChainModel
from journeymine.markov.shrinkage import GroupedRows, ShrunkRows, draw_rows, shrink_rows
from journeymine.uncertainty import N_DRAWS, Estimates, generator, percentile_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

CHUNK_CELLS = 2e7
"""Cells of the matrices that are solved at once."""


@dataclass(frozen=True, slots=True, eq=False)
class SegmentChains:
    """The chain of each value of a segment.

    Attributes
    ----------
    segments, names
        Values, shape (g,); columns of the matrices: the states, the goal, dropping out.
    edges
        Pairs (source, column) that occur anywhere, shape (m, 2).
    moves
        Moves of each value on each edge, shape (g, m).
    share
        Probabilities shrunk towards those of everybody, with intervals, shape (g, m).
    raw
        The value's own shares, shape (g, m); nan where nobody was seen.
    pooled_weight
        Weight of everybody's row, shape (g, k): 1 where a value has no visit.
    concentration
        How alike the values are at each state, shape (k,): worth so many moves of everybody.
    conversion
        Of each value, from the shrunk rows, with interval, shape (g,).
    raw_conversion
        From its own rows (everybody's where it has none), shape (g,).
    n_draws
        Posterior draws.
    """

    segments: tuple[str, ...]
    names: tuple[str, ...]
    edges: Ints
    moves: Ints
    share: Estimates
    raw: Floats
    pooled_weight: Floats
    concentration: Floats
    conversion: Estimates
    raw_conversion: Floats
    n_draws: int

    def to_frame(self) -> pd.DataFrame:
        """One row a value and edge: segment, source, target, n (moves), estimate, lower, upper, raw, pooled_weight."""
        import pandas as pd

        g, m = self.moves.shape
        source, target = self.edges[:, 0], self.edges[:, 1]
        return pd.DataFrame(
            {
                "segment": [name for name in self.segments for _ in range(m)],
                "source": [self.names[i] for i in source] * g,
                "target": [self.names[j] for j in target] * g,
                "n": self.moves.ravel(),
                "estimate": self.share.estimate.ravel(),
                "lower": self.share.lower.ravel(),
                "upper": self.share.upper.ravel(),
                "raw": self.raw.ravel(),
                "pooled_weight": self.pooled_weight[:, source].ravel(),
            }
        )

    def conversion_frame(self) -> pd.DataFrame:
        """One row a value: segment, n (journeys), estimate, lower, upper, raw."""
        import pandas as pd

        values = self.conversion
        return pd.DataFrame(
            {
                "segment": list(self.segments),
                "n": values.n,
                "estimate": values.estimate,
                "lower": values.lower,
                "upper": values.upper,
                "raw": self.raw_conversion,
            }
        )

    def matrix(self, segment: str) -> pd.DataFrame:
        """Transition matrix of one value, rows sum to 1.

        Raises
        ------
        OptionError
            No such value.
        """
        import pandas as pd

        if segment not in self.segments:
            problem = f"segment is {shown(segment)}, which is no value of it."
            hint = suggestion(str(segment), self.segments, "pass one of them.")
            raise OptionError(problem, found=f"{listed(self.segments)}.", hint=hint)
        k = len(self.names) - 2
        full = np.zeros((k, k + 2))
        full[self.edges[:, 0], self.edges[:, 1]] = self.share.estimate[self.segments.index(segment)]
        return pd.DataFrame(full, index=list(self.names[:k]), columns=list(self.names))

    def __repr__(self) -> str:
        low, high = int(np.argmin(self.conversion.estimate)), int(np.argmax(self.conversion.estimate))
        lines = [
            f"SegmentChains of {len(self.segments)} values, {len(self.edges)} edges, {self.n_draws:,} draws"
        ]
        for at, word in ((high, "highest"), (low, "lowest")):
            c = self.conversion
            lines.append(
                f"{word} conversion: {shown(self.segments[at])} {c.estimate[at]:.4f} "
                f"(95 % interval {c.lower[at]:.4f} to {c.upper[at]:.4f}, n = {c.n[at]:,})"
            )
        return "\n".join([*lines, "Next: .to_frame(), .conversion_frame(), .matrix(segment)"])


def segment_chains(
    counts: ChainCounts, segment_of_cell: Sequence[str], *, n_draws: int = N_DRAWS, seed: int = 0
) -> SegmentChains:
    """Estimate the chain of each value of a segment, small ones leaning on everybody.

    Intervals are quantiles of the posterior, whose counts are divided by their design effect: customers are what is
    independent. A customer's moves from different states go together as well: the draws of conversion are spread by
    how much more that makes conversion vary.

    Parameters
    ----------
    segment_of_cell
        Value of the segment of each of `counts.cells`.

    Raises
    ------
    NotEnoughDataError
        No journey starts.

    Examples
    --------
    >>> import dataclasses
    >>> from journeymine.markov.lists import count_lists
    >>> paths = [["a", "paid"]] * 60 + [["a"]] * 40 + [["a", "paid"]] * 2
    >>> counts, _ = count_lists(paths, goal="paid", customers=[f"{i:03d}" for i in range(102)])
    >>> split = dataclasses.replace(
    ...     counts, cell=counts.unit // 100, start_cell=counts.start_unit // 100, cells=(("old",), ("new",)))
    >>> found = segment_chains(split, ["old", "new"], n_draws=200)
    >>> found.conversion_frame()[["segment", "n", "raw"]].values.tolist()
    [['new', 2, 1.0], ['old', 100, 0.6]]
    >>> bool(found.conversion.estimate[0] < 0.9)
    True
    """
    if not counts.n_starts:
        raise NotEnoughDataError("no journey starts.", hint="set a shorter idle, or read a longer period.")
    names = tuple(sorted(set(segment_of_cell)))
    place = {name: g for g, name in enumerate(names)}
    group_of_cell = np.array([place[name] for name in segment_of_cell], dtype=np.int64)
    model = ChainModel(counts)
    rows = _grouped(counts, model, group_of_cell, len(names))
    found = shrink_rows(rows)
    m = len(model.edges)
    point, raw = found.shrunk, np.where(np.isnan(found.raw), found.shrunk, found.raw)
    extra = _extra_spread(rows, found, model)
    rng = generator(seed, "segment chains")
    drawn, converted = [], []
    step = max(1, int(CHUNK_CELLS / (point.size + 1)))
    for begin in range(0, n_draws, step):
        draws = draw_rows(rows, found, min(step, n_draws - begin), rng)
        drawn.append(draws[:, :, :m])
        converted.append(_conversion(model, draws))
    conversion = _conversion(model, point[None])[0]
    starters = rows.by_row(rows.table)[:, -1].astype(np.int64)
    visits = rows.by_row(rows.table)[:, model.edges[:, 0]]
    return SegmentChains(
        segments=names,
        names=model.names,
        edges=model.edges,
        moves=rows.table[:, :m].astype(np.int64),
        share=percentile_interval(point[:, :m], np.concatenate(drawn), visits.astype(np.int64)),
        raw=found.raw[:, :m],
        pooled_weight=found.weight[:, : model.k],
        concentration=found.concentration[: model.k],
        conversion=_spread_out(conversion, np.concatenate(converted), extra, starters),
        raw_conversion=_conversion(model, raw[None])[0],
        n_draws=n_draws,
    )


def _grouped(counts: ChainCounts, model: ChainModel, group_of_cell: Ints, n_groups: int) -> GroupedRows:
    """Moves and starts by group: where journeys start is one more row, k + 1 columns after the edges."""
    width, m, k = counts.n_states + 2, len(model.edges), counts.n_states
    edge = np.searchsorted(model.ids, counts.source * width + counts.column(counts.target))
    first = np.where(counts.start_state == GOAL, k, counts.start_state)
    return GroupedRows(
        unit=np.concatenate([counts.unit, counts.start_unit]),
        group=np.concatenate([group_of_cell[counts.cell], group_of_cell[counts.start_cell]]),
        edge=np.concatenate([edge, m + first]),
        n=np.concatenate([counts.n, counts.start_n]).astype(float),
        source=np.concatenate([model.edges[:, 0], np.full(k + 1, k)]),
        n_groups=n_groups,
        n_rows=k + 1,
    )


def _conversion(model: ChainModel, shares: Floats) -> Floats:
    """Conversion of each draw and group; `shares` of shape (n_draws, n_groups, m + k + 1)."""
    k, m = model.k, len(model.edges)
    flat = shares.reshape(-1, shares.shape[-1])
    out = np.empty(len(flat))
    step = max(1, int(CHUNK_CELLS / (k * (k + 2) + 1)))
    for begin in range(0, len(flat), step):
        here = flat[begin : begin + step]
        full = np.zeros((len(here), k, k + 2))
        full[:, model.edges[:, 0], model.edges[:, 1]] = here[:, :m]
        left = np.eye(k) - full[..., :k] * (1 - LEAK)
        hit = np.linalg.solve(left, full[..., [k]])[..., 0]
        out[begin : begin + step] = np.einsum("bi,bi->b", here[:, m : m + k], hit) + here[:, m + k]
    return out.reshape(shares.shape[:-1])


def _extra_spread(rows: GroupedRows, found: ShrunkRows, model: ChainModel) -> float:
    """Variance of conversion between customers over that of rows drawn one by one, at least 1 (linearised)."""
    point = model.point()
    k = model.k
    value = np.concatenate([point.solved.hit, [1.0, 0.0]])
    worth = np.concatenate([value[model.edges[:, 1]], value[: k + 1]])
    table = rows.table
    total = rows.by_row(table.sum(axis=0))
    part = np.append(point.solved.visits, 1.0) / np.maximum(total, 1.0)
    own = np.where(np.isnan(found.raw), 0.0, found.raw)
    mean = rows.by_row(own * worth)
    spread = rows.by_row(own * worth**2) - mean**2
    effect = np.divide(
        rows.by_row(table.sum(axis=0)),
        rows.by_row(found.effective.sum(axis=0)),
        out=np.ones(k + 1),
        where=total > 0,
    )
    apart = float((part**2 * effect * (rows.by_row(table) * spread).sum(axis=0)).sum())
    row = rows.source[rows.edge]
    pull = rows.n * part[row] * (worth[rows.edge] - mean[rows.group, row])
    pair = np.unique(rows.unit * np.int64(rows.n_groups) + rows.group, return_inverse=True)[1]
    together = float((np.bincount(pair, weights=pull) ** 2).sum())
    return max(together / apart, 1.0) if apart > 0 else 1.0


def _spread_out(conversion: Floats, draws: Floats, extra: float, n: Ints) -> Estimates:
    """Percentile interval of draws whose distance from the estimate is stretched on the log-odds scale."""
    tiny = 1e-12
    centre = special.logit(np.clip(conversion, tiny, 1 - tiny))
    logits = special.logit(np.clip(draws, tiny, 1 - tiny))
    stretched = special.expit(centre + np.sqrt(extra) * (logits - centre))
    return percentile_interval(conversion, stretched, n)
