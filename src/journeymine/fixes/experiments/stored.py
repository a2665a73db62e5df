"""The fixes of a stored report.json, as far as plans and new orders need them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine._checks import duration_us
from journeymine.errors import OptionError, SourceError, shown
from journeymine.fixes.experiments.plannable import FollowUp, PlanFacts, metric_words
from journeymine.uncertainty import Estimates

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

NAME = "report.json"
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A value of a segment column."""

    column: str
    value: str


@dataclass(frozen=True, slots=True)
class StoredPeriod:
    """A period; `ongoing` if it reaches the end of the log."""

    start: str
    end: str
    ongoing: bool


@dataclass(frozen=True, slots=True, eq=False)
class StoredFix:
    """A fix of a report.

    Attributes
    ----------
    sd
        Standard deviation of the effect; None in reports that do not have it.
    predicted
        The effect before past tests; None where there were none.
    """

    id: str
    title: str
    label: str | None
    rank: int
    kind: str
    activity: str
    attempt: int | None
    segment: StoredSegment | None
    period: StoredPeriod | None
    effect: Estimates
    predicted: Estimates | None
    reach: Estimates
    per_month: Estimates | None
    net_value: float | None
    cost: float
    block: str
    sd: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class StoredRanking:
    """The fixes of a report in the order of their rank, and what plans need beside them.

    Attributes
    ----------
    n_tests
        Past tests that the effects of the report already carry.
    """

    fixes: tuple[StoredFix, ...]
    facts: PlanFacts
    n_tests: int


def read_ranking(run: str | os.PathLike[str]) -> StoredRanking:
    """Fixes of a run folder, or of its report.json.

    Raises
    ------
    SourceError
        There is no report, or it has no fixes that can be read.
    """
    path = Path(run)
    path = path / NAME if path.is_dir() or not path.suffix else path
    where = shown(str(path))
    try:
        data: Any = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise SourceError(
            f"there is no report {where}.",
            hint="write it with: journeymine run; or name its folder with --run.",
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(f"{where} cannot be read: it is not JSON.", hint="write it anew.") from error
    try:
        return _ranking(data)
    except (KeyError, TypeError, AttributeError, ValueError, OptionError) as error:
        raise SourceError(
            f"{where} is not a report of journeymine with fixes.", hint="write it anew with: journeymine run"
        ) from error


def _ranking(data: Mapping[str, Any]) -> StoredRanking:
    ranking = data.get("ranking") or {}
    follow_up: FollowUp = "horizon" if ranking.get("horizon") else "silence"
    fixes = sorted((_fix(row) for row in data["fixes"]), key=lambda fix: fix.rank)
    log, watched = data["log"], (data["log"].get("idle") or {}).get("seconds")
    if follow_up == "horizon":
        watched = duration_us(ranking["horizon"], name="horizon") / 1_000_000
    days = None if watched is None or log["clock"] != "calendar" else watched / DAY_S
    facts = PlanFacts(
        outcome=ranking.get("outcome", "conversion"),
        metric=metric_words(log["goal"], days, follow_up),
        baseline=_baselines(data),
        follow_up_days=days,
        customers_per_journey=min(1.0, log["n_customers"] / max(log["n_cases"], 1)),
        follow_up=follow_up,
    )
    return StoredRanking(tuple(fixes), facts, (ranking.get("calibration") or {}).get("n_tests", 0))


def _fix(row: Mapping[str, Any]) -> StoredFix:
    segment, period, net = row["segment"], row["period"], row.get("net_value")
    effect = _estimates(row["effect"])
    assert effect is not None
    reach = _estimates(row["reach"])
    assert reach is not None
    title = row.get("title") or row["id"]
    return StoredFix(
        id=row["id"],
        title=title,
        label=row.get("label") or title,
        rank=row["rank"],
        kind=row["kind"],
        activity=row["activity"],
        attempt=row["attempt"],
        segment=None if segment is None else StoredSegment(segment["column"], segment["value"]),
        period=None if period is None else StoredPeriod(period["start"], period["end"], period["ongoing"]),
        effect=_known(row["effect"]),
        predicted=_estimates(row.get("predicted")),
        reach=_known(row["reach"]),
        per_month=_estimates(row["per_month"]),
        net_value=None if net is None else net["estimate"],
        cost=row.get("cost", 0.0),
        block=row["block"],
        sd=None if row.get("sd") is None else float(row["sd"]),
    )


def _baselines(data: Mapping[str, Any]) -> dict[str, float]:
    """Conversion of those who meet each fix: of its plan, else of its activity where it is about everybody."""
    of_activity = {row["name"]: row.get("conversion") for row in data["activities"]}
    found = {}
    for row in data["fixes"]:
        plan, whole = row.get("plan"), of_activity.get(row["activity"])
        if plan is not None:
            found[row["id"]] = plan["baseline"]
        elif whole is not None and row["segment"] is None and row["period"] is None and not row["attempt"]:
            found[row["id"]] = whole["estimate"]
    return found


def _estimates(value: Mapping[str, Any] | None) -> Estimates | None:
    return None if value is None else _known(value)


def _known(value: Mapping[str, Any]) -> Estimates:
    numbers = [np.asarray(float(value[name])) for name in ("estimate", "lower", "upper")]
    return Estimates(numbers[0], numbers[1], numbers[2], np.asarray(value["n"]))
