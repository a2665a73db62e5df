"""`ProcessModel`: a discovered process, how well it fits, how much it allows, and every form others want it in."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.errors import OptionError
from journeymine.process import pm4py_bridge
from journeymine.process.alignment import log_fitness
from journeymine.process.automaton import Automaton
from journeymine.process.bpmn import process_figure
from journeymine.process.model_files import write_model
from journeymine.process.precision import escaping_edges
from journeymine.uncertainty import Estimates, share_of_units, unit_matrix

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.variants import VariantCounts
    from journeymine.draw.figure import Figure
    from journeymine.process.pm4py_bridge import Net
    from journeymine.process.tree import Tree

    Ints = NDArray[np.int64]

UNKNOWN = -1
MOST_WORK = 10**10
"""Alignments take up to the cube of a journey's events: this many in all, about twenty seconds at the worst."""


@dataclass(frozen=True, slots=True, eq=False)
class _Aligned:
    """Costs of the variants (UNKNOWN where none was found) and of the shortest run, and what to say about it."""

    costs: Ints
    shortest: int
    note: str = ""


def within_work(lengths: Sequence[int], most: int = MOST_WORK) -> list[int]:
    """Places of the variants that are aligned: in their order, without those that would exceed the work.

    Examples
    --------
    >>> within_work([3, 99, 2], most=100)
    [0, 2]
    """
    chosen, work = [], 0
    for place, length in enumerate(lengths):
        more = (length + 1) ** 3
        if work + more <= most:
            chosen.append(place)
            work += more
    return chosen


