"""The main job against its peers: medians of three runs, and ratios.

    python benchmarks/main_job/run.py                     # 10 million events, all contestants (about half an hour)
    python benchmarks/main_job/run.py --events 1_000_000 --only journeymine "DuckDB bare sort"

Run it with the Python that has journeymine installed. Peers get environments of their own under --env-dir. Seconds are
those of the work: starting Python and importing packages is charged to nobody. See benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from environments import ALL, BARE_SORT, IMPORT, OURS, Contestant, interpreter  # noqa: E402
from generate import EVENTS, EVENTS_A_CASE, generate  # noqa: E402
from measure import ContestantTimeoutError, Run, run_once  # noqa: E402

SMALL = 1_000_000
TIMEOUT_S = 20 * 60
BUSY = 0.3
TARGETS = {"pm4py": 25.0, "retentioneering": 10.0, "DuckDB": 1.0}
"""How many times faster journeymine has to be on the full log, by the first word of the contestant's name."""
MOST_PEAK_MB = 2048
MOST_FURTHER_S = 1.5
MOST_IMPORT_CPU_S = 0.3


@dataclass(frozen=True, slots=True)
class Result:
    """Runs of one contestant on a log of `n_events`; `scale` 10 if the whole log did not fit in the time."""

    contestant: Contestant
    runs: list[Run]
    n_events: int
    scale: int = 1

    def median(self, stage: str, unit: str) -> float:
        """Median of a step over the runs, scaled to the whole log."""
        return statistics.median(run.stages[stage][unit] for run in self.runs) * self.scale

    @property
    def peak_mb(self) -> float:
        """Median peak memory of the job; not scaled."""
        return statistics.median(run.stages["job"]["peak_mb"] for run in self.runs)


def log_of(n_events: int, folder: Path) -> Path:
    path = folder / f"events-{n_events}.parquet"
    if not path.exists():
        print(f"Generating {n_events:,} events …", file=sys.stderr)
        generate(path, n_events)
    return path


