"""The process map: a log in, the drawn map out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.counting.activities import count_activities
from journeymine.counting.edges import count_edges
from journeymine.counting.process_map import count_leaving, grouped_log
from journeymine.counts.process_map import MapCounts
from journeymine.errors import OptionError, shown
from journeymine.paths.process_fold import CHAIN, MAX_IN_A_ROW, MAX_STEPS, fold_steps, step_ids
from journeymine.paths.process_map import ProcessMap, estimate_map
from journeymine.paths.process_map_paths import MAX_PATHS
from journeymine.paths.process_stages import configured_stages, derived_stages
from journeymine.process.simplify import Rule, Simplified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journeymine.log import EventLog
    from journeymine.markov.chain import MarkovChain
    from journeymine.paths.process_fold import Steps
    from journeymine.paths.process_stages import Stages
    from journeymine.paths.transitions import Transitions

MOST_ENDS, END_SHARE = 8, 0.05
LAYOUT_KEYS = {"x", "rows", "stage_of", "bands", "derived"}


def build_map(
    log: EventLog,
    previous: ProcessMap | Mapping[str, Any] | None = None,
    *,
    transitions: Transitions | None = None,
    chain: MarkovChain | None = None,
) -> ProcessMap:
    """Draw the map of a log.

    Parameters
    ----------
    log
        With a goal, leaving is drop-out before the goal; else it is where journeys end.
    previous
        An earlier map, or `map.layout` of an earlier `report.json`: what it knows keeps its place.
    transitions, chain
        Taken from here where they are there already. Without `chain` no conversion is given.

    Returns
    -------
    ProcessMap
        At most 40 steps and 150 paths: above, the rarest activities of each stage share a step, and the rarest
        paths are left out. Stages are those of the configuration, or bands cut from the mean places.

    Raises
    ------
    OptionError
        `previous` is no layout.

    Examples
    --------
    >>> import journeymine as jm
    >>> log = jm.read_log(jm.demo_log_path(), case_id="journey_id", activity="activity", timestamp="timestamp")
    >>> build_map(log.journeys(goal="Order placed")).n_folded
    0
    """
    before = _stored(previous)
    ids = step_ids(log.activities)
    stages = _stages(log, ids, before)
    goal = log.found.goal if log.found else ()
    steps = fold_steps(
        ids,
        log.activity_counts.n,
        stages,
        protected=_protected(log),
        before=(before or {}).get("rows", ()),
        most=_most_steps(log),
    )
    counts = _counts(log, stages, steps, transitions, has_goal=bool(goal))
    return estimate_map(
        counts,
        log.activities,
        stages,
        steps,
        goal=goal,
        conversion=_conversion(chain) if chain else None,
        previous=before,
    )


def shown_graph(log: EventLog, found: ProcessMap) -> Simplified:
    """What the picture shows at first, as a part of the directly-follows graph: `explain` says how honest it is.

    Activities that share a box are not shown, nor are moves of theirs. The shares of the rule are what is held.

    Examples
    --------
    >>> import journeymine as jm
    >>> log = jm.read_log(jm.demo_log_path(), case_id="journey_id", activity="activity", timestamp="timestamp")
    >>> len(shown_graph(log, build_map(log)).codes)
    28
    """
    graph = log.graph_counts
    codes = sorted(members[0] for members in found.steps.members if len(members) == 1)
    moves = [move for move in found.shown_moves() if graph.follows[move]]
    ends = np.array(moves, dtype=np.int64).reshape(-1, 2)
    counts = graph.follows[ends[:, 0], ends[:, 1]]
    own = {
        (found.steps.members[a][0], found.steps.members[b][0])
        for a, b, kept in zip(found.source, found.target, found.in_backbone, strict=True)
        if kept
    }
    backbone = np.array([move in own for move in moves], dtype=bool)
    rule = Rule(
        max_activities=MAX_STEPS,
        max_edges=MAX_PATHS,
        event_share=float(graph.n[codes].sum() / max(int(graph.n.sum()), 1)),
        move_share=float(counts.sum() / max(int(graph.follows.sum()), 1)),
        n_activities=int((graph.n > 0).sum()),
        n_edges=int((graph.follows > 0).sum()),
        n_backbone=int(backbone.sum()),
        least_events=int(graph.n[codes].min()) if codes else 0,
        least_moves=int(counts[~backbone].min()) if (~backbone).any() else 0,
    )
    return Simplified(graph, tuple(codes), ends[:, 0], ends[:, 1], backbone, rule)


def _stored(previous: ProcessMap | Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if previous is None:
        return None
    stored = previous.stored if isinstance(previous, ProcessMap) else previous
    if not isinstance(stored, dict) or not stored.keys() >= LAYOUT_KEYS:
        hint = "pass a map of log.map(), or map.layout of a report.json."
        raise OptionError(f"previous is {shown(previous)}, which is no layout of a map.", hint=hint)
    return stored


def _stages(log: EventLog, ids: tuple[str, ...], before: Mapping[str, Any] | None) -> Stages:
    if log.stages:
        return configured_stages(
            log.activities, [(stage.id, stage.name, stage.activities) for stage in log.stages]
        )
    counts = log.activity_counts
    place = counts.places / np.maximum(counts.n_cases, 1)
    return derived_stages(ids, place, counts.n, _known_stages(before))


def _protected(log: EventLog) -> set[int]:
    """Activities that keep a box of their own however rare they are: the goal, ends, and where many journeys end."""
    own = {*log.found.goal, *log.found.end} if log.found else set()
    if len(log.activities) <= MAX_STEPS:
        return own
    graph = log.graph_counts
    often = np.lexsort((np.arange(len(graph.ends)), -graph.ends))[:MOST_ENDS]
    return own | {int(code) for code in often if graph.ends[code] >= END_SHARE * graph.n_cases}


def _most_steps(log: EventLog) -> int:
    """Steps that are drawn at most: more where they follow each other in a row."""
    if len(log.activities) <= MAX_STEPS:
        return MAX_STEPS
    follows = log.graph_counts.follows
    return MAX_IN_A_ROW if np.count_nonzero(follows) <= CHAIN * len(log.activities) else MAX_STEPS


def _known_stages(before: Mapping[str, Any] | None) -> dict[str, int] | None:
    """Bands of the earlier run, by id; None if it had stages of a configuration."""
    if not before or not before["derived"]:
        return None
    order = {band["stage"]: i for i, band in enumerate(before["bands"])}
    return {id_: order[stage] for id_, stage in before["stage_of"].items()}


def _counts(
    log: EventLog, stages: Stages, steps: Steps, transitions: Transitions | None, *, has_goal: bool
) -> MapCounts:
    engine, canonical = log.engine, log.canonical
    if steps.n_folded:
        folded = grouped_log(engine, canonical, steps.of, steps.ids)
        activities, edges = count_activities(engine, folded), count_edges(engine, folded)
    else:
        activities = log.activity_counts
        edges = transitions.counts if transitions else count_edges(engine, canonical)
    by_stage = count_activities(engine, grouped_log(engine, canonical, stages.of, stages.ids))
    visits = log._visits if has_goal else None  # noqa: SLF001 - the log delegates to this function
    leaving = count_leaving(engine, visits, steps.of) if visits else None
    return MapCounts(activities, edges, by_stage, leaving)


def _conversion(chain: MarkovChain) -> dict[int, tuple[float, float, float, int]]:
    """Probability to reach the goal, by code of the activity."""
    hit = chain.hit
    return {
        code: (float(hit.estimate[i]), float(hit.lower[i]), float(hit.upper[i]), int(hit.n[i]))
        for i, code in enumerate(chain.counts.activity.tolist())
        if code >= 0
    }
