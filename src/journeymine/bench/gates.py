"""The gates: what a ranker has to reach, as data, and what it reached."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from journeymine.bench.estimates import Figure, mean_over_logs
from journeymine.bench.gate_figures import (
    at_least_by_chance,
    at_most_by_chance,
    called,
    coverage,
    flagged,
    mean_abs,
    one_class,
    sets,
    slope,
    tau,
    top_regret,
    within,
    worst_bias,
)
from journeymine.bench.summary import summarise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.bench.gate_figures import Bounds, Measure
    from journeymine.bench.logs import LogKey
    from journeymine.bench.scoring import Score


OBSERVED: Final = ("markov", "observed_confounder", "loop_memory")
PARTIAL: Final = ("heavy_waits", "open_journeys", "left_truncated")
LATENT: Final = ("latent_intent", "intent_exposure")
N: Final = 10_000
ALL: Final = "all"


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """One thing that a ranker has to reach.

    Attributes
    ----------
    key, text
        Short name; what is measured, in words.
    scenarios
        Worlds that are pooled.
    measure
        From a summary to the figure, and a remark such as which fix is the worst.
    bounds
        From the number of logs to the least and the most that pass.
    by_shape
        Whether each shape has to pass alone.
    fewest
        Rows behind the figure from which it counts.
    classes
        Whether the ranker with classes is asked.
    source
        "issue" or "design": where the gate was set.
    """

    key: str
    text: str
    scenarios: tuple[str, ...]
    measure: Measure
    bounds: Bounds
    by_shape: bool = False
    fewest: int = 20
    classes: bool = False
    source: str = "issue"


@dataclass(frozen=True, slots=True)
class GateResult:
    """What was reached; `figure` is None where no log was run, and nothing is passed where the ranker failed."""

    key: str
    text: str
    scenarios: tuple[str, ...]
    shape: str
    ranker: str
    figure: Figure | None
    lower: float
    upper: float
    remark: str
    fewest: int
    source: str
    n_failed: int = 0

    @property
    def passed(self) -> bool | None:
        """Whether the figure is within the bounds and no log failed; None where nothing was run."""
        if self.n_failed:
            return False
        if self.figure is None:
            return None
        return self.lower - 1e-12 <= self.figure.estimate <= self.upper + 1e-12

    @property
    def is_enough(self) -> bool:
        """Whether enough was run for the figure to count."""
        return self.figure is not None and self.figure.n >= self.fewest


GATES: Final[tuple[Gate, ...]] = (
    Gate("ratio", "mean |log(predicted / true)|", OBSERVED, mean_abs, within(0.0, 0.05), True, 200),
    Gate("bias", "mean predicted / true, worst fix", OBSERVED, worst_bias, within(0.97, 1.03), True, 30,
         source="design"),
    Gate("tau", "Kendall's tau", OBSERVED, tau, within(0.85, 1.0), True),
    Gate("regret", "top-1 regret", OBSERVED, top_regret, within(0.0, 0.03), True),
    Gate("coverage", "coverage of 95 % intervals", OBSERVED, coverage, within(0.90, 0.98), True, 200),
    Gate("coverage_partial", "coverage of 95 % intervals", PARTIAL, coverage, within(0.90, 0.98), True, 200,
         source="design"),
    Gate("latent_bias", "mean predicted / true, worst fix", LATENT, worst_bias, within(0.75, 1.25), classes=True),
    Gate("one_class", "logs with one class", OBSERVED, one_class, at_least_by_chance(0.95), fewest=400, classes=True),
    Gate("null", "runs that call a fix above zero", ("null",), called, at_most_by_chance(0.05), fewest=400),
    Gate("p_best", "slope of the reliability of P(best)", ("near_ties",), slope, within(0.8, 1.2), fewest=100),
    Gate("positivity", "runs flagged", ("positivity",), flagged("positivity"), within(0.8, 1.0)),
    Gate("mixed_state", "runs flagged", ("misspecified",), flagged("mixed_state"), within(0.8, 1.0)),
    Gate("interaction", "runs flagged", ("interacting",), flagged("interaction"), within(0.8, 1.0), source="design"),
    Gate("sets", "mean |log(predicted / true)| of sets", ("interacting",), sets, within(0.0, 0.10), source="design"),
)  # fmt: skip


def gate_results(
    scores: Sequence[Score],
    *,
    ranker: str = "journeymine",
    classes: str = "journeymine_classes",
    n: int = N,
    failed: Sequence[tuple[LogKey, str]] = (),
) -> list[GateResult]:
    """Hold the scores against every gate, at one size of log.

    Parameters
    ----------
    scores
        Of all rankers.
    ranker, classes
        Who has to pass, without and with classes of customers.
    n
        Journeys in a log.
    failed
        Logs and rankers that failed on them.
    """
    found = []
    for gate in GATES:
        who = classes if gate.classes else ranker
        shapes = (
            sorted({key.shape for key in [*(s.log for s in scores), *(log for log, _ in failed)]})
            if gate.by_shape
            else [ALL]
        )
        for shape in shapes:
            chosen = None if shape == ALL else (shape,)
            pooled = summarise(scores, ranker=who, scenarios=gate.scenarios, shapes=chosen, n=n)
            lost = sum(
                log.n == n and by == who and log.scenario in gate.scenarios and shape in (ALL, log.shape)
                for log, by in failed
            )
            found.append(replace(_result(gate, shape, who, *gate.measure(pooled)), n_failed=lost))
    return [*found, _no_harm(scores, ranker, classes, n)]


def _result(gate: Gate, shape: str, ranker: str, figure: Figure | None, remark: str) -> GateResult:
    low, high = gate.bounds(figure.n_logs if figure else 0)
    return GateResult(
        gate.key,
        gate.text,
        gate.scenarios,
        shape,
        ranker,
        figure,
        low,
        high,
        remark,
        gate.fewest,
        gate.source,
    )


def _no_harm(scores: Sequence[Score], ranker: str, classes: str, n: int) -> GateResult:
    """Where there are no classes, looking for them must not cost order: tau with less tau without, log by log."""
    plain, split = (
        {s.log: s.tau for s in summarise(scores, ranker=who, scenarios=OBSERVED, n=n).scores}
        for who in (ranker, classes)
    )
    pairs = [
        (with_ - without, log)
        for log, with_ in split.items()
        if with_ is not None and (without := plain.get(log)) is not None
    ]
    figure = mean_over_logs([value for value, _ in pairs], [log for _, log in pairs])
    text = "tau with classes less tau without"
    return GateResult("no_harm", text, OBSERVED, ALL, classes, figure, -0.02, math.inf, "", 20, "issue")