def contest(chosen: list[Contestant], options: argparse.Namespace) -> dict[str, Result]:
    """All runs, one round after the other, so that a slow minute of the machine hits every contestant."""
    pythons = {c.name: interpreter(c, options.env_dir) for c in chosen}
    sizes = dict.fromkeys(pythons, options.events)
    runs: dict[str, list[Run]] = {name: [] for name in pythons}
    for round_ in range(1, options.repeat + 1):
        for c in chosen:
            print(f"round {round_} of {options.repeat}: {c.name}", file=sys.stderr)
            while True:
                log = log_of(sizes[c.name], options.data_dir)
                try:
                    runs[c.name].append(run_once(pythons[c.name], c.script, log, options.timeout))
                    break
                except ContestantTimeoutError:
                    if sizes[c.name] == SMALL:
                        raise
                    sizes[c.name], runs[c.name] = SMALL, []
    return {c.name: Result(c, runs[c.name], sizes[c.name], options.events // sizes[c.name]) for c in chosen}


def verdict(ok: bool) -> str:
    return "met" if ok else "MISSED"


def contest_lines(results: dict[str, Result]) -> list[str]:
    """The table of contestants with their ratios."""
    ours, bare = results.get(OURS.name), results.get(BARE_SORT.name)
    columns = ("wall s", "CPU s", "peak MB", "ours x", "CPU x", "sort x")
    head = " " * 20 + "".join(f" {column:>8}" for column in columns)
    lines = [head]
    for name, result in results.items():
        if name == IMPORT.name:
            continue
        wall, cpu = result.median("job", "wall"), result.median("job", "cpu")
        line = f"{name:20} {wall:8.2f} {cpu:8.2f} {result.peak_mb:8.0f}"
        by_ours = wall / ours.median("job", "wall") if ours else float("nan")
        cpu_by_ours = cpu / ours.median("job", "cpu") if ours else float("nan")
        by_bare = wall / bare.median("job", "wall") if bare else float("nan")
        line += f" {by_ours:8.1f} {cpu_by_ours:8.1f} {by_bare:8.2f}"
        least = TARGETS.get(name.replace(",", "").split()[0])
        if least and ours and ours.n_events == EVENTS:
            line += f"  at least {least:g}: {verdict(by_ours >= least)}"
        if result is ours and ours.n_events == EVENTS:
            line += f"  peak below {MOST_PEAK_MB} MB: {verdict(result.peak_mb < MOST_PEAK_MB)}"
        if result.scale > 1:
            line += (
                f"  (measured on {result.n_events:,} events, seconds times {result.scale}, memory as it was)"
            )
        lines.append(line)
    return lines


def further_lines(ours: Result) -> list[str]:
    """The steps of the job and each further count."""
    lines = [f"{'journeymine, by step':20} {'wall s':>8} {'CPU s':>8}"]
    for stage in ours.runs[0].stages:
        wall, cpu = ours.median(stage, "wall"), ours.median(stage, "cpu")
        line = f"{stage:20} {wall:8.2f} {cpu:8.2f}"
        if stage not in ("read_log", "transitions", "job") and ours.n_events == EVENTS:
            line += f"  below {MOST_FURTHER_S} s: {verdict(wall < MOST_FURTHER_S)}"
        lines.append(line)
    whole = statistics.median(run.peak_mb for run in ours.runs)
    return [*lines, f"{'peak of it all':20} {whole:8.0f} MB"]


def same_counts(results: dict[str, Result]) -> str:
    """Whether the contestants counted the same pairs."""
    keys = ("n_pairs", "n_moves")
    found = {
        name: {key: run.found[key] for key in keys if key in run.found}
        for name, result in results.items()
        for run in result.runs[:1]
        if result.scale == 1 and "n_pairs" in run.found
    }
    values = {key: {counts[key] for counts in found.values() if key in counts} for key in keys}
    if all(len(seen) <= 1 for seen in values.values()):
        return f"all count the same: {', '.join(f'{key} {seen.pop():,}' for key, seen in values.items() if seen)}"
    return f"COUNTS DIFFER: {found}"


def report(results: dict[str, Result], n_events: int, load: float) -> str:
    n_runs = len(next(iter(results.values())).runs)
    python = platform.python_version()
    lines = [
        f"{n_events:,} events, {n_events // EVENTS_A_CASE:,} cases; median of {n_runs} runs in one go",
        f"{os.cpu_count()} cores, load per core {load:.1f} before the start, Python {python}",
        "ours x: wall clock over that of journeymine; CPU x: the same of CPU seconds; sort x: wall over bare sort",
    ]
    if load > BUSY:
        lines.append("The machine was busy: trust the CPU column and ratios of it, not the wall clock.")
    lines += ["", *contest_lines(results)]
    if ours := results.get(OURS.name):
        lines += ["", *further_lines(ours)]
    if lean := results.get(IMPORT.name):
        cpu = lean.median("job", "cpu")
        met = verdict(cpu < MOST_IMPORT_CPU_S)
        lines += ["", f"{IMPORT.name}: {cpu:.3f} s CPU, below {MOST_IMPORT_CPU_S} s: {met}"]
    return "\n".join([*lines, "", same_counts(results)])


def saved(results: dict[str, Result], n_events: int) -> str:
    rows = [
        {
            "contestant": name, "requirements": list(result.contestant.requirements), "n_events": result.n_events,
            "scale": result.scale, "peak_mb": round(result.peak_mb),
            "stages": {
                stage: {unit: round(result.median(stage, unit), 3) for unit in ("wall", "cpu")}
                for stage in result.runs[0].stages
            },
        }
        for name, result in results.items()
    ]  # fmt: skip
    return json.dumps({"n_events": n_events, "cores": os.cpu_count(), "results": rows}, indent=2) + "\n"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--events", type=int, default=EVENTS, help="size of the log")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each contestant")
    parser.add_argument("--only", nargs="+", choices=[c.name for c in ALL], help="these contestants only")
    parser.add_argument(
        "--env-dir", type=Path, default=HERE.parent / ".envs", help="environments of the peers"
    )
    parser.add_argument("--data-dir", type=Path, default=HERE.parent / ".data", help="generated logs")
    parser.add_argument(
        "--timeout", type=float, default=TIMEOUT_S, help="seconds before a smaller log is used"
    )
    parser.add_argument("--save", action="store_true", help="write results.json beside this script")
    return parser.parse_args()


def main() -> None:
    options = parse()
    chosen = [c for c in ALL if not options.only or c.name in options.only]
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    results = contest(chosen, options)
    print(report(results, options.events, load))
    if options.save:
        target = HERE / "results.json"
        part = target.with_suffix(".part")
        part.write_text(saved(results, options.events))
        part.replace(target)


if __name__ == "__main__":
    main()
