"""From a Parquet file to a process tree: 250,000 events, 4,000 variants; medians of three runs, and ratios.

    python benchmarks/discovery/run.py
    python benchmarks/discovery/run.py --only journeymine "pm4py, graph"

Run it with the Python that has journeymine installed. r4pm has no miner of process trees, so it cannot take part.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "main_job")]

from environments import Contestant, interpreter  # noqa: E402
from measure import ContestantTimeoutError, Run, run_once  # noqa: E402
from variants_log import EVENTS, VARIANTS, generate  # noqa: E402

FOLDER = "../../discovery/contestants/"
PM4PY = ("pm4py==2.7.23.11", "pandas==2.3.3", "numpy<2.5", "pyarrow>=15")
CONTESTANTS = (
    Contestant("journeymine", "journeymine_tree"),
    Contestant("pm4py", "pm4py_tree", PM4PY),
    Contestant("pm4py, graph", "pm4py_graph_tree", PM4PY),
    Contestant("ebi-pm", "ebi_tree", ("ebi-pm==0.3.14", "pandas==2.3.3", "pyarrow>=15")),
)
MOST_S = 1.0
TIMEOUT_S = 10 * 60


def contest(chosen: list[Contestant], options: argparse.Namespace, log: Path) -> dict[str, list[Run]]:
    """All runs, one round after the other, so that a slow minute of the machine hits every contestant."""
    pythons = {c.name: interpreter(c, options.env_dir) for c in chosen}
    runs: dict[str, list[Run]] = {c.name: [] for c in chosen}
    late: set[str] = set()
    for round_ in range(options.repeat):
        for c in chosen:
            if c.name in late:
                continue
            print(f"round {round_ + 1} of {options.repeat}: {c.name}", file=sys.stderr)
            try:
                runs[c.name].append(run_once(pythons[c.name], FOLDER + c.script, log, options.timeout))
            except ContestantTimeoutError:
                late.add(c.name)
    return runs


def median(runs: list[Run], stage: str, unit: str) -> float:
    return statistics.median(run.stages[stage][unit] for run in runs)


def lines(runs: dict[str, list[Run]]) -> list[str]:
    ours = runs.get("journeymine")
    found = [f"{'':16} {'wall s':>8} {'CPU s':>8} {'peak MB':>8} {'ours x':>8} {'leaves':>8}"]
    for name, done in runs.items():
        if not done:
            found.append(f"{name:16} did not finish")
            continue
        wall, cpu, peak = (median(done, "job", unit) for unit in ("wall", "cpu", "peak_mb"))
        ratio = wall / median(ours, "job", "wall") if ours else float("nan")
        line = f"{name:16} {wall:8.2f} {cpu:8.2f} {peak:8.0f} {ratio:8.1f} {done[0].found['n_leaves']:8d}"
        if name == "journeymine":
            line += f"  below {MOST_S:g} s: {'met' if wall < MOST_S else 'MISSED'}"
        found.append(line)
    if ours:
        found += ["", f"{'by step':24} {'wall s':>8} {'CPU s':>8}"]
        found += [
            f"{s:24} {median(ours, s, 'wall'):8.2f} {median(ours, s, 'cpu'):8.2f}" for s in ours[0].stages
        ]
        numbers = ours[0].found
        found.append(
            ", ".join(f"{key} {numbers[key]}" for key in ("n_events", "n_variants", "fitness", "precision"))
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--variants", type=int, default=VARIANTS)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each contestant")
    parser.add_argument("--only", nargs="+", choices=[c.name for c in CONTESTANTS])
    parser.add_argument(
        "--env-dir", type=Path, default=HERE.parent / ".envs", help="environments of the peers"
    )
    parser.add_argument("--data-dir", type=Path, default=HERE.parent / ".data", help="generated logs")
    parser.add_argument("--timeout", type=float, default=TIMEOUT_S)
    options = parser.parse_args()
    log = options.data_dir / f"variants-{options.events}-{options.variants}.parquet"
    if not log.exists():
        generate(log, options.events, options.variants)
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    runs = contest([c for c in CONTESTANTS if not options.only or c.name in options.only], options, log)
    print(f"load per core before the start: {load:.1f}")
    print("\n".join(lines(runs)))


if __name__ == "__main__":
    main()
