"""Sections of `report.json`: each function turns results into plain numbers; none formats or words anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.fixes.candidates import LEVEL
from journeymine.fixes.ranking import iso
from journeymine.journeys import STATES
from journeymine.reporting import words
from journeymine.uncertainty import Estimates, share_of_units, unit_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from journeymine.fixes.candidates import TestedRow
    from journeymine.fixes.ranking import Fix, FixRanking
    from journeymine.log import EventLog
    from journeymine.markov.chain import MarkovChain
    from journeymine.paths.transitions import Transitions
    from journeymine.paths.variants import Variants
    from journeymine.spec import Stage

MICRO = 1e-6
MOST_SENSITIVITIES = 50
TEST_METHOD = "generalised Cochran-Mantel-Haenszel, Rao-Scott over customers, Benjamini-Hochberg"


def settings(log: EventLog, stages: Sequence[Stage]) -> dict[str, Any]:
    """What shapes the numbers; no path, and no query, which may hold one."""
    roles, found = log.roles, log.found
    assert found is not None
    names = log.activities
    return {
        "log": {
            "case_id": roles.case_id,
            "customer_id": roles.customer_id,
            "activity": list(roles.activity),
            "timestamp": roles.timestamp,
            "end_timestamp": roles.end_timestamp,
            "order": roles.order,
            "channel": roles.channel,
            "value": roles.value,
            "attributes": list(roles.attributes),
            "timezone": roles.timezone,
            "time_format": roles.time_format,
            "time_unit": roles.time_unit,
            "where": roles.where,
            "duplicates": roles.duplicates,
        },
        "journey": {
            "goal": [names[c] for c in found.goal],
            "end": [names[c] for c in found.end],
            "start": [names[c] for c in found.start],
            "segments": list(found.segments),
            "idle_s": None if found.idle.us is None else found.idle.us * MICRO,
            "idle_chosen": found.idle.chosen,
        },
        "activities": {
            "clean": [list(rule) for rule in log.rules.clean],
            "rename": dict(sorted(log.rules.rename.items())),
            "group": {new: list(old) for new, old in sorted(log.rules.group.items())},
        },
        "stages": [stage.id for stage in stages],
    }


def log_section(log: EventLog, variants: Variants, lang: str) -> dict[str, Any]:
    """Size, time and end states."""
    found, canonical = log.found, log.canonical
    assert found is not None
    calendar = log.clock == "calendar"
    return {
        "n_events": log.n_events,
        "n_cases": log.n_cases,
        "n_customers": log.n_customers,
        "n_activities": len(log.activities),
        "n_variants": variants.counts.n_variants,
        "first": iso(canonical.first_us) if calendar and canonical.first_us is not None else None,
        "last": iso(canonical.last_us) if calendar and canonical.last_us is not None else None,
        "clock": log.clock,
        "timezone": log.roles.timezone,
        "end_states": _end_states(log),
        "idle": _idle(log, lang),
        "goal": [log.activities[c] for c in found.goal],
        "end": [log.activities[c] for c in found.end],
        "start": [log.activities[c] for c in found.start],
    }


def _end_states(log: EventLog) -> dict[str, Any] | None:
    states = log.end_states
    if states is None:
        return None
    return {name: {"n": states.n[i], "share": states.share.at(i)} for i, name in enumerate(STATES)}


def _idle(log: EventLog, lang: str) -> dict[str, Any] | None:
    found = log.found
    assert found is not None
    if found.idle.us is None:
        return None
    seconds = found.idle.us * MICRO
    return {
        "seconds": seconds,
        "chosen": found.idle.chosen,
        "rule": words.idle_rule(seconds, found.idle.chosen, lang),
        "half": _shares_at(log, found.idle.us // 2),
        "double": _shares_at(log, found.idle.us * 2),
    }


def _shares_at(log: EventLog, idle_us: int) -> dict[str, float] | None:
    if log.end_states is None:
        return None
    states = log.end_states_at(idle_us)
    return {name: float(states.share.estimate[i]) for i, name in enumerate(STATES)}


def activities_section(
    log: EventLog, transitions: Transitions, chain: MarkovChain | None, stages: Sequence[Stage]
) -> list[dict[str, Any]]:
    """Activities in the order of the map: by stage, then by their mean place in a case."""
    counts, waits = log.activity_counts, log.departure_waits
    k = len(log.activities)
    wins = unit_matrix(counts.unit, counts.code, counts.unit_n_cases, (counts.n_units, k))
    cases = unit_matrix(
        np.arange(counts.n_units), np.zeros(counts.n_units, int), counts.unit_cases, (counts.n_units, 1)
    )
    reach = share_of_units(wins, cases, np.zeros(k, int), buckets=counts.buckets)
    repeat = _repeats(log, transitions)
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
    from journeymine.uncertainty import wilson

    return {"estimate": 0.0, "lower": 0.0, "upper": float(wilson(0, n)[1]), "n": n} if n else None


def transitions_section(transitions: Transitions) -> list[dict[str, Any]]:
    """Directly-follows pairs of the whole log."""
    counts, names = transitions.counts, transitions.counts.activities
    return [
        {
            "source": names[counts.source[e]],
            "target": names[counts.target[e]],
            "n": int(counts.n[e]),
            "n_cases": int(counts.n_cases[e]),
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


def chain_section(chain: MarkovChain | None) -> dict[str, Any] | None:
    """The conversion chain."""
    if chain is None:
        return None
    strongest = np.lexsort(
        (np.arange(len(chain.edges)), -np.nan_to_num(np.abs(chain.slope.estimate), nan=-1))
    )
    names = chain.columns
    return {
        "states": list(chain.states),
        "n_folded": chain.counts.n_folded,
        "attempts": 1,
        "n_visits": chain.counts.n_visits,
        "n_visits_open": chain.counts.n_unwatched,
        "visits": [chain.visit.at(i) for i in range(len(chain.states))],
        "events_to_goal": chain.events.at(),
        "seconds_to_goal": chain.seconds.at(),
        "sensitivity": [
            {
                "source": names[chain.edges[e, 0]],
                "target": names[chain.edges[e, 1]],
                **(chain.slope.at(e) or {}),
            }
            for e in strongest[:MOST_SENSITIVITIES].tolist()
            if chain.slope.at(e) is not None
        ],
    }


def tests_section(ranking: FixRanking | None, segments: Sequence[str]) -> dict[str, Any]:
    """Every test of the family, kept or not."""
    rows = [] if ranking is None else [_test(row, ranking.states, segments) for row in ranking.found.tests]
    kept = 0 if ranking is None else ranking.n_kept
    return {"n_tested": len(rows), "n_kept": kept, "level": LEVEL, "method": TEST_METHOD, "rows": rows}


def _test(row: TestedRow, states: Sequence[str], segments: Sequence[str]) -> dict[str, Any]:
    return {
        "activity": states[row.state],
        "column": None if row.column is None else segments[row.column],
        "periods": row.column is None,
        "statistic": row.test.statistic,
        "df": row.test.df,
        "p_value": row.test.p_value,
        "q_value": row.q_value,
        "kept": row.kept,
    }


def fixes_section(ranking: FixRanking | None) -> list[dict[str, Any]]:
    """Ranked fixes; titles and next steps are added with the words."""
    return [] if ranking is None else [_fix(fix) for fix in ranking.fixes]


def _fix(fix: Fix) -> dict[str, Any]:
    period = fix.period
    return {
        "id": fix.id,
        "kind": fix.kind,
        "activity": fix.activity,
        "attempt": fix.attempt,
        "segment": None
        if fix.segment is None
        else {"column": fix.segment.column, "value": fix.segment.value},
        "period": None
        if period is None
        else {"start": iso(period.start_us), "end": iso(period.end_us), "ongoing": period.ongoing},
        "reference": {"kind": fix.reference.kind, "value": fix.reference.value, "n": fix.reference.n},
        "drop": fix.drop.at(),
        "title": "",
        "effect": fix.effect.at(),
        "per_month": None if fix.per_month is None else fix.per_month.at(),
        "money_per_month": None if fix.money_per_month is None else fix.money_per_month.at(),
        "reach": fix.reach.at(),
        "p_best": fix.p_best,
        "rank": fix.rank,
        "rank_lower": fix.rank_lower,
        "rank_upper": fix.rank_upper,
        "evidence": fix.evidence,
        "audience": {"n": fix.audience_n},
        "block": fix.block,
        "next_step": "",
    }


def stages_section(stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """Stages as they were configured."""
    return [{"id": s.id, "name": s.name, "owner": s.owner, "activities": list(s.activities)} for s in stages]


def tables(data: dict[str, Any]) -> dict[str, pa.Table]:
    """The lists of the report as flat tables: an estimate becomes `x`, `x_lower`, `x_upper`, `x_n`."""
    import pyarrow as pa

    wanted = ("fixes", "transitions", "activities", "variants")
    return {
        stem: pa.Table.from_pylist([flat(row) for row in data[stem]], schema=_SCHEMAS[stem]())
        for stem in wanted
    }


def flat(row: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """One row with nested values as columns.

    Examples
    --------
    >>> flat({"n": 2, "share": {"estimate": 0.5, "lower": 0.1, "upper": 0.9, "n": 4}, "segment": {"column": "a"}})
    {'n': 2, 'share': 0.5, 'share_lower': 0.1, 'share_upper': 0.9, 'share_n': 4, 'segment_column': 'a'}
    """
    out: dict[str, Any] = {}
    for key, value in row.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and "estimate" in value:
            out[name] = value["estimate"]
            out.update({f"{name}_{part}": value[part] for part in ("lower", "upper", "n")})
        elif isinstance(value, dict):
            out.update(flat(value, f"{name}_"))
        elif isinstance(value, list):
            out[name] = " > ".join(str(item) for item in value)
        else:
            out[name] = value
    return out


def _schema(
    texts: str = "", integers: str = "", floats: str = "", estimates: str = "", flags: str = ""
) -> pa.Schema:
    import pyarrow as pa

    fields = [(name, pa.string()) for name in texts.split()] + [
        (name, pa.int64()) for name in integers.split()
    ]
    fields += [(name, pa.float64()) for name in floats.split()] + [
        (name, pa.bool_()) for name in flags.split()
    ]
    for name in estimates.split():
        fields += [
            (name, pa.float64()),
            (f"{name}_lower", pa.float64()),
            (f"{name}_upper", pa.float64()),
            (f"{name}_n", pa.int64()),
        ]
    return pa.schema(fields)


_SCHEMAS = {
    "fixes": lambda: _schema(
        texts="id kind title activity segment_column segment_value period_start period_end reference_kind "
        "evidence block next_step",
        integers="rank rank_lower rank_upper attempt reference_n audience_n",
        floats="reference_value p_best",
        estimates="effect per_month money_per_month reach drop",
        flags="period_ongoing",
    ),
    "transitions": lambda: _schema(texts="source target", integers="n n_cases", estimates="share wait_s"),
    "activities": lambda: _schema(
        texts="name stage", integers="n n_cases", estimates="reach repeat drop conversion wait_s"
    ),
    "variants": lambda: _schema(
        texts="activities",
        integers="n end_states_converted end_states_dropped end_states_open",
        estimates="share",
    ),
}
