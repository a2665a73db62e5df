"""The `journeymine` command: arguments, exit codes, which stream. The work is done elsewhere."""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number

from journeymine import __version__
from journeymine._crash import crash_details, crash_message
from journeymine._streams import harmless, put_result, say
from journeymine.errors import JourneymineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine._progress import Progress
    from journeymine.spec import JourneySpec

CONFIG = Path("journeymine.toml")
WRONG_USE, CRASH, INTERRUPTED, TERMINATED = 2, 4, 130, 143
HELP = (
    "From a customer event log to a ranked list of the fixes that move the goal most.\n\n"
    "Standard output holds results only: the paths of the files written, the report first. "
    "Everything else goes to standard error. Exit codes: 0 done; 1 an alert fired (with --fail-on alert); "
    "2 wrong use or configuration; 3 unusable data; 4 disk full or crash."
)

Out = Annotated[Path, Parameter(name=["--out", "-o"])]
Seed = Annotated[int | None, Parameter(validator=Number(gte=0))]
Threads = Annotated[int | None, Parameter(validator=Number(gte=1))]
LangOption = Literal["en", "fr"] | None
FailOn = Annotated[Literal["alert"] | None, Parameter(name="--fail-on")]
Json = Annotated[bool, Parameter(name="--json", negative="")]
Quiet = Annotated[bool, Parameter(name=["--quiet", "-q"], negative="")]
Relayout = Annotated[bool, Parameter(name="--relayout", negative="")]
Force = Annotated[bool, Parameter(name="--force", negative="")]

app = App(
    name="journeymine",
    help=HELP,
    version=__version__,
    help_format="plaintext",
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)


@app.command
def init(file: Path, /, *, out: Out = CONFIG, force: Force = False) -> int:
    """Guess the columns of an event log and write a commented configuration.

    Parameters
    ----------
    file
        The event log: CSV, Parquet, JSON lines, XES.
    out
        The configuration to write.
    force
        Replace the configuration if there is one.
    """
    from journeymine.init import write_config

    put_result(str(write_config(file, out, force=force)))
    say(f"Next: read {out}, correct what was guessed wrong, then run: journeymine check {out}")
    return 0


@app.command
def check(config: Path = CONFIG, /) -> int:
    """Read the log, print its data-quality ledger, write nothing.

    Parameters
    ----------
    config
        The configuration.
    """
    from journeymine._progress import make_progress
    from journeymine.reading import log_from_spec
    from journeymine.spec import read_spec

    spec = read_spec(config)
    progress = make_progress()
    with progress.step("Reading"):
        log = log_from_spec(spec, _base(config), progress=progress)
    put_result(harmless(log.check_text().rstrip("\n")))
    return 0


@app.command
def run(
    config: Path = CONFIG,
    /,
    *,
    out: Out = Path("out/report"),
    seed: Seed = None,
    lang: LangOption = None,
    threads: Threads = None,
    fail_on: FailOn = None,
    json_line: Json = False,
    quiet: Quiet = False,
    relayout: Relayout = False,
) -> int:
    """Read the log, rank the fixes, write the report.

    Parameters
    ----------
    config
        The configuration.
    out
        Folder of the report: new, empty, or that of an earlier run, which is replaced.
    seed
        Seed of the random draws; overrides the configuration.
    lang
        Language of the report; overrides the configuration.
    threads
        Threads that the engine may use; default: all cores. No number depends on it.
    fail_on
        End with exit code 1 if an alert fired.
    json_line
        Print one line of JSON instead of paths: {"report": path, "status": "done" or "alerts" or "error"}.
    quiet
        Print no summary.
    relayout
        Draw the map anew; by default steps keep the places that they have in the report that is replaced.
    """
    from journeymine.spec import read_spec

    spec = read_spec(config)
    given = {"seed": seed, "lang": lang}
    spec = spec.model_copy(update={key: value for key, value in given.items() if value is not None})
    return _write_report(
        spec,
        _base(config),
        out,
        threads=threads,
        fail_on=fail_on,
        json_line=json_line,
        quiet=quiet,
        relayout=relayout,
    )


@app.command
def demo(
    *,
    out: Out = Path("out/demo"),
    seed: Seed = None,
    lang: Literal["en", "fr"] = "en",
    json_line: Json = False,
    quiet: Quiet = False,
) -> int:
    """Write the report of the bundled demo log of a shop.

    Parameters
    ----------
    out
        Folder of the report: new, empty, or that of an earlier run, which is replaced.
    seed
        Seed of the random draws.
    lang
        Language of the report.
    json_line
        Print one line of JSON instead of paths.
    quiet
        Print no summary.
    """
    from journeymine._demo import demo_spec

    spec, base = demo_spec(lang=lang, seed=seed)
    return _write_report(spec, base, out, json_line=json_line, quiet=quiet)


