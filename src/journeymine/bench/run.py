"""Run the benchmark: every ranker on every log, in processes of their own, resumable."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final

from journeymine import __version__
from journeymine._progress import Progress, quiet
from journeymine.bench.answers import checked_answer
from journeymine.bench.facts import N_DRAWS
from journeymine.bench.journal import Journal
from journeymine.bench.logs import LogKey, make_log, true_sets
from journeymine.bench.measure import measured
from journeymine.bench.rankers import BUILT_IN, find_ranker
from journeymine.errors import JourneymineError, OptionError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from journeymine.bench.journal import Line
    from journeymine.bench.logs import BenchLog

SEEDS, N, PROCESSES = 20, 10_000, 2
THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which logs, which rankers.

    Attributes
    ----------
    shapes, scenarios
        Names of `journeymine.simulate.worlds`; empty: all of them.
    sizes
        Journeys in a log.
    seeds
        Logs of each shape, scenario and size, counted from `first_seed`.
    rankers
        Names of ours, or "module:function"; empty: all of ours.
    n_draws
        Replicates of rankers with a bootstrap.
    """

    shapes: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    sizes: tuple[int, ...] = (N,)
    seeds: int = SEEDS
    first_seed: int = 0
    rankers: tuple[str, ...] = ()
    n_draws: int = N_DRAWS

    def __post_init__(self) -> None:
        from journeymine.simulate.worlds import SCENARIOS, SHAPES, world

        for name, values in (
            ("shapes", tuple(world(name).shape for name in self.shapes) or SHAPES),
            ("scenarios", tuple(world(SHAPES[0], name).scenario for name in self.scenarios) or SCENARIOS),
            ("rankers", self.rankers or tuple(BUILT_IN)),
            ("sizes", tuple(sorted(self.sizes))),
        ):
            object.__setattr__(self, name, tuple(dict.fromkeys(values)))
        for name, least in (("sizes", 1), ("seeds", 1), ("first_seed", 0), ("n_draws", 2)):
            given = getattr(self, name)
            if min(given if isinstance(given, tuple) else (given,), default=-1) < least:
                raise OptionError(f"{name} is {shown(given)}, expected at least {least}.")

    @property
    def logs(self) -> list[LogKey]:
        """All logs: seed after seed, so that a run that is stopped has seen every world."""
        seeds = range(self.first_seed, self.first_seed + self.seeds)
        return [
            LogKey(shape, scenario, n, seed)
            for n in self.sizes
            for seed in seeds
            for scenario in self.scenarios
            for shape in self.shapes
        ]


def run_benchmark(
    plan: Plan, out: Path, *, processes: int = PROCESSES, progress: Progress | None = None
) -> list[Line]:
    """Run what is not finished yet and give all lines of the plan.

    Parameters
    ----------
    plan
        What to run.
    out
        Folder of the journal; an earlier run there is continued.
    processes
        Processes; 1: in this one. With more, the calling script needs `if __name__ == "__main__":`.
    progress
        Told which log is done.

    Returns
    -------
    list
        A mapping for each log and ranker: key, cost, and for each fix what is true and what was answered; with
        `error` instead where a ranker failed.
    """
    if processes < 1:
        raise OptionError(f"processes is {shown(processes)}, expected at least 1.")
    journal = Journal(out, {"version": __version__, "n_draws": plan.n_draws})
    for name in plan.rankers:
        find_ranker(name)
    todo = [(log, names) for log in plan.logs if (names := journal.missing(log, plan.rankers))]
    told = progress or quiet()
    results = _results(todo, plan.n_draws, processes)
    for i in range(len(todo)):
        with told.step(f"Benchmark: log {i + 1} of {len(todo)}"):
            journal.add(next(results))
    return journal.lines(plan.logs, plan.rankers)


def all_results(out: Path, n_draws: int) -> list[Line]:
    """All that was ever finished in a folder, whichever plan asked for it: what the page shows."""
    return Journal(out, {"version": __version__, "n_draws": n_draws}).everything()


def _results(todo: Sequence[tuple[LogKey, list[str]]], n_draws: int, processes: int) -> Iterator[list[Line]]:
    if processes == 1 or len(todo) < 2:
        for log, names in todo:
            yield run_log(log, names, n_draws)
        return
    # Started afresh (a fork would share the engine), and with one thread each where nothing else is said.
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update({name: value or "1" for name, value in before.items()})
    try:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            started = [pool.submit(run_log, log, names, n_draws) for log, names in todo]
            try:
                for done in as_completed(started):
                    yield done.result()
            finally:
                for one in started:
                    one.cancel()
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)


def run_log(key: LogKey, names: Sequence[str], n_draws: int) -> list[Line]:
    """Let rankers answer on one log, each on its own copy of the events."""
    log = make_log(key, n_draws)
    return [_line(key, log, name) for name in names]


def _line(key: LogKey, log: BenchLog, name: str) -> Line:
    ranker = find_ranker(name)
    line: Line = {
        "shape": key.shape,
        "scenario": key.scenario,
        "n": key.n,
        "seed": key.seed,
        "ranker": name,
        "calibrated": ranker.calibrated,
        "intervals": ranker.intervals,
    }
    events = log.events.copy()
    events.attrs.update(log.events.attrs)
    try:
        answer, cost = measured(lambda: ranker.call(events, list(log.fixes), key.seed))
        rows = checked_answer(answer, log.fixes, name)
    except Exception as error:
        return {**line, "error": _told(error)}
    kinds = {fix.id: fix.kind for fix in log.fixes}
    fixes = [{**row, "true": log.truth[row["id"]], "kind": kinds[row["id"]]} for row in rows]
    sets: list[dict[str, Any]] = list(answer.attrs.get("sets") or ())
    for one, true in zip(sets, true_sets(key, sets) if sets else (), strict=True):
        one["true"] = true
    extra = {"cpu_s": cost.cpu_s, "peak_mb": cost.peak_mb, "fixes": fixes, "sets": sets}
    return {**line, **extra, "n_classes": answer.attrs.get("n_classes")}


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, JourneymineError) else f"{type(error).__name__}: {error}"


def failures(lines: Sequence[Line], tell: Callable[[str], object]) -> int:
    """Tell each ranker's failures, the first message of each, and count them."""
    failed = [line for line in lines if "error" in line]
    for name in dict.fromkeys(line["ranker"] for line in failed):
        own = [line for line in failed if line["ranker"] == name]
        tell(f"{name} failed on {len(own)} logs; the first: {own[0]['error']}")
    return len(failed)
