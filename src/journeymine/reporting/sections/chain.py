"""The conversion chain as plain numbers: what awaits a journey in each state, and whether one chain fits all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.markov.checks.check_tables import POOLED
from journeymine.markov.memory.order import VARIABLE
from journeymine.markov.timing.time_to_goal import EXTRAPOLATED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.markov.chain import MarkovChain
    from journeymine.markov.checks.checks import Check, StateCheck
    from journeymine.markov.memory.order import OrderChoice
    from journeymine.markov.timing.time_to_goal import TimeToGoal
    from journeymine.uncertainty import Estimates

MOST_SENSITIVITIES, MOST_TURNING_POINTS = 50, 10
DAY_US = 86_400_000_000
OF_STATE = (
    "conversion",
    "drop_out",
    "visits",
    "visits_given_goal",
    "remaining_steps",
    "remaining_seconds",
    "remaining_value",
    "steps_to_goal",
    "seconds_to_goal",
)
OF_START = tuple(name for name in OF_STATE if not name.startswith("visits"))


def chain_section(
    chain: MarkovChain | None, times: Sequence[TimeToGoal] = (), order: OrderChoice | None = None
) -> dict[str, Any] | None:
    """The conversion chain; `times` are P(goal within a horizon), `order` the comparison of orders."""
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
        "start": {name: estimate(chain.outcomes.of_start[name]) for name in OF_START},
        "outcomes": [
            {
                "state": state,
                "n": int(chain.hit.n[i]),
                **{name: estimate(chain.outcomes.of_state[name], i) for name in OF_STATE},
            }
            for i, state in enumerate(chain.states)
        ],
        "settled": chain.outcomes.settled().to_dict("records"),
        "turning_points": _turning_points(chain),
        "time_to_goal": _times(times),
        "median_seconds_to_goal": times[0].median_s.at() if times else None,
        "checks": [_check(check, len(chain.states)) for check in chain.checks]
        if chain.source is not None
        else [],
        "order": _order(order),
    }


def estimate(values: Estimates, index: int | tuple[int, ...] = ()) -> dict[str, Any] | None:
    """One number with its interval; None where either is not available."""
    found = values.at(index)
    return found if found and all(math.isfinite(value) for value in found.values()) else None


def _turning_points(chain: MarkovChain) -> list[dict[str, Any]]:
    """Moves that change conversion most, with the conversion before and after."""
    hit = {state: chain.hit.at(i) for i, state in enumerate(chain.states)}
    return [
        {
            "source": row["source"],
            "target": row["target"],
            "change": {key: row[key] for key in ("estimate", "lower", "upper", "n")},
            "before": hit[row["source"]],
            "after": hit[row["target"]],
        }
        for row in chain.moves.turning_points(MOST_TURNING_POINTS).to_dict("records")
    ]


def _times(times: Sequence[TimeToGoal]) -> list[dict[str, Any]] | None:
    """Conversion by horizon, of the chain and of journeys as a whole."""
    if not times:
        return None
    return [
        {
            "horizon_days": float(time.horizon_us / DAY_US),
            "estimate": time.estimate,
            "lower": time.lower,
            "upper": time.upper,
            "n": time.n,
            "dropped": estimate(time.drop, -1),
            "under_way": estimate(time.under_way, -1),
            "by_chain": estimate(time.goal, -1),
            "apart": any(text != EXTRAPOLATED for text in time.warnings),
        }
        for time in times
    ]


def _check(check: Check, n_states: int) -> dict[str, Any]:
    found = check.found
    effect = None
    if found is not None:
        effect = {"estimate": found.effect, "lower": found.lower, "upper": found.upper, "n": found.n}
    return {
        "name": check.name,
        "by": check.by,
        "n_groups": len(check.groups),
        "statistic": None if found is None else found.statistic,
        "df": None if found is None else found.df,
        "p_value": None if found is None else found.p_value,
        "effect": effect,
        "verdict": check.verdict.replace(" ", "_"),
        "consequence": check.consequence,
        "reason": check.reason,
        "worst": [_worst(check, one, n_states) for one in check.worst],
    }


def _worst(check: Check, one: StateCheck, n_states: int) -> dict[str, Any]:
    """Where the rows of a state are furthest apart; null names are rare ones together."""
    shift = one.shift
    end = {n_states: "goal", n_states + 1: "dropped"}.get(shift.column)
    # The start is the last group of the steps before.
    at_start = check.name == "first_order" and shift.group == len(check.groups) - 1
    return {
        "state": one.state,
        "part": one.contribution,
        "group": None if shift.group == POOLED or at_start else one.group,
        "at_start": at_start,
        "target": None if shift.column == POOLED or end else one.target,
        "end": end,
        "share": shift.share,
        "usual": shift.usual,
        "n": shift.n,
    }


def _order(choice: OrderChoice | None) -> dict[str, Any] | None:
    if choice is None:
        return None
    rows = []
    for row in choice.table.to_dict("records"):
        variable = row["order"] == VARIABLE
        test = choice.tests[row["order"] - 1] if not variable and row["order"] > 0 else None
        rows.append(
            {
                "order": None if variable else int(row["order"]),
                "n_contexts": int(row["n_contexts"]),
                "n_parameters": int(row["n_parameters"]),
                "log_likelihood": float(row["log_likelihood"]),
                "heldout_per_journey": {
                    "estimate": float(row["heldout_per_journey"]),
                    "lower": float(row["lower"]),
                    "upper": float(row["upper"]),
                    "n": choice.n_journeys,
                },
                "bic": float(row["bic"]),
                "aic": float(row["aic"]),
                "p_value": None if test is None else float(test.p_value),
                "bits": None if test is None else float(test.bits),
                "chosen": bool(row["chosen"]),
            }
        )
    reason = choice.reason.replace(" ", "_")
    return {"chosen": choice.order, "reason": reason, "n_journeys": choice.n_journeys, "table": rows}
