"""How one ranker did on one log: a line of the journal in, numbers out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.bench.logs import LogKey
from journeymine.bench.metrics import (
    NOTHING,
    covers,
    kendall_tau,
    log_ratio,
    ndcg,
    order_of,
    regret,
    true_places,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from journeymine.bench.journal import Line


@dataclass(frozen=True, slots=True)
class FixScore:
    """One fix of one log.

    Attributes
    ----------
    log_ratio
        Of predicted by true; None where nothing is true or the ranker gives scores.
    is_covered
        None where the ranker gives no intervals.
    place_covered
        Whether the interval of its places holds the true one; None without such an interval.
    p_best, best
        Stated (None: it is not) and true: 1 for the best fix, 1 / c for each of c that are equally good, else 0.
    """

    id: str
    kind: str
    true: float
    estimate: float
    log_ratio: float | None
    is_covered: bool | None
    place_covered: bool | None
    p_best: float | None
    best: float
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """One ranker on one log.

    Attributes
    ----------
    tau, ndcg
        Kendall's tau by the estimate; gain of the first three. None where the truth has no order.
    regret_1, regret_3
        Share of the attainable effect lost by the first, by the first three.
    calls_above_zero
        Whether any fix that truly does nothing is called above zero: by the ranker's own word, else by its interval.
    n_classes
        Classes that were found; None where none were looked for.
    set_log_ratios
        Of predicted by true, for sets of fixes that were evaluated jointly.
    """

    log: LogKey
    ranker: str
    calibrated: bool
    fixes: tuple[FixScore, ...]
    tau: float | None
    ndcg: float | None
    regret_1: float | None
    regret_3: float | None
    calls_above_zero: bool
    n_classes: int | None
    set_log_ratios: tuple[float, ...]
    cpu_s: float
    peak_mb: float | None

    @property
    def flags(self) -> frozenset[str]:
        """Flags raised on any fix."""
        return frozenset(flag for fix in self.fixes for flag in fix.flags)


def score_lines(lines: Iterable[Line]) -> list[Score]:
    """Score what rankers answered; lines of rankers that failed are left out."""
    return [score_line(line) for line in lines if "error" not in line]


def score_line(line: Line) -> Score:
    """Score one answer.

    Examples
    --------
    >>> fixes = [{"id": "a", "kind": "wait", "true": 0.02, "estimate": 0.03, "lower": 0.01, "upper": 0.05},
    ...     {"id": "b", "kind": "loop", "true": 0.01, "estimate": 0.04, "lower": 0.02, "upper": 0.06}]
    >>> line = {"shape": "shop", "scenario": "markov", "n": 100, "seed": 0, "ranker": "mine", "calibrated": True,
    ...     "intervals": True, "cpu_s": 0.1, "peak_mb": None, "fixes": fixes}
    >>> score = score_line(line)
    >>> score.tau, score.regret_1, [fix.is_covered for fix in score.fixes]
    (-1.0, 0.5, [True, False])
    """
    fixes = line["fixes"]
    true = np.array([fix["true"] for fix in fixes], dtype=float)
    estimate = np.array([fix["estimate"] for fix in fixes], dtype=float)
    ranks = [fix.get("rank") for fix in fixes]
    order = order_of(estimate, None if None in ranks else ranks)
    first, last = true_places(true)
    sets = (log_ratio(one["true"], one["effect"]) for one in line.get("sets") or ())
    return Score(
        log=LogKey(line["shape"], line["scenario"], line["n"], line["seed"]),
        ranker=line["ranker"],
        calibrated=line["calibrated"],
        fixes=tuple(_fix(line, fix, int(a), int(b)) for fix, a, b in zip(fixes, first, last, strict=True)),
        tau=kendall_tau(true, estimate),
        ndcg=ndcg(true, order),
        regret_1=regret(true, order),
        regret_3=regret(true, order, 3),
        calls_above_zero=any(abs(fix["true"]) <= NOTHING and _is_called(line, fix) for fix in fixes),
        n_classes=line.get("n_classes"),
        set_log_ratios=tuple(ratio for ratio in sets if ratio is not None),
        cpu_s=line["cpu_s"],
        peak_mb=line["peak_mb"],
    )


def _fix(line: Line, fix: dict[str, Any], first: int, last: int) -> FixScore:
    has_places = "rank_lower" in fix and "rank_upper" in fix
    return FixScore(
        id=fix["id"],
        kind=fix["kind"],
        true=fix["true"],
        estimate=fix["estimate"],
        log_ratio=log_ratio(fix["true"], fix["estimate"]) if line["calibrated"] else None,
        is_covered=covers(fix["true"], fix["lower"], fix["upper"]) if line["intervals"] else None,
        place_covered=(fix["rank_lower"] <= last and first <= fix["rank_upper"]) if has_places else None,
        p_best=fix.get("p_best"),
        best=1.0 / last if first == 1 else 0.0,
        flags=tuple(fix.get("flags", ())),
    )


def _is_called(line: Line, fix: dict[str, Any]) -> bool:
    """Whether the ranker says that a fix helps."""
    return bool(fix.get("above_zero", line["intervals"] and fix["lower"] > NOTHING))