@dataclass(frozen=True, eq=False)
class ProcessModel:
    """A process model of a log. Everything but its structure is computed when it is asked for, once.

    Attributes
    ----------
    algorithm
        "inductive", "inductive_variants" or "heuristics".
    noise
        What was taken for noise.
    root
        The process tree; None for a heuristics net.
    net
        The Petri net of a model that has no tree.
    count
        Counts the variants that the model is measured on.

    Examples
    --------
    >>> import journeymine as jm
    >>> from journeymine.analyses.model import discover
    >>> log = jm.read_log(jm.demo_log_path(), case_id="journey_id", activity="activity", timestamp="timestamp")
    >>> model = discover(log)
    >>> model.tree[:2], model.coverage
    ('->', 1.0)
    """

    algorithm: str
    noise: float
    root: Tree | None
    net: Net | None = field(repr=False)
    count: Callable[[], VariantCounts] = field(repr=False)

    @property
    def tree(self) -> str | None:
        """The process tree as text; None for a heuristics net."""
        return None if self.root is None else str(self.root)

    @property
    def fitness(self) -> float:
        """Fitness by alignments, 1 if every journey is possible; nan if no alignment was found: see `note`.

        1 - sum(n * cost) / sum(n * (events + activities of the shortest run)) over the most frequent variants.
        """
        return float(self._fitness.estimate)

    @property
    def fitness_interval(self) -> dict[str, float | int] | None:
        """Fitness with its interval over customers; `n` counts the journeys that were aligned."""
        return self._fitness.at()

    @cached_property
    def precision(self) -> float:
        """Precision by token-replay escaping edges; nan for a log too large for pm4py's replay: see `note`.

        Share of what the model allows next that was also seen. Our own trees are replayed exactly; on those logs where
        pm4py's token replay meets no choice between silent steps the two are equal. Models that pm4py discovered
        are measured by its own replay, so that their numbers are those that are published.
        """
        if self.root is not None and self.algorithm == "inductive":
            return escaping_edges(self.root, self._paths)
        found = pm4py_bridge.replay_precision(self._made, self._paths)
        return float("nan") if found is None else found

    @property
    def coverage(self) -> float:
        """Share of journeys that the model allows exactly as they were; nan where that is not known."""
        return float(self._coverage.estimate)

    @property
    def coverage_interval(self) -> dict[str, float | int] | None:
        """Share of journeys that the model allows exactly as they were, with its interval over customers."""
        return self._coverage.at()

    @property
    def n_variants_aligned(self) -> int:
        """Variants that the model was measured on: the most frequent ones."""
        return int((self._aligned.costs != UNKNOWN).sum())

    @property
    def share_aligned(self) -> float:
        """Share of all journeys that took one of these variants."""
        known = self._aligned.costs != UNKNOWN
        return int(self.variants.n[known].sum()) / self.variants.n_cases

    @property
    def note(self) -> str:
        """What limits these numbers, in words; empty if nothing does."""
        notes = [self._aligned.note] if self._aligned.note else []
        if self.n_variants_aligned and self.share_aligned < 1:
            notes.append(
                f"fitness is measured on {self.n_variants_aligned:,} of {self.variants.n_variants:,} variants, "
                f"the most frequent, which hold {self.share_aligned:.1%} of the journeys"
            )
        if "precision" in self.__dict__ and np.isnan(self.precision):
            notes.append("precision: the log is too large for token replay")
        return "; ".join(notes)

    @cached_property
    def variants(self) -> VariantCounts:
        """The most frequent variants, on which the model is measured."""
        return self.count()

    @cached_property
    def _paths(self) -> list[tuple[tuple[str, ...], int]]:
        names = self.variants.activities
        return [
            (tuple(names[code] for code in path), n)
            for path, n in zip(self.variants.paths, self.variants.n.tolist(), strict=True)
        ]

    @property
    def _made(self) -> Tree | Net:
        made = self.root or self.net
        assert made is not None
        return made

    @cached_property
    def _aligned(self) -> _Aligned:
        if self.root is not None:
            costs = np.full(len(self._paths), UNKNOWN, dtype=np.int64)
            chosen = within_work([len(path) for path in self.variants.paths])
            found = log_fitness(self.root, [self._paths[place] for place in chosen])
            costs[chosen] = found.costs
            return _Aligned(costs, found.shortest)
        assert self.net is not None
        known, shortest, what = pm4py_bridge.alignment_costs(self.net, self._paths)
        if known is None:
            return _Aligned(
                np.full(len(self._paths), UNKNOWN), 0, f"fitness and coverage are not known: {what}"
            )
        return _Aligned(np.array(known, dtype=np.int64), shortest)

    @cached_property
    def _fitness(self) -> Estimates:
        """Costs over the costs of doing nothing together: a ratio of sums over units."""
        aligned, known = self._aligned, self._aligned.costs != UNKNOWN
        lengths = np.array([len(path) for path in self.variants.paths], dtype=np.int64)
        worst = np.where(known, lengths + aligned.shortest, 0)
        cost = self._ratio(np.where(known, aligned.costs, 0), worst)
        n = int(self.variants.n[known].sum())
        if n and np.isnan(cost.estimate):
            # An empty model of empty journeys.
            return Estimates(np.float64(1.0), np.float64(1.0), np.float64(1.0), np.int64(n))  # type: ignore[arg-type]
        return Estimates(1 - cost.estimate, 1 - cost.upper, 1 - cost.lower, np.int64(n))  # type: ignore[arg-type]

    @cached_property
    def _coverage(self) -> Estimates:
        if self.root is not None:
            machine = Automaton(self.root)
            fits = np.array([machine.accepts(path) for path, _ in self._paths], dtype=np.int64)
            return self._ratio(fits, np.ones_like(fits))
        costs = self._aligned.costs
        return self._ratio((costs == 0).astype(np.int64), (costs != UNKNOWN).astype(np.int64))

    def _ratio(self, part: Ints, whole: Ints) -> Estimates:
        """Sum of `part` over sum of `whole`, both given by variant, with its interval over customers."""
        v = self.variants
        zero = np.zeros(len(v.unit), dtype=np.int64)
        sums = [
            unit_matrix(v.unit, zero, v.unit_n * by[v.unit_place], (v.n_units, 1)) for by in (part, whole)
        ]
        share = share_of_units(sums[0], sums[1], buckets=v.buckets)
        return Estimates(share.estimate[0], share.lower[0], share.upper[0], share.n[0])

    def petri_net(self) -> tuple[Any, Any, Any]:
        """Petri net of pm4py: (net, initial marking, final marking)."""
        return self._net.parts

    @cached_property
    def _net(self) -> Net:
        return self.net if self.root is None and self.net is not None else pm4py_bridge.tree_net(self._tree)

    @property
    def _tree(self) -> Tree:
        assert self.root is not None
        return self.root

    def bpmn(self) -> Any:
        """BPMN model of pm4py."""
        return pm4py_bridge.to_bpmn(self._made)

    def to_pm4py(self) -> Any:
        """What pm4py's functions take: a process tree, or (net, initial marking, final marking)."""
        return pm4py_bridge.to_process_tree(self.root) if self.root is not None else self.petri_net()

    def plot(self) -> Figure:
        """The process tree as a diagram of steps and gateways, a static picture.

        Raises
        ------
        OptionError
            A heuristics net has no blocks to draw.
        """
        if self.root is None:
            raise OptionError(
                "a heuristics net has no blocks to draw.",
                hint='save it as .pnml, or pass algorithm="inductive".',
            )
        return process_figure(self.root)

    def _repr_svg_(self) -> str | None:
        return None if self.root is None else self.plot().svg("static")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model as .bpmn, .pnml or .ptml; needs no other program.

        Raises
        ------
        OptionError
            Another suffix, or .ptml for a heuristics net.
        OutputError
            The file cannot be written.
        """
        return write_model(path, self.root, self.net)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers; nan becomes None."""
        precision = self.precision
        return {
            "algorithm": self.algorithm,
            "noise": self.noise,
            "tree": self.tree,
            "fitness": self.fitness_interval,
            "precision": None if np.isnan(precision) else precision,
            "coverage": self.coverage_interval,
            "n_variants": self.variants.n_variants,
            "n_variants_aligned": self.n_variants_aligned,
            "share_aligned": self.share_aligned,
            "note": self.note or None,
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a measure: measure, estimate, lower, upper, n; precision has no interval."""
        import pandas as pd

        rows = [{"measure": "fitness", **(self.fitness_interval or {})}]
        rows.append({"measure": "precision", "estimate": self.precision})
        rows.append({"measure": "coverage", **(self.coverage_interval or {})})
        return pd.DataFrame(rows, columns=["measure", "estimate", "lower", "upper", "n"])

    def __repr__(self) -> str:
        settings = f"{self.algorithm}, noise {self.noise:g}"
        if self.root is not None:
            text = str(self.root)
            body = f"  {text[:400]}{'…' if len(text) > 400 else ''}"
        else:
            places, transitions, arcs = self._net.size
            body = f"  Petri net: {places} places, {transitions} transitions, {arcs} arcs"
        return f'ProcessModel: {settings}\n{body}\nNext: .fitness, .precision, .coverage, .save("model.bpmn")'
