"""Are predictions calibrated on journeys that came later, and what do they add to simple baselines?

    python benchmarks/validation/prediction.py                              four worlds, 100 logs each, some minutes
    python benchmarks/validation/prediction.py --world open --logs 20       one world, fewer logs
    python benchmarks/validation/prediction.py --real FOLDER                sepsis and helpdesk, from the real logs

Each simulated log is judged twice. "later": learnt from the first 70 % of its journeys as they were known then, judged
on the visits after (`evaluate_predictions`). "fresh": the chain of the whole log, with its open journeys, judged on new
customers of the same world who are followed to their ends, so that nothing is censored. One line a quantity: the mean
over logs with its standard error, and the standard deviation between logs. A slope of 1 says that predictions are as
extreme as they should be; `held` is how often its 95 % interval holds 1.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import coverage
import numpy as np
import pandas as pd

import journeymine as jm
from journeymine.analyses.prediction import evaluate_predictions
from journeymine.errors import NotEnoughDataError
from journeymine.markov.prediction.calibration import recalibration
from journeymine.markov.prediction.prediction import predict
from journeymine.simulate import sample_chain

N_DRAWS = 200
HORIZON = "7d"
N_CASES = 6000
WORLDS = ("independent", "repeated", "open", "open_repeated")
FRESH_SEED = 1_000_000
DAYS_TO_THE_END = 3650.0


def sample(name: str, seed: int, *, fresh: bool = False) -> pd.DataFrame:
    """Events of a log of a world; fresh ones are followed to their ends."""
    world = coverage.WORLDS[name]
    options = dict(world.options)
    if fresh:
        options.pop("open_share", None)
        options["days"] = DAYS_TO_THE_END
    sampled = sample_chain(world.matrix, world.start, N_CASES, seed, **options)  # type: ignore[arg-type]
    return sampled.events


def read(events: pd.DataFrame) -> jm.EventLog:
    """The log as users read it."""
    log = jm.read_log(
        events,
        case_id="case_id",
        customer_id="customer_id",
        activity="activity",
        timestamp="timestamp",
        threads=1,
    )
    return log.journeys("Goal", idle="30d")


def later(log: jm.EventLog, horizon: str | None, seed: int) -> dict[str, float] | None:
    """Quality on the later part of a log; None where it cannot be judged."""
    try:
        found = evaluate_predictions(log, horizon=horizon, n_draws=N_DRAWS, seed=seed)
    except NotEnoughDataError:
        return None
    slope, intercept = found.measure("slope"), found.measure("intercept")
    assert slope is not None
    assert intercept is not None
    return {
        "slope": slope["estimate"],
        "held": float(slope["lower"] <= 1 <= slope["upper"]),
        "intercept": intercept["estimate"],
        "intercept_held": float(intercept["lower"] <= 0 <= intercept["upper"]),
        "auc": found.table.loc["chain", "auc"],
        "skill": found.table.loc["chain", "skill"],
        "skill_last_step": found.table.loc["last_step", "skill"],
        "slope_recalibrated": found.table.loc["recalibrated", "slope"],
        "intercept_recalibrated": found.table.loc["recalibrated", "intercept"],
        "skill_recalibrated": found.table.loc["recalibrated", "skill"],
        "undecided": found.undecided,
    }


def outcomes(events: pd.DataFrame, horizon_days: float | None) -> tuple[list[str], np.ndarray]:
    """Activity of every visit of complete journeys, and whether its goal came (within a horizon)."""
    frame = events.sort_values(["case_id", "timestamp"], kind="stable")
    goal = frame[frame["activity"] == "Goal"].groupby("case_id")["timestamp"].min()
    visits = frame[frame["activity"] != "Goal"]
    reached = visits["case_id"].map(goal)
    longest = pd.Timedelta.max if horizon_days is None else pd.Timedelta(days=horizon_days)
    came = (reached - visits["timestamp"]) <= longest
    return visits["activity"].tolist(), came.to_numpy().astype(float)


def fresh(log: jm.EventLog, name: str, seed: int, horizon: str | None) -> dict[str, float]:
    """Slope on new customers of the same world, followed to their ends."""
    predictor = log.fit_markov(n_draws=N_DRAWS, seed=seed).predictor
    activities, came = outcomes(sample(name, FRESH_SEED + seed, fresh=True), 7.0 if horizon else None)
    states = sorted(set(activities))
    prefixes = [[state] for state in states]
    column = "conversion_within" if horizon else "conversion"
    p, line = (
        predict(predictor, prefixes, horizon, recalibrate=value)[column].to_numpy() for value in (False, True)
    )
    place = np.searchsorted(states, activities)
    total = np.bincount(place, minlength=len(states)).astype(float)
    won = np.bincount(place, weights=came, minlength=len(states))
    found = {}
    for name, values in (("", p), ("_recalibrated", line)):
        slope, large = recalibration(won, total, values)
        found |= {f"slope{name}": float(slope), f"intercept{name}": float(large)}
    return found


def summary(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Mean, spread and standard error over logs."""
    frame = pd.DataFrame(rows)
    keys = ["judged", "goal"]
    values = [c for c in frame.columns if c not in (*keys, "seed")]
    lines = []
    for (judged, goal), part in frame.groupby(keys, sort=False):
        for value in values:
            known = part[value].dropna()
            if len(known):
                lines.append(
                    {
                        "judged": judged,
                        "goal": goal,
                        "quantity": value,
                        "logs": len(known),
                        "mean": known.mean(),
                        "se": known.std() / np.sqrt(len(known)),
                        "sd": known.std(),
                        "median": known.median(),
                    }
                )
    return pd.DataFrame(lines)


