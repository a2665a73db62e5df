"""Does the ranking find planted faults, and nothing where there is nothing?

    python benchmarks/validation/ranking.py faults --seeds 50     faults found, first, and covered by the interval
    python benchmarks/validation/ranking.py null --seeds 400      worlds without faults and with random segments

One line a seed, then a summary. `--first-seed` continues an earlier run.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import journeymine as jm

if TYPE_CHECKING:
    from journeymine.fixes.ranking import Fix

DAY_US = 86_400_000_000
SEGMENTS = ["platform", "country", "customer_type"]
ROLES = {
    "case_id": "journey_id",
    "customer_id": "customer_id",
    "activity": "activity",
    "timestamp": "timestamp",
}


def is_segment_fault(fix: Fix) -> bool:
    """The planted drop-out of mobile customers at sign-in."""
    return fix.activity == "Account sign-in" and fix.segment is not None and fix.segment.value == "mobile"


def is_incident(fix: Fix, start: pd.Timestamp, end: pd.Timestamp) -> bool:
    """A period at Payment that mostly is the planted incident."""
    if fix.activity != "Payment" or fix.period is None:
        return False
    first, last = fix.period.start_us, fix.period.end_us
    a, b = start.timestamp() * 1e6, end.timestamp() * 1e6
    overlap = min(b, last) - max(a, first)
    return overlap > 0.5 * (last - first) and overlap > 0.5 * (b - a)


def is_decoy(fix: Fix, start: pd.Timestamp, end: pd.Timestamp) -> bool:
    """A period that touches the campaign, or the campaign's own source."""
    if fix.period is None:
        return fix.segment is not None and "campaign" in fix.segment.value
    return fix.period.start_us < end.timestamp() * 1e6 and fix.period.end_us > start.timestamp() * 1e6


def faults(seed: int, n: int) -> dict[str, object]:
    """One world with every fault."""
    shop = jm.simulate.shop(n, seed=seed)
    log = jm.read_log(shop.events, **ROLES).journeys("Order placed", idle="21d", segments=SEGMENTS)
    ranking = log.rank_fixes(seed=seed)
    truth = shop.truth.set_index("fault")
    incident, campaign = truth.loc["payment_incident"], truth.loc["summer_campaign"]
    found = [fix for fix in ranking.fixes if fix.block == "found"]
    segment = [fix for fix in found if is_segment_fault(fix)]
    period = [fix for fix in found if is_incident(fix, incident.period_start, incident.period_end)]
    planted = segment[:1] + period[:1]
    covered = {
        "segment": bool(segment) and holds(segment[0], truth.loc["mobile_sign_in"].effect),
        "incident": bool(period) and holds(period[0], incident.effect),
    }
    saved = shop.truth[shop.truth.kind == "save_20"].set_index("activity").effect
    assumed = [fix for fix in ranking.fixes if fix.block == "assumed"]
    return {
        "seed": seed,
        "first": len(planted) == 2 and {fix.rank for fix in planted} == {1, 2},
        "segment_covered": covered["segment"],
        "incident_covered": covered["incident"],
        "decoy": any(is_decoy(fix, campaign.period_start, campaign.period_end) for fix in found),
        "n_found": len(found),
        "assumed_covered": sum(holds(fix, saved[fix.activity]) for fix in assumed),
        "n_assumed": len(assumed),
    }


def holds(fix: Fix, effect: float) -> bool:
    """Whether the interval holds the true effect."""
    return bool(fix.effect.lower <= effect <= fix.effect.upper)


def null(seed: int, n: int) -> dict[str, object]:
    """One world without faults, with segments drawn at random by customer."""
    shop = jm.simulate.shop(n, seed=seed, null=True)
    rng = np.random.default_rng(seed)
    ids = np.sort(shop.events["customer_id"].unique())
    events = shop.events.assign(
        colour=shop.events["customer_id"].map(
            dict(zip(ids, rng.choice(["red", "green", "blue"], len(ids)), strict=True))
        ),
        letter=shop.events["customer_id"].map(
            dict(zip(ids, rng.choice(list("abcdef"), len(ids)), strict=True))
        ),
    )
    log = jm.read_log(events, **ROLES).journeys(
        "Order placed", idle="21d", segments=["colour", "letter", "platform"]
    )
    ranking = log.rank_fixes(n_draws=2, seed=seed)
    smallest = min(row.test.p_value for row in ranking.found.tests)
    return {
        "seed": seed,
        "n_tested": ranking.n_tested,
        "any_kept": ranking.n_kept > 0,
        "smallest_p": smallest,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("world", choices=["faults", "null"])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--customers", type=int, default=6000)
    options = parser.parse_args()
    run = faults if options.world == "faults" else null
    rows, began = [], time.perf_counter()
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        rows.append(run(seed, options.customers))
        print(rows[-1], flush=True)
    frame = pd.DataFrame(rows)
    print(frame.drop(columns="seed").mean(numeric_only=False).to_string())
    if options.world == "null":
        print(f"worlds with any difference: {int(frame['any_kept'].sum())} of {len(frame)}")
    else:
        pairs = int(frame["segment_covered"].sum() + frame["incident_covered"].sum())
        print(f"(fault, seed) pairs whose interval holds the truth: {pairs} of {2 * len(frame)}")
        print(
            f"assumed effects covered: {int(frame['assumed_covered'].sum())} of {int(frame['n_assumed'].sum())}"
        )
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
