"""`journeymine experiment plan` and `read`: from a fix of the last report to a test, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from journeymine._streams import put_result, say
from journeymine._whole_file import write_text
from journeymine.errors import SourceError, shown
from journeymine.fixes.experiments.past import PastTest
from journeymine.fixes.experiments.plan import ExperimentPlan
from journeymine.fixes.experiments.plan_fix import find_fix, plan_of_fix
from journeymine.fixes.experiments.registry import (
    read_registry,
    registry_beside,
    with_test,
    write_registry,
)
from journeymine.fixes.experiments.reranking import rerank
from journeymine.fixes.experiments.result_files import read_results
from journeymine.fixes.experiments.result_words import order_lines, result_sentences
from journeymine.fixes.experiments.results import measure
from journeymine.fixes.experiments.stored import StoredFix, StoredRanking, read_ranking

if TYPE_CHECKING:
    from pathlib import Path

    from journeymine.fixes.experiments.plan import Method

UNUSABLE = 3


def plan_experiment(
    fix: str,
    *,
    run: Path,
    out: Path,
    effect: float | None = None,
    baseline: float | None = None,
    power: float = 0.8,
    method: Method = "fixed",
    holdout: float = 0.5,
    name: str | None = None,
    json_line: bool = False,
) -> int:
    """Plan the test of a fix of a report, write it, say it in words.

    Parameters
    ----------
    fix
        Id or rank.
    run
        Folder of the report; nothing is computed anew.
    out
        The file to write.
    effect, baseline, power, method, holdout
        As in `plan_of_fix`.
    name
        Name of the experiment, which customers are dealt by; give a new one to repeat a test.

    Returns
    -------
    Exit code.
    """
    ranking = read_ranking(run)
    plan = plan_of_fix(
        _fix_of(fix, ranking),
        ranking,
        effect=effect,
        baseline=baseline,
        power=power,
        method=method,
        holdout=holdout,
        experiment=name,
    )
    write_text(out, plan.to_json())
    say(repr(plan))
    say(plan.next_step)
    put_result(_line({"plan": str(out), "status": "done"}) if json_line else str(out))
    return 0


def read_experiment(
    results: Path,
    *,
    plan: Path,
    run: Path,
    registry: Path | None = None,
    date: str | None = None,
    json_line: bool = False,
) -> int:
    """Read the results of a test, keep them, say what they mean and how the fixes stand now.

    Parameters
    ----------
    results
        File of totals or customers (`read_results`).
    plan
        The plan of the test.
    run
        Folder of the report whose fixes are put into their new order; may be missing.
    registry
        File of past tests; by default `experiments.json` beside the run.
    date
        Date of the test, kept with it.

    Returns
    -------
    Exit code: 3 if the result cannot be used (the split, conversion in control or the number of customers is far from
    the plan); it is kept then, and not used.
    """
    planned = read_plan(plan)
    data = read_results(results)
    result = measure(data, planned)
    test = PastTest.from_result(planned, result, date=date or data.date)
    where = registry_beside(run) if registry is None else registry
    earlier = read_registry(where)
    past = with_test(earlier, test)
    write_registry(where, past)
    for sentence in result_sentences(result, planned):
        say(sentence)
    if len(past) == len(earlier):
        say(f"An earlier reading of {shown(test.experiment)} was replaced.")
    _say_order(run, past)
    answer = {"registry": str(where), "verdict": result.verdict, "status": "done"}
    put_result(_line(answer) if json_line else str(where))
    return 0 if result.trusted else UNUSABLE


def read_plan(path: Path) -> ExperimentPlan:
    """The plan of a file.

    Raises
    ------
    SourceError
        There is none, or it is not a plan.
    """
    where = shown(str(path))
    hint = "write it with: journeymine experiment plan FIX; or name it with --plan."
    try:
        data: Any = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise SourceError(f"there is no plan {where}.", hint=hint) from error
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(f"{where} cannot be read: it is not JSON.", hint=hint) from error
    try:
        return ExperimentPlan.from_dict(data)
    except (TypeError, KeyError, AttributeError) as error:
        raise SourceError(f"{where} is not a plan of a test.", hint=hint) from error


def _fix_of(fix: str, ranking: StoredRanking) -> StoredFix:
    ids = {one.id for one in ranking.fixes}
    wanted = int(fix) if fix not in ids and fix.isascii() and fix.isdecimal() else fix
    found = find_fix(wanted, ranking.fixes)
    assert isinstance(found, StoredFix)
    return found


def _say_order(run: Path, past: tuple[PastTest, ...]) -> None:
    """The new order of the fixes of the report, where there is one and it can be told."""
    try:
        ranking = read_ranking(run)
    except SourceError as error:
        say(f"The order of the fixes was not made anew: {error}")
        return
    usable = [test for test in past if test.usable and test.outcome == ranking.facts.outcome]
    if not any(test.informative for test in usable):
        say("No past test can be used: the order of the fixes stays.")
    elif ranking.n_tests and all(fix.predicted is None for fix in ranking.fixes):
        say("The effects of the report already carry past tests: run journeymine run for the new order.")
    else:
        for line in order_lines(rerank(ranking.fixes, usable), usable):
            say(line)


def _line(values: dict[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, ensure_ascii=False)