def simulated(name: str, first: int, logs: int) -> None:
    """Print the table of one world."""
    began = time.perf_counter()
    rows: list[dict[str, object]] = []
    refused = {"in the end": 0, f"within {HORIZON}": 0}
    for seed in range(first, first + logs):
        log = read(sample(name, seed))
        for goal, horizon in zip(refused, (None, HORIZON), strict=True):
            found = later(log, horizon, seed)
            if found is None:
                refused[goal] += 1
            else:
                rows.append({"judged": "later", "goal": goal, "seed": seed, **found})
            rows.append({"judged": "fresh", "goal": goal, "seed": seed, **fresh(log, name, seed, horizon)})
    print(
        f"{name}: {N_CASES} cases a log, {time.perf_counter() - began:.0f} s; could not be judged: {refused}"
    )
    print(summary(rows).round(4).to_string(index=False), flush=True)


def real(folder: Path) -> None:
    """Print quality on sepsis and helpdesk, the baselines beside it."""
    logs = {
        "sepsis": (folder / "sepsis" / "Sepsis_Cases-Event_Log.xes.gz", "Release A"),
        "helpdesk": (folder / "helpdesk" / "Helpdesk_full_italian.xes.gz", "Closed"),
    }
    for name, (path, goal) in logs.items():
        log = jm.read_log(path).journeys(goal)
        for horizon in (None, HORIZON):
            print(f"\n{name}, goal {goal!r}, horizon {horizon}")
            try:
                found = evaluate_predictions(log, horizon=horizon)
            except NotEnoughDataError as error:
                print(f"not judged: {error}")
                continue
            print(found)
            print(found.table.round(4).T.to_string())
            print(found.calibration.round(3).to_string(index=False), flush=True)


def main() -> None:
    """Print one table a world, or one a real log."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--world", choices=WORLDS, action="append")
    parser.add_argument("--logs", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--real", type=Path)
    options = parser.parse_args()
    if options.real:
        real(options.real)
        return
    for name in options.world or WORLDS:
        simulated(name, options.first_seed, options.logs)


if __name__ == "__main__":
    main()
