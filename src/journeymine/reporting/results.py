"""Everything a report is made of: each result computed once, in one order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from journeymine.analyses.comparisons import compare_everything
from journeymine.analyses.conformance import check_conformance
from journeymine.analyses.default_funnel import report_funnel
from journeymine.analyses.friction import find_friction
from journeymine.analyses.model import discover, explain
from journeymine.analyses.occupation import report_occupation
from journeymine.analyses.prediction import report_quality
from journeymine.analyses.process_map import build_map, shown_graph
from journeymine.errors import NotEnoughDataError
from journeymine.markov.timing.horizons import times_to_goal
from journeymine.paths.signals import FrictionRules

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from journeymine._progress import Progress
    from journeymine.analyses.comparisons import Comparison
    from journeymine.analyses.default_funnel import ReportFunnel
    from journeymine.analyses.occupation import ReportOccupation
    from journeymine.fixes.ranking import FixRanking
    from journeymine.log import EventLog
    from journeymine.markov.chain import MarkovChain
    from journeymine.markov.classes.persona_results import Personas
    from journeymine.markov.memory.order import OrderChoice
    from journeymine.markov.prediction.prediction_quality import PredictionQuality
    from journeymine.markov.timing.time_to_goal import TimeToGoal
    from journeymine.paths.friction import Friction
    from journeymine.paths.motifs import Motifs
    from journeymine.paths.process_map import ProcessMap
    from journeymine.paths.transitions import Transitions
    from journeymine.paths.variants import Variants
    from journeymine.process.conformance import Conformance
    from journeymine.process.explained import Explained
    from journeymine.process.model import ProcessModel
    from journeymine.spec import JourneySpec

TOP_VARIANTS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """Results of a log; None where a goal, a design or a configuration is missing."""

    log: EventLog
    transitions: Transitions
    variants: Variants
    motifs: Motifs
    chain: MarkovChain | None
    times: tuple[TimeToGoal, ...]
    order: OrderChoice | None
    personas: Personas | None
    ranking: FixRanking | None
    map: ProcessMap
    model: ProcessModel
    explained: Explained
    funnel: ReportFunnel | None
    occupation: ReportOccupation | None
    prediction: PredictionQuality | None
    friction: Friction
    conformance: Conformance | None
    comparisons: list[Comparison]


def compute(
    log: EventLog,
    spec: JourneySpec,
    progress: Progress,
    *,
    seed: int,
    previous: Mapping[str, Any] | None,
    registry: Path | None = None,
) -> Results:
    """Compute every result of the report.

    Parameters
    ----------
    registry
        File of past experiments; None without one.
    previous
        Layout of the map of the last run, which this one keeps where it can.
    """
    step = progress.step
    log = log if log.found is not None else log.journeys()
    assert log.found is not None
    with step("Counting"):
        transitions, variants, motifs = log.transitions(), log.variants(TOP_VARIANTS), log.motifs()
    chain: MarkovChain | None = None
    times: tuple[TimeToGoal, ...] = ()
    order: OrderChoice | None = None
    personas: Personas | None = None
    ranking: FixRanking | None = None
    if log.found.goal and log.count_chain().n_starts:
        with step("Fitting the chain"):
            chain = log.fit_markov(seed=seed)
            times = times_to_goal(chain)
        with step("Checking the chain"):
            order = _order(chain)
        with step("Looking for personas"):
            personas = chain.personas() if order is not None else None
        with step("Ranking fixes"):
            decision = spec.decision
            ranking = log.rank_fixes(
                seed=seed,
                extra=spec.fixes(),
                value=decision.value,
                months=decision.horizon_months,
                budget=decision.budget,
                registry=registry,
            )
    with step("Drawing the map"):
        process_map = build_map(log, previous, transitions=transitions, chain=chain)
    with step("Discovering the process"):
        model = discover(log)
        explained = explain(log, shown_graph(log, process_map), variants=model.count)
    with step("Counting the funnel"):
        settings = spec.funnel
        funnel = report_funnel(
            log, spec.stage, steps=settings.steps, within=settings.within, closed=settings.closed
        )
    with step("Following journeys over time"):
        occupation = report_occupation(log, seed=seed)
    with step("Judging predictions"):
        prediction = report_quality(log, seed=seed)
    with step("Looking for friction"):
        friction = find_friction(log, FrictionRules(**spec.friction.given()), seed=seed)
    with step("Checking the designed journey"):
        conformance = _conformance(log, spec, seed)
    with step("Comparing segments"):
        comparisons = compare_everything(log, seed=seed)
    return Results(
        log=log,
        transitions=transitions,
        variants=variants,
        motifs=motifs,
        chain=chain,
        times=times,
        order=order,
        personas=personas,
        ranking=ranking,
        map=process_map,
        model=model,
        explained=explained,
        funnel=funnel,
        occupation=occupation,
        prediction=prediction,
        friction=friction,
        conformance=conformance,
        comparisons=comparisons,
    )


def _order(chain: MarkovChain) -> OrderChoice | None:
    """The checks of the chain, which it keeps, and the comparison of orders; None with too few customers for it."""
    _ = chain.checks
    try:
        return chain.order_choice
    except NotEnoughDataError:
        return None


def _conformance(log: EventLog, spec: JourneySpec, seed: int) -> Conformance | None:
    """Conformance where there is a design; a design that no journey touches is the configuration's mistake."""
    if log.expected is None and not log.stages:
        return None
    try:
        return check_conformance(log, log.expected, unexpected=spec.journey.unexpected, seed=seed)
    except NotEnoughDataError:
        if log.expected is not None:
            raise
        return None