@app.command
def schema(*, config: Annotated[bool, Parameter(name="--config", negative="")] = False) -> int:
    """Print the JSON Schema of report.json.

    Parameters
    ----------
    config
        Print that of journeymine.toml instead.
    """
    if config:
        from journeymine.spec import toml_schema as wanted
    else:
        from journeymine.reporting.schema import report_schema as wanted
    put_result(json.dumps(wanted(), indent=2, ensure_ascii=False))
    return 0


bench = App(name="bench", help="Benchmarks on simulated worlds whose truth is known.")
app.command(bench)

Names = Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")]
Sizes = Annotated[tuple[int, ...], Parameter(consume_multiple=True, negative="", validator=Number(gte=1))]
AtLeastOne = Annotated[int, Parameter(validator=Number(gte=1))]


@bench.command(name="fixes")
def bench_fixes(
    *,
    scenarios: Names = (),
    shapes: Names = (),
    n: Sizes = (10_000,),
    seeds: AtLeastOne = 20,
    ranker: Names = (),
    draws: AtLeastOne = 1000,
    processes: AtLeastOne = 2,
    out: Out = Path("out/bench"),
    quick: Annotated[bool, Parameter(negative="")] = False,
    quiet: Quiet = False,
) -> int:
    """Hold rankers of fixes against worlds whose truth is known.

    A run that was stopped goes on where it was, in the same folder; the page shows all that is finished there.

    Parameters
    ----------
    scenarios
        Names or numbers of scenarios; default: all sixteen.
    shapes
        Shapes of journeys; default: all.
    n
        Journeys in a log.
    seeds
        Logs of each scenario, shape and size.
    ranker
        Rankers: names of ours, or "module:function" for your own; default: all of ours.
    draws
        Bootstrap replicates of rankers that have them.
    processes
        Processes that work at the same time.
    out
        Folder of the results.
    quick
        Two logs of 1,000 journeys each with 200 replicates, to see that everything runs.
    quiet
        Print no summary.
    """
    from journeymine._progress import make_progress
    from journeymine.bench.output import write_results
    from journeymine.bench.run import Plan, all_results, failures, run_benchmark

    if quick:
        n, seeds, draws = (1000,), 2, 200
    plan = Plan(shapes=shapes, scenarios=scenarios, sizes=n, seeds=seeds, rankers=ranker, n_draws=draws)
    progress = make_progress(False if quiet else None)
    lines = run_benchmark(plan, out, processes=processes, progress=progress)
    paths, words = write_results(all_results(out, draws), out)
    failures(lines, say)
    if not quiet:
        for sentence in words:
            say(sentence)
    for path in paths:
        put_result(str(path))
    return 0


experiment = App(name="experiment", help="The test of a fix: planned, and its results read back.")
app.command(experiment)

RunFolder = Annotated[Path, Parameter(name="--run")]
Part = Annotated[float, Parameter(validator=Number(gt=0, lt=1))]


@experiment.command(name="plan")
def experiment_plan(
    fix: str,
    /,
    *,
    run_folder: RunFolder = Path("out/report"),
    effect: Annotated[float | None, Parameter(validator=Number(gt=0))] = None,
    baseline: Annotated[float | None, Parameter(validator=Number(gt=0, lt=1))] = None,
    power: Part = 0.8,
    method: Literal["fixed", "sequential", "always_valid"] = "fixed",
    holdout: Part = 0.5,
    name: str | None = None,
    out: Out = Path("plan.json"),
    json_line: Json = False,
) -> int:
    """Plan the A/B test of a fix of the last report: who, how many, how long.

    Parameters
    ----------
    fix
        Rank or id of the fix.
    run_folder
        Folder of the report; nothing is computed anew.
    effect
        Change of the share of all starts that convert to be found, 0.01 is one point; default: as predicted.
    baseline
        Share of those who meet the fix that convert today; default: as in the report.
    power
        Probability to find it.
    method
        One look at the end, five looks with boundaries, or any number of looks.
    holdout
        Share of the customers in control.
    name
        Name of the experiment, which customers are dealt by; give a new one to repeat a test.
    out
        The plan to write.
    json_line
        Print one line of JSON instead of the path: {"plan": path, "status": "done" or "error"}.
    """
    from journeymine.experiment_command import plan_experiment

    return plan_experiment(
        fix,
        run=run_folder,
        out=out,
        effect=effect,
        baseline=baseline,
        power=power,
        method=method,
        holdout=holdout,
        name=name,
        json_line=json_line,
    )


