"""Activities, directly-follows pairs and variants as plain numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.journeys import STATES
from journeymine.paths.reach import estimate_reach
from journeymine.uncertainty import Estimates, share_of_units, unit_matrix, wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.log import EventLog
    from journeymine.markov.chain import MarkovChain
    from journeymine.paths.transitions import Transitions
    from journeymine.paths.variants import Variants
    from journeymine.spec import Stage


def activities_section(
    log: EventLog, transitions: Transitions, chain: MarkovChain | None, stages: Sequence[Stage]
) -> list[dict[str, Any]]:
    """Activities in the order of the map: by stage, then by their mean place in a case."""
    counts, waits = log.activity_counts, log.departure_waits
    k = len(log.activities)
    reach, repeat = estimate_reach(counts), _repeats(log, transitions)
    stage_of = {name: (i, stage.id) for i, stage in enumerate(stages) for name in stage.activities}
    place = counts.places / np.maximum(counts.n_cases, 1)
    order = sorted(
        range(k), key=lambda c: (stage_of.get(log.activities[c], (len(stages), ""))[0], place[c], c)
    )
    drop, hit = _chain_columns(chain, k)
    return [
        {
            "name": log.activities[c],
            "stage": stage_of.get(log.activities[c], (0, None))[1],
            "n": int(counts.n[c]),
            "n_cases": int(counts.n_cases[c]),
            "reach": reach.at(c),
            "repeat": repeat.at(c),
            "drop": drop[c],
            "conversion": hit[c],
            "wait_s": waits[c],
        }
        for c in order
    ]


def _repeats(log: EventLog, transitions: Transitions) -> Estimates:
    """Share of the visits to an activity that are directly followed by another."""
    edges = transitions.counts
    k = len(log.activities)
    own = edges.source[edges.unit_edge] == edges.target[edges.unit_edge]
    loops = unit_matrix(
        edges.unit[own], edges.source[edges.unit_edge][own], edges.unit_n[own], (edges.n_units, k)
    )
    counts = log.activity_counts
    visits = unit_matrix(counts.unit, counts.code, counts.unit_n, (counts.n_units, k))
    return share_of_units(loops, visits, buckets=counts.buckets)


def _chain_columns(chain: MarkovChain | None, k: int) -> tuple[list[Any], list[Any]]:
    """Drop-out after each activity and conversion from it, by code; None where the chain has no such state."""
    drop: list[Any] = [None] * k
    hit: list[Any] = [None] * k
    if chain is None:
        return drop, hit
    n_states = len(chain.states)
    lost = {int(i): e for e, (i, j) in enumerate(chain.edges) if j == n_states + 1}
    visits = np.bincount(chain.counts.source, weights=chain.counts.n, minlength=n_states)
    for state, code in enumerate(chain.counts.activity.tolist()):
        if code < 0:
            continue
        hit[code] = chain.hit.at(state)
        drop[code] = chain.edge_share.at(lost[state]) if state in lost else _never(int(visits[state]))
    return drop, hit


def _never(n: int) -> dict[str, Any] | None:
    """A share of nothing out of n."""
    return {"estimate": 0.0, "lower": 0.0, "upper": float(wilson(0, n)[1]), "n": n} if n else None


def transitions_section(transitions: Transitions) -> list[dict[str, Any]]:
    """Directly-follows pairs of the whole log."""
    counts, names = transitions.counts, transitions.counts.activities
    n_cases = transitions.n_cases
    return [
        {
            "source": names[counts.source[e]],
            "target": names[counts.target[e]],
            "n": int(counts.n[e]),
            "n_cases": int(n_cases[e]),
            "share": transitions.share.at(e),
            "wait_s": transitions.wait_s.at(e) if transitions.wait_s else None,
        }
        for e in range(len(counts.n))
    ]


def variants_section(variants: Variants) -> list[dict[str, Any]]:
    """The most frequent variants."""
    counts, names = variants.counts, variants.counts.activities
    return [
        {
            "activities": [names[c] for c in path],
            "n": int(counts.n[v]),
            "share": variants.share.at(v),
            "end_states": None
            if counts.n_by_state is None
            else {name: int(counts.n_by_state[v, i]) for i, name in enumerate(STATES)},
        }
        for v, path in enumerate(counts.paths)
    ]
