"""Anchored paths: what journeys do, step by step, after or before an activity; edges, funnels and lists agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.anchored import REASONS
from journeymine.errors import OptionError, shown, suggestion
from journeymine.uncertainty import Estimates, share_of_units, unit_column, unit_matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.anchored import AnchoredCounts
    from journeymine.paths.funnel import Funnel

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

TEMPLATE = "({})"


@dataclass(frozen=True, slots=True, eq=False)
class AnchoredEdge:
    """Journeys that are at `source` at one step and at `target` at the next.

    Attributes
    ----------
    step
        Number of the step of the target.
    source, target
        Names; a target in brackets says why the path ends.
    n
        Journeys: the length of `journeys()`, and the second number of `funnel()`.
    share
        Share of the journeys at the source.
    """

    step: int
    source: str
    target: str
    n: int
    share: Estimates
    _list: Callable[[], pd.DataFrame] = field(repr=False)
    _funnel: Callable[[], Funnel] = field(repr=False)

    def journeys(self) -> pd.DataFrame:
        """The journeys on the edge: case_id, customer_id, sorted by case."""
        return self._list()

    def funnel(self) -> Funnel:
        """Of the journeys at the source, how many go directly to the target: the two-step funnel of the edge.

        The estimates allow for journeys that are still open; only for edges to an activity.
        """
        return self._funnel()

    def __repr__(self) -> str:
        share, low, high = (float(v) for v in (self.share.estimate, self.share.lower, self.share.upper))
        head = f"AnchoredEdge: step {self.step}, {self.source[:40]} -> {self.target[:40]}"
        numbers = f"  {self.n:,} journeys, {share:.1%} ({low:.1%} to {high:.1%}) of {int(self.share.n):,}"
        return f"{head}\n{numbers}\nNext: .journeys(), .funnel()"


@dataclass(frozen=True, slots=True, eq=False)
class AnchoredPaths:
    """One path a journey, from the first occurrence of the anchor; one cell a journey and step.

    Step k is the k-th event after (or before) the anchor, within the window. Where there is none, the cell says why:
    "converted" or "dropped" (the journey has ended, with or without the goal), "open" (more may come), "outside
    window" (the next event comes later, or the window has passed) or "began" (before the anchor: the journey's
    beginning). Shares are plain shares of the journeys with the anchor: at each step they add up to 1.

    Attributes
    ----------
    counts
        The counts behind it.
    share
        Share of each cell among the journeys with the anchor, in the order of `counts.cell`.
    edge_share
        Share of each edge among the journeys at its source, in the order of `counts.edge_n`.
    anchored
        Share of all journeys that have the anchor.
    """

    counts: AnchoredCounts
    share: Estimates
    edge_share: Estimates
    anchored: Estimates
    _list: Callable[[int, int, int], pd.DataFrame] = field(repr=False)
    _funnel: Callable[[int, int, int], Funnel] = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """The step matrix, one row a cell: step, kind, activity, n, estimate, lower, upper.

        `kind` is "activity", or the reason why there is none (`activity` is then missing).
        """
        import pandas as pd

        counts = self.counts
        return pd.DataFrame(
            {
                "step": counts.step,
                "kind": [REASONS.get(cell, "activity") for cell in counts.cell.tolist()],
                "activity": [counts.activities[c] if c >= 0 else None for c in counts.cell.tolist()],
                "n": counts.n,
                "estimate": self.share.estimate,
                "lower": self.share.lower,
                "upper": self.share.upper,
            }
        )

    def matrix(self) -> pd.DataFrame:
        """The step matrix as a table: a row for each activity or reason, a column for each step, shares inside."""
        import pandas as pd

        counts = self.counts
        cells = [c for c in np.unique(counts.cell).tolist() if c >= 0]
        cells += [c for c in REASONS if c in counts.cell]
        table = np.zeros((len(cells), counts.steps + 1))
        row = {cell: i for i, cell in enumerate(cells)}
        for step, cell, share in zip(counts.step, counts.cell.tolist(), self.share.estimate, strict=True):
            table[row[cell], step] = share
        return pd.DataFrame(table, index=[counts.label(c) for c in cells], columns=range(counts.steps + 1))

    def edges(self) -> pd.DataFrame:
        """One row an edge: step, source, kind, target, n, and its share of the journeys at the source."""
        import pandas as pd

        counts = self.counts
        return pd.DataFrame(
            {
                "step": counts.edge_step,
                "source": [counts.activities[c] for c in counts.source.tolist()],
                "kind": [REASONS.get(c, "activity") for c in counts.target.tolist()],
                "target": [counts.activities[c] if c >= 0 else None for c in counts.target.tolist()],
                "n": counts.edge_n,
                "estimate": self.edge_share.estimate,
                "lower": self.edge_share.lower,
                "upper": self.edge_share.upper,
            }
        )

    def edge(
        self, step: int, source: str, target: str | None = None, *, kind: str = "activity"
    ) -> AnchoredEdge:
        """One edge, with its list of journeys and its funnel.

        Parameters
        ----------
        step
            Step of the target, from 1.
        source, target
            Activities.
        kind
            "activity", or the reason why the path ends after the source; `target` is then not looked at.
        """
        counts = self.counts
        cell = self._cell(target, kind)
        codes = step, counts.activities.index(self._known(source)), cell
        here = (counts.edge_step == step) & (counts.source == codes[1]) & (counts.target == cell)
        if not here.any():
            raise OptionError(
                f"no journey goes from {shown(source)} to {shown(counts.label(cell))} at step {shown(step)}.",
                hint=".edges() lists the edges.",
            )
        e = int(np.flatnonzero(here)[0])
        share = self.edge_share
        return AnchoredEdge(
            step=step,
            source=source,
            target=counts.label(cell),
            n=int(counts.edge_n[e]),
            share=Estimates(share.estimate[e], share.lower[e], share.upper[e], share.n[e]),
            _list=lambda: self._list(*codes),
            _funnel=lambda: self._funnel(*codes),
        )

    def _cell(self, target: str | None, kind: str) -> int:
        if kind == "activity":
            if target is None:
                hint = f"pass an activity, or kind={' or '.join(repr(name) for name in REASONS.values())}."
                raise OptionError("target is missing, expected the activity that comes next.", hint=hint)
            return self.counts.activities.index(self._known(target))
        reasons = {name: code for code, name in REASONS.items()}
        if kind not in reasons:
            raise OptionError(
                f"kind is {shown(kind)}, expected activity, {', '.join(REASONS.values())}.",
                hint=suggestion(kind, reasons, '.edges() has a column "kind".'),
            )
        return reasons[kind]

    def _known(self, name: str) -> str:
        if name not in self.counts.activities:
            raise OptionError(
                f"{shown(name)} is not an activity of the log.",
                hint=suggestion(name, self.counts.activities, ".edges() lists the edges."),
            )
        return name

    def __repr__(self) -> str:
        counts = self.counts
        where = "after" if counts.after else "before"
        head = (
            f"AnchoredPaths: {counts.steps} steps {where} {' / '.join(counts.anchor)[:60]}, "
            f"{counts.n_anchored:,} of {int(counts.unit_journeys.sum()):,} journeys"
        )
        lines = [f"  step {k}: {self._commonest(k)}" for k in range(1, min(counts.steps, 9) + 1)]
        return "\n".join([head, *lines, "Next: .matrix(), .edges(), .edge(1, source, target).journeys()"])

    def _commonest(self, step: int) -> str:
        here = np.flatnonzero(self.counts.step == step)
        order = here[np.argsort(-self.counts.n[here], kind="stable")][:3]
        return ", ".join(
            f"{self.counts.label(int(self.counts.cell[i]))[:30]} {self.share.estimate[i]:.1%}" for i in order
        )


def estimate_anchored(
    counts: AnchoredCounts,
    lister: Callable[[int, int, int], pd.DataFrame],
    funnel: Callable[[int, int, int], Funnel],
) -> AnchoredPaths:
    """Shares with customer-level intervals."""
    m, e = len(counts.n), len(counts.edge_n)
    cells = unit_matrix(counts.unit, counts.unit_cell, counts.unit_n, (counts.n_units, m))
    anchored, every = unit_column(counts.unit_anchored), unit_column(counts.unit_journeys)
    edges = unit_matrix(counts.edge_unit, counts.unit_edge, counts.unit_edge_n, (counts.n_units, e))
    share = share_of_units(cells, anchored, np.zeros(m, int), buckets=counts.buckets)
    edge_share = share_of_units(edges, cells, counts.source_cells(), buckets=counts.buckets)
    whole = share_of_units(anchored, every, buckets=counts.buckets)
    return AnchoredPaths(
        counts=counts,
        share=_by_definition(share, counts.step == 0) if len(_firsts(counts)) == 1 else share,
        edge_share=edge_share,
        anchored=Estimates(whole.estimate[0], whole.lower[0], whole.upper[0], whole.n[0]),
        _list=lister,
        _funnel=funnel,
    )


def _firsts(counts: AnchoredCounts) -> Sequence[int]:
    return np.flatnonzero(counts.step == 0).tolist()


def _by_definition(share: Estimates, chosen: NDArray[np.bool_]) -> Estimates:
    """All journeys are at the anchor: that share is 1 by definition."""
    lower, upper = share.lower.copy(), share.upper.copy()
    lower[chosen] = upper[chosen] = 1.0
    return Estimates(share.estimate, lower, upper, share.n)


@dataclass(frozen=True, slots=True, eq=False)
class FirstAfter:
    """What comes after the first occurrence of an activity, never before it.

    Attributes
    ----------
    funnel
        Closed funnel from the anchor to the target: n, share and median time from the anchor, none negative.
    n_before
        Journeys in which the target also, or only, stands before the anchor; they may be in the funnel too.
    """

    funnel: Funnel
    n_before: int

    @property
    def n(self) -> int:
        """Journeys with the target after the anchor."""
        return int(self.funnel.n[1])

    @property
    def share(self) -> dict[str, float | int] | None:
        """Share of the journeys with the anchor that get to the target after it."""
        return self.funnel.reached.at(1)

    @property
    def time_s(self) -> dict[str, float | int] | None:
        """Median time in seconds from the anchor to the target."""
        return self.funnel.wait_s.at(1) if self.funnel.wait_s is not None else None

    def __repr__(self) -> str:
        anchor, target = self.funnel.names
        return (
            f"FirstAfter: {target[:40]} after {anchor[:40]} in {self.n:,} of {self.funnel.counts.n_entered:,} "
            f"journeys; before it in {self.n_before:,}\nNext: .funnel, .share, .time_s"
        )