@experiment.command(name="read")
def experiment_read(
    results: Path,
    /,
    *,
    plan: Path = Path("plan.json"),
    run_folder: RunFolder = Path("out/report"),
    registry: Path | None = None,
    date: str | None = None,
    json_line: Json = False,
) -> int:
    """Read the results of a test: is the split as planned, what was gained, how do the fixes stand now.

    Parameters
    ----------
    results
        CSV, JSON or Parquet: totals (arm, n, conversions) or customers (customer_id, arm, converted, before).
    plan
        The plan of the test.
    run_folder
        Folder of the report whose fixes are put into their new order.
    registry
        File of past tests; default: experiments.json beside the folder of the report.
    date
        Date of the test, kept with it.
    json_line
        Print one line of JSON instead of the path: {"registry": path, "verdict": word, "status": "done" or "error"}.
    """
    from journeymine.experiment_command import read_experiment

    return read_experiment(
        results, plan=plan, run=run_folder, registry=registry, date=date, json_line=json_line
    )


def _write_report(
    spec: JourneySpec,
    base: Path,
    out: Path,
    *,
    threads: int | None = None,
    fail_on: str | None = None,
    json_line: bool = False,
    quiet: bool = False,
    relayout: bool = False,
) -> int:
    from journeymine._progress import make_progress
    from journeymine.fixes.experiments.registry import registry_beside
    from journeymine.reading import log_from_spec
    from journeymine.reporting.build import build_report
    from journeymine.reporting.folder import check_folder, write_run
    from journeymine.reporting.last_run import last_layout

    check_folder(out)
    previous = None if relayout else last_layout(out)
    progress: Progress = make_progress(False if quiet else None)
    with progress.step("Reading"):
        log = log_from_spec(spec, base, progress=progress, threads=threads)
    with progress.step("Analysing"):
        report = build_report(
            log,
            spec=spec,
            seed=spec.seed,
            lang=spec.lang,
            progress=progress,
            previous=previous,
            registry=registry_beside(out),
        )
    with progress.step("Writing"):
        paths = write_run(
            out, report.files(), source=_sources(spec, base), threads=getattr(log.engine, "threads", threads)
        )
    if not quiet:
        _summarise(report.data)
    status = "alerts" if report.data.get("alerts") else "done"
    if json_line:
        put_result(json.dumps({"report": str(paths[0]), "status": status}, sort_keys=True))
    else:
        for path in paths:
            put_result(str(path))
    return 1 if fail_on and status == "alerts" else 0


def _sources(spec: JourneySpec, base: Path) -> list[str | Path]:
    texts = [text for text in (spec.log.table, spec.log.query) if text]
    return [*(base / name for name in spec.log.source), *texts]


def _summarise(data: dict[str, Any]) -> None:
    for finding in data.get("findings", ()):
        say(finding["text"])
    for warning in data.get("warnings", ()):
        say(f"Warning: {warning['text']}")


def _base(config: Path) -> Path:
    return config.absolute().parent


def _run(arguments: Sequence[str]) -> tuple[int, bool]:
    """Exit code, and whether the command came to its end, and so has said what there is to say."""
    try:
        result = app(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        say(f"{error}\nHint: journeymine {_command(arguments)}--help lists what is allowed.")
        return WRONG_USE, False
    except JourneymineError as error:
        details = f"\n{crash_details(error)}" if error.exit_code == CRASH else ""
        say(f"Error: {error}{details}")
        return error.exit_code, False
    except KeyboardInterrupt:
        say("Interrupted; nothing was changed.")
        return INTERRUPTED, False
    except SystemExit as stop:
        return (stop.code if isinstance(stop.code, int) else CRASH), False
    except Exception as error:
        say(f"Error: {crash_message(error)}")
        return CRASH, False
    return (result if isinstance(result, int) else 0), True


def _command(arguments: Sequence[str]) -> str:
    return (
        f"{arguments[0]} "
        if arguments and arguments[0] in {"init", "check", "run", "demo", "schema", "bench", "experiment"}
        else ""
    )


def _terminate(*_: object) -> None:
    # As an exception, so that temporary files are removed on the way out.
    sys.exit(TERMINATED)


def run_command(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    arguments
        What stands after `journeymine` on the command line.
    """
    code, ended = _run(arguments)
    if not ended and code > 1 and "--json" in arguments:
        put_result(json.dumps({"report": None, "status": "error"}, sort_keys=True))
    return code


def main() -> None:
    """Run the command line and end the process with its exit code."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)
    sys.exit(run_command(sys.argv[1:]))
