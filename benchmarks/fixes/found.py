"""Does the ranking find the planted faults of the demo shop by itself, and nothing where there is nothing?

    python benchmarks/fixes/found.py                              8 logs with every fault, 4 without any
    python benchmarks/fixes/found.py --faults 50 --nulls 400      hours

The gates of `journeymine bench fixes` rank fixes that they are given; this asks with candidates="auto". A planted fault
counts as found if a candidate has the id of its repair; an incident (whose dates are estimated) if it is at the right
step and more than half of either period lies in the other one. The campaign counts as called a fix if a candidate is
about its source or its weeks. Without faults a shorter delivery quote still helps (customers lose patience as before),
so a candidate for it is not counted there. One line a log, then tables for the README. Intervals resample logs.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import journeymine as jm
from journeymine.bench.estimates import Figure, mean_over_logs, share_over_logs
from journeymine.simulate import FAULTS

if TYPE_CHECKING:
    import pandas as pd

    from journeymine.fixes.ranked_fix import RankedFix
    from journeymine.fixes.ranking import FixRanking

CUSTOMERS = 3000
FIRST_SEED = 500
"""Far from the seeds that tests use, so that nothing was tuned on these logs."""
DECOY = "summer_campaign"
ALWAYS_HELPS = "wait:Delivery quote requested"
PLANTED = tuple(name for name in FAULTS if name != DECOY)
SEGMENTS = ["platform", "country", "customer_type", "source"]


@dataclass(frozen=True, slots=True)
class Fault:
    """A planted fault in one log; `ratio` and `covered` are None where it was not found."""

    name: str
    seed: int
    ratio: float | None
    covered: bool | None


@dataclass(frozen=True, slots=True)
class Log:
    """What was found in one log; `others` beside the planted faults, `above_zero` of them called above zero."""

    seed: int
    faults: tuple[Fault, ...]
    others: tuple[str, ...]
    above_zero: int
    decoy: bool
    n_tested: int


def ranked(shop: jm.simulate.Shop, seed: int) -> FixRanking:
    """As a user would call it who knows the columns and the goal."""
    log = jm.read_log(
        shop.events,
        case_id="journey_id",
        customer_id="customer_id",
        activity="activity",
        timestamp="timestamp",
        channel="channel",
        threads=1,
    ).journeys("Order placed", idle="21d", segments=SEGMENTS)
    return log.rank_fixes(candidates="auto", seed=seed)


def overlap(fix: RankedFix, row: pd.Series) -> tuple[float, float]:
    """Share of the fix's period that lies in that of the row, and the other way round; 0 where it has none."""
    if fix.period is None:
        return 0.0, 0.0
    first, last = fix.period.start_us, fix.period.end_us
    begin, end = (row[name].timestamp() * 1e6 for name in ("period_start", "period_end"))
    common = max(0.0, min(end, last) - max(begin, first))
    return common / (last - first), common / (end - begin)


def is_repair(fix: RankedFix, row: pd.Series) -> bool:
    """Whether a candidate repairs a planted fault."""
    if row["kind"] != "period":
        return bool(fix.id == row["fix_id"])
    return fix.kind == "incident" and fix.activity == row["activity"] and min(overlap(fix, row)) > 0.5


def is_decoy(fix: RankedFix, row: pd.Series) -> bool:
    """Whether a candidate blames the campaign: its source, or an incident that touches its weeks."""
    if fix.segment is not None and (fix.segment.column, fix.segment.value) == (row["column"], row["value"]):
        return True
    return overlap(fix, row)[0] > 0


def look(seed: int, customers: int, *, null: bool) -> Log:
    """Rank one log and hold what was found against what was planted."""
    shop = jm.simulate.shop(customers, seed=seed, null=null)
    ranking = ranked(shop, seed)
    truth = shop.truth.set_index("fault")
    left = [fix for fix in ranking.fixes if fix.block == "found" and not (null and fix.id == ALWAYS_HELPS)]
    decoy = not null and any(is_decoy(fix, truth.loc[DECOY]) for fix in left)
    faults = []
    for name in () if null else PLANTED:
        row = truth.loc[name]
        hit = next((fix for fix in left if is_repair(fix, row)), None)
        if hit is not None:
            left.remove(hit)
        effect = None if hit is None else hit.effect
        faults.append(
            Fault(
                name,
                seed,
                None if effect is None else float(effect.estimate / row["effect"]),
                None if effect is None else bool(effect.lower <= row["effect"] <= effect.upper),
            )
        )
    above = sum(fix.above_zero for fix in left)
    return Log(seed, tuple(faults), tuple(fix.id for fix in left), above, decoy, ranking.n_tested)


def told(figure: Figure | None, scale: float = 1.0, digits: int = 2) -> str:
    """A figure with its interval."""
    if figure is None:
        return "–"
    parts = (figure.estimate, figure.lower, figure.upper)
    estimate, lower, upper = (f"{scale * part:.{digits}f}" for part in parts)
    return f"{estimate} ({lower} to {upper})"


def row_of(name: str, faults: list[Fault]) -> str:
    """One line of the table of planted faults."""
    hits = [fault for fault in faults if fault.ratio is not None]
    seeds = [fault.seed for fault in hits]
    found = share_over_logs([fault.ratio is not None for fault in faults], [f.seed for f in faults])
    ratio = mean_over_logs([fault.ratio for fault in hits if fault.ratio is not None], seeds)
    covered = share_over_logs([bool(fault.covered) for fault in hits], seeds)
    n = f"{len(hits)} of {len(faults)}"
    return f"| {name} | {n} | {told(found, 100, 0)} | {told(ratio)} | {told(covered, 100, 0)} |"


def tables(planted: list[Log], nulls: list[Log]) -> str:
    """Both tables, as Markdown."""
    every = [fault for log in planted for fault in log.faults]
    lines = ["| planted fault | found | % of logs | predicted / true | coverage, % |", "|" + " --- |" * 5]
    lines += [row_of(name, [fault for fault in every if fault.name == name]) for name in PLANTED]
    lines += [
        row_of("all", every),
        "",
        "| what should not be found | logs | candidates | above zero | tests |",
    ]
    lines += ["|" + " --- |" * 5]
    called = sum(log.decoy for log in planted)
    lines.append(f"| the campaign (decoy) called a fix | {called} of {len(planted)} | – | – | – |")
    for what, logs in (("other candidates beside the faults", planted), ("candidates without faults", nulls)):
        hit, n = sum(bool(log.others) for log in logs), sum(len(log.others) for log in logs)
        above, tests = (sum(getattr(log, name) for log in logs) for name in ("above_zero", "n_tested"))
        lines.append(f"| {what} | {hit} of {len(logs)} | {n} | {above} | {tests} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faults", type=int, default=8, help="logs with every fault")
    parser.add_argument("--nulls", type=int, default=4, help="logs without any")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    options = parser.parse_args()
    began = time.perf_counter()
    runs: dict[bool, list[Log]] = {False: [], True: []}
    for null, n in ((False, options.faults), (True, options.nulls)):
        for seed in range(options.first_seed, options.first_seed + n):
            log = look(seed, options.customers, null=null)
            runs[null].append(log)
            hits = [fault.name for fault in log.faults if fault.ratio is not None]
            print(f"null={null} seed={seed}: found {hits}, others {list(log.others)}", flush=True)
    print(f"\n{tables(runs[False], runs[True])}\n\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
