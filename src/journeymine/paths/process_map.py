"""The process map: steps in stages, the paths between them, where journeys are lost, and where all is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.draw.layout.graph import Path, Step, previous_of_dict
from journeymine.draw.layout.layered import lay_out
from journeymine.draw.process_map import right_of
from journeymine.paths.process_map_paths import PathChoice, main_way
from journeymine.paths.process_map_shares import MapShares
from journeymine.paths.reach import estimate_reach
from journeymine.paths.transitions import estimate_waits
from journeymine.uncertainty import Estimates

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path as FilePath

    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.process_map import MapCounts
    from journeymine.draw.layout.graph import Layout
    from journeymine.draw.process_map_svg import MapFigure
    from journeymine.draw.tokens import Theme
    from journeymine.paths.process_fold import Steps
    from journeymine.paths.process_stages import Stages

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ProcessMap:
    """What customers really do, as a picture; `log.map()` makes one.

    Attributes
    ----------
    activities
        Names of the activities by code.
    stages
        Bands from top to bottom.
    steps
        The k steps: the activities each stands for, and its stage.
    n, n_cases
        Events of each step and cases with it, shape (k,).
    reach
        Share of all journeys with the step, shape (k,).
    stage_reach
        Share of all journeys that reach each stage.
    repeat
        Share of the visits that are directly followed by another, shape (k,).
    leave
        Share of the visits after which nothing came, shape (k,). With a goal: drop-out before the goal among the
        watched visits, nan after it; without one: ends of journeys.
    conversion
        Probability to reach the goal from each step; nan where it is not known, shape (k,).
    has_goal
        Whether leaving means dropping out.
    goal
        Steps that are the goal.
    source, target
        Paths between two different steps that are drawn, shape (m,): the best way into and out of every step, then
        the others, each by falling count.
    path_n, share, wait_s
        Moves, share of the visits to the source, median wait in seconds (None without times), shape (m,).
    in_backbone
        Whether a path is the best way into or out of a step, shape (m,).
    n_shown
        Paths that are shown at first.
    n_paths
        Paths between two different steps, drawn or not.
    share_moves
        Share of all moves on the paths that are shown at first and from a step to itself, shape ().
    main_way
        Steps of the most travelled way from the most frequent start.
    layout, stored
        Where everything stands; the same as plain JSON, for the next run.
    """

    activities: tuple[str, ...]
    stages: Stages
    steps: Steps
    n: Ints
    n_cases: Ints
    reach: Estimates
    stage_reach: Estimates
    repeat: Estimates
    leave: Estimates
    conversion: Estimates
    has_goal: bool
    goal: tuple[int, ...]
    source: Ints
    target: Ints
    path_n: Ints
    share: Estimates
    wait_s: Estimates | None
    in_backbone: NDArray[np.bool_]
    n_shown: int
    n_paths: int
    share_moves: Estimates
    main_way: tuple[int, ...]
    layout: Layout
    stored: Mapping[str, Any]

    @property
    def n_folded(self) -> int:
        """Activities that share a step with others."""
        return self.steps.n_folded

    def name(self, step: int) -> str:
        """Name of a step; of a shared one, how many activities it stands for."""
        members = self.steps.members[step]
        return self.activities[members[0]] if len(members) == 1 else f"other ({len(members)} steps)"

    def shown_moves(self) -> list[tuple[int, int]]:
        """Pairs of activities (codes) whose moves the picture shows at first, loops included; sorted."""
        own = {members[0]: True for members in self.steps.members if len(members) == 1}
        pairs = {(code, code) for code in own}
        for source, target in zip(self.source[: self.n_shown], self.target[: self.n_shown], strict=True):
            ends = self.steps.members[source], self.steps.members[target]
            if len(ends[0]) == len(ends[1]) == 1:
                pairs.add((ends[0][0], ends[1][0]))
        return sorted(pairs)

    def to_frame(self) -> pd.DataFrame:
        """One row a path: source, target, n, estimate, lower, upper (share of the visits to the source), shown."""
        import pandas as pd

        return pd.DataFrame(
            {
                "source": [self.name(i) for i in self.source.tolist()],
                "target": [self.name(i) for i in self.target.tolist()],
                "n": self.path_n,
                "estimate": self.share.estimate,
                "lower": self.share.lower,
                "upper": self.share.upper,
                "shown": np.arange(len(self.source)) < self.n_shown,
            }
        )

    def plot(self) -> MapFigure:
        """The picture."""
        from journeymine.paths.process_map_figure import figure_of

        return figure_of(self)

    def save(self, path: str | os.PathLike[str], theme: Theme = "light") -> FilePath:
        """Write the picture into a `.svg` file and return its path."""
        return self.plot().save(path, theme)

    def _repr_svg_(self) -> str:
        return self.plot().svg("static")

    def _repr_html_(self) -> str:
        from journeymine.paths.process_map_figure import fragment_of

        return fragment_of(self)

    def __repr__(self) -> str:
        shown = f"{self.n_shown} of {self.n_paths} paths"
        folded = f", {self.n_folded} of them in shared steps" if self.n_folded else ""
        lines = [f"ProcessMap: {len(self.activities)} activities{folded}, {shown}"]
        if self.main_way:
            lines.append(f"  main way: {' > '.join(self.name(i)[:30] for i in self.main_way)}")
        word = "dropped" if self.has_goal else "end"
        for i in lost_most(self)[:5]:
            leave = self.leave.at(i)
            assert leave is not None
            lines.append(
                f"  {self.name(i)[:40]}: {leave['estimate']:.1%} of visits {word} "
                f"({leave['lower']:.1%} to {leave['upper']:.1%})"
            )
        return "\n".join([*lines, 'Next: .save("map.svg")'])


def lost_most(found: ProcessMap) -> list[int]:
    """Steps after which journeys are lost, the largest loss first."""
    lost = np.nan_to_num(found.leave.estimate) * found.leave.n
    order = np.lexsort((np.arange(len(lost)), -lost))
    return [int(i) for i in order if lost[i] > 0]


def estimate_map(
    counts: MapCounts,
    activities: tuple[str, ...],
    stages: Stages,
    steps: Steps,
    *,
    goal: tuple[int, ...] = (),
    conversion: Mapping[int, tuple[float, float, float, int]] | None = None,
    previous: Mapping[str, Any] | None = None,
) -> ProcessMap:
    """Shares with customer-level intervals, the paths to draw, and the layout.

    Parameters
    ----------
    counts
        Counts of the steps and stages.
    activities
        Names by code.
    stages, steps
        What is drawn.
    goal
        Codes of the goal.
    conversion
        Estimate, lower, upper and n of the probability to reach the goal, by code.
    previous
        The stored layout of an earlier run.
    """
    k = len(steps.ids)
    shares = MapShares(counts, k)
    leave = shares.drop_out() if counts.leaving else shares.ends()
    pairs = PathChoice.of(counts, steps, previous)
    layout, stored = _layout(counts, stages, steps, pairs, leave, previous)
    picked = pairs.edge
    wait = estimate_waits(counts.edges)
    return ProcessMap(
        activities=activities,
        stages=stages,
        steps=steps,
        n=counts.steps.n,
        n_cases=counts.steps.n_cases,
        reach=estimate_reach(counts.steps),
        stage_reach=estimate_reach(counts.stages),
        repeat=shares.repeat(),
        leave=leave,
        conversion=_conversion(steps, conversion or {}),
        has_goal=counts.leaving is not None,
        goal=tuple(sorted({int(steps.of[code]) for code in goal})),
        source=counts.edges.source[picked],
        target=counts.edges.target[picked],
        path_n=counts.edges.n[picked],
        share=_at(shares.paths(), picked),
        wait_s=_at(wait, picked) if wait else None,
        in_backbone=pairs.in_backbone,
        n_shown=pairs.n_shown,
        n_paths=pairs.n_all,
        share_moves=shares.moves(picked[: pairs.n_shown]),
        main_way=main_way(counts, steps, goal),
        layout=layout,
        stored=stored,
    )


def _at(values: Estimates, places: Ints) -> Estimates:
    return Estimates(values.estimate[places], values.lower[places], values.upper[places], values.n[places])


def _conversion(steps: Steps, known: Mapping[int, tuple[float, float, float, int]]) -> Estimates:
    unknown = (np.nan, np.nan, np.nan, 0)
    rows = [known.get(m[0], unknown) if len(m) == 1 else unknown for m in steps.members]
    estimate, lower, upper, n = (np.array(column) for column in zip(*rows, strict=True))
    return Estimates(estimate, lower, upper, n.astype(np.int64))


def _layout(
    counts: MapCounts,
    stages: Stages,
    steps: Steps,
    pairs: PathChoice,
    leave: Estimates,
    previous: Mapping[str, Any] | None,
) -> tuple[Layout, dict[str, Any]]:
    place = counts.steps.places / np.maximum(counts.steps.n_cases, 1)
    boxes = [
        Step(
            id=id_,
            stage=int(steps.stage[i]),
            place=float(place[i]),
            right=right_of(float(np.nan_to_num(leave.estimate[i]))),
        )
        for i, id_ in enumerate(steps.ids)
    ]
    edges = counts.edges
    lines = [
        Path(
            source=steps.ids[edges.source[e]],
            target=steps.ids[edges.target[e]],
            n=int(edges.n[e]),
            shown=i < pairs.n_shown,
        )
        for i, e in enumerate(pairs.edge.tolist())
    ]
    layout = lay_out(boxes, lines, previous_of_dict(previous, stages.ids), stages.ids)
    shown = [list(line.pair) for line in lines[: pairs.n_shown]]
    return layout, layout.to_dict(boxes, stages.ids) | {"derived": stages.derived, "shown": shown}
