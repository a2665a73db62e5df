"""What the page of a benchmark shows, as plain values for its template."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.bench.figures import CoverageRow, RatioPoint, coverage_plot, ratio_plot
from journeymine.bench.gates import ALL, N, gate_results
from journeymine.bench.journal import key_of
from journeymine.bench.reliability import reliability_of
from journeymine.bench.scoring import score_lines
from journeymine.bench.summary import summarise
from journeymine.draw.calibration import CalibrationPoint, calibration_plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.bench.estimates import Figure
    from journeymine.bench.gates import GateResult
    from journeymine.bench.journal import Line
    from journeymine.bench.scoring import Score
    from journeymine.draw.figure import Figure as Picture

NULL: Final = "null"
PICTURE: Final = 330.0


def page_view(lines: Sequence[Line]) -> dict[str, Any]:
    """Tables and pictures of a benchmark, at the size that the gates ask for if it was run, else the largest."""
    scores = score_lines(lines)
    sizes, n = sorted({line["n"] for line in lines}), shown_size(lines)
    here = [score for score in scores if score.log.n == n]
    rankers = list(dict.fromkeys(line["ranker"] for line in lines))
    scenarios = list(dict.fromkeys(line["scenario"] for line in lines))
    gates = held_gates(lines)
    return {
        "headline": headline(gates),
        "size": fmt.number(n, "en"),
        "n_logs": fmt.number(len({score.log for score in here}), "en"),
        "shapes": sorted({line["shape"] for line in lines}),
        "gates": [gate_row(gate) for gate in gates],
        "rankers": [short(name) for name in rankers],
        "order": [_order_row(here, name, rankers) for name in scenarios],
        "ratios": _pictures(here, rankers, _ratios),
        "coverage": _pictures(here, rankers, _coverage),
        "reliability": _pictures(here, rankers, _reliability),
        "sizes": [_size_row(scores, name, size) for name in rankers for size in sizes],
        "failed": _failures(lines),
    }


def held_gates(lines: Sequence[Line]) -> list[GateResult]:
    """The gates, asked of our rankers where they ran, else of the first that predicts effects."""
    ran = list(dict.fromkeys(line["ranker"] for line in lines if line["calibrated"]))
    ranker = "journeymine" if "journeymine" in ran or not ran else ran[0]
    classes = "journeymine_classes" if ranker == "journeymine" else ranker
    failed = [key_of(line) for line in lines if "error" in line]
    return gate_results(
        score_lines(lines), ranker=ranker, classes=classes, n=shown_size(lines), failed=failed
    )


def shown_size(lines: Sequence[Line]) -> int:
    """The size that the gates ask for if it was run, else the largest."""
    sizes = {int(line["n"]) for line in lines}
    return N if N in sizes else max(sizes)


def headline(gates: Sequence[GateResult]) -> str:
    """One sentence on the gates."""
    known = [gate for gate in gates if gate.passed is not None]
    counted = [gate for gate in known if gate.is_enough or gate.n_failed]
    passed = sum(bool(gate.passed) for gate in known)
    few = len(known) - len(counted)
    parts = [
        f"{passed} of {len(known)} gates passed",
        f"{few} on fewer logs than they ask for" if few else "",
        f"{len(gates) - len(known)} not run" if len(known) < len(gates) else "",
    ]
    return "; ".join(part for part in parts if part)


def gate_row(gate: GateResult) -> dict[str, Any]:
    """One gate in words."""
    figure = gate.figure
    verdict = "not run" if gate.passed is None else "passes" if gate.passed else "misses"
    return {
        "key": gate.key,
        "text": gate.text,
        "shape": gate.shape,
        "where": _where(gate),
        "ranker": gate.ranker,
        "figure": "" if figure is None else fmt.number(figure.estimate, "en", 3),
        "interval": "" if figure is None else _interval(figure, 3),
        "n": "" if figure is None else f"{fmt.number(figure.n, 'en')} / {fmt.number(figure.n_logs, 'en')}",
        "wanted": _wanted(gate),
        "verdict": verdict,
        "level": {"passes": "good", "misses": "bad"}.get(verdict, "q"),
        "few": figure is not None and not gate.is_enough,
        "remark": f"failed on {gate.n_failed} logs" if gate.n_failed else gate.remark,
    }


def _where(gate: GateResult) -> str:
    worlds = ", ".join(name.replace("_", " ") for name in gate.scenarios)
    source = "; set by the design, not by the issue" if gate.source == "design" else ""
    return f"{worlds}; {gate.shape if gate.shape != ALL else 'all shapes'}{source}"


def _wanted(gate: GateResult) -> str:
    if gate.lower != gate.lower or gate.upper != gate.upper:
        return ""
    if gate.upper in (1.0, float("inf")):
        return f"at least {gate.lower:.3g}".replace("-", "−")
    return f"at most {gate.upper:.3g}" if gate.lower == 0 else f"{gate.lower:g} to {gate.upper:g}"


def _interval(figure: Figure, digits: int) -> str:
    return fmt.interval(fmt.number(figure.lower, "en", digits), fmt.number(figure.upper, "en", digits), "en")


def short(ranker: str) -> str:
    """Name of a ranker without its module.

    Examples
    --------
    >>> short("my_module:my_ranker")
    'my_ranker'
    """
    return ranker.rpartition(":")[2]


def _order_row(scores: Sequence[Score], scenario: str, rankers: Sequence[str]) -> dict[str, Any]:
    cells = []
    for name in rankers:
        summary = summarise(scores, ranker=name, scenarios=(scenario,))
        tau, lost = summary.of_logs(lambda s: s.tau), summary.of_logs(lambda s: s.regret_1)
        called = summary.share_of_logs(lambda s: s.calls_above_zero)
        if scenario == NULL:
            has_claims = bool(summary.scores) and summary.coverage is not None
            text = fmt.share(called.estimate, "en") if called and has_claims else fmt.MISSING
            cells.append(
                {"main": text, "more": "call one above zero" if called and has_claims else "", "title": ""}
            )
        else:
            cells.append(
                {
                    "main": fmt.number(tau.estimate, "en", 2) if tau else fmt.MISSING,
                    "more": f"{fmt.share(lost.estimate, 'en', 0)} lost" if lost else "",
                    "title": f"tau {_interval(tau, 2)}, {tau.n} logs" if tau else "",
                }
            )
    return {"scenario": scenario.replace("_", " "), "cells": cells}


def _pictures(scores: Sequence[Score], rankers: Sequence[str], draw: Any) -> list[dict[str, Any]]:
    found = [(name, draw([s for s in scores if s.ranker == name], short(name))) for name in rankers]
    return [{"name": short(name), "picture": picture} for name, picture in found if picture is not None]


def _ratios(scores: Sequence[Score], name: str) -> Picture | None:
    """Means over the logs of each world and fix with a true effect above zero."""
    pairs: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for score in scores:
        for fix in score.fixes:
            if fix.log_ratio is not None and fix.true > 0:
                pairs.setdefault((score.log.shape, score.log.scenario, fix.id), []).append(
                    (fix.true, fix.estimate)
                )
    points = [
        RatioPoint(found[0][0], statistics.fmean(e for _, e in found), " · ".join(key))
        for key, found in pairs.items()
    ]
    if not points:
        return None
    right = sum(point.holds for point in points)
    return ratio_plot(
        points, alt=f"{name}: {right} of {len(points)} fixes within a quarter of the truth", width=PICTURE
    )


def _coverage(scores: Sequence[Score], name: str) -> Picture | None:
    rows = []
    for scenario in dict.fromkeys(score.log.scenario for score in scores):
        found = summarise(scores, ranker=scores[0].ranker, scenarios=(scenario,)).coverage
        if found is not None:
            rows.append(
                CoverageRow(scenario.replace("_", " "), found.estimate, found.lower, found.upper, found.n)
            )
    if not rows:
        return None
    least = min(rows, key=lambda row: row.share)
    alt = f"{name}: lowest coverage {fmt.share(least.share, 'en', 0)}, in {least.name}"
    return coverage_plot(rows, alt=alt, width=PICTURE)


def _reliability(scores: Sequence[Score], name: str) -> Picture | None:
    found = reliability_of([score for score in scores if score.log.scenario != NULL])
    if found is None:
        return None
    points = [
        CalibrationPoint(
            predicted=bin_.stated,
            observed=bin_.came.estimate,
            lower=bin_.came.lower,
            upper=bin_.came.upper,
            n=bin_.came.n,
            title=f"stated {fmt.share(bin_.stated, 'en')}, came {fmt.share(bin_.came.estimate, 'en')}",
        )
        for bin_ in found.curve
    ]
    alt = f"{name}: reliability slope {found.slope.estimate:.2f}"
    return calibration_plot(
        points, lang="en", alt=alt, x_label="stated P(best)", y_label="is the best", width=PICTURE
    )


def _size_row(scores: Sequence[Score], ranker: str, size: int) -> dict[str, Any]:
    summary = summarise(scores, ranker=ranker, n=size)

    def text(figure: Figure | None, digits: int = 2) -> str:
        return fmt.MISSING if figure is None else fmt.number(figure.estimate, "en", digits)

    memory = [score.peak_mb for score in summary.scores if score.peak_mb is not None]
    cpu = [score.cpu_s for score in summary.scores]
    return {
        "ranker": short(ranker),
        "n": fmt.number(size, "en"),
        "tau": text(summary.of_logs(lambda s: s.tau)),
        "ndcg": text(summary.of_logs(lambda s: s.ndcg)),
        "regret_1": text(summary.of_logs(lambda s: s.regret_1)),
        "regret_3": text(summary.of_logs(lambda s: s.regret_3)),
        "off": text(summary.mean_abs_log_ratio, 3),
        "coverage": text(summary.coverage),
        "places": text(summary.place_coverage),
        "cpu": fmt.number(statistics.median(cpu), "en", 2) if cpu else fmt.MISSING,
        "memory": fmt.number(max(memory), "en") if memory else fmt.MISSING,
    }


def _failures(lines: Sequence[Line]) -> list[dict[str, Any]]:
    failed = [line for line in lines if "error" in line]
    names = dict.fromkeys(line["ranker"] for line in failed)
    groups = {name: [line["error"] for line in failed if line["ranker"] == name] for name in names}
    return [{"ranker": short(name), "n": len(errors), "first": errors[0]} for name, errors in groups.items()]
