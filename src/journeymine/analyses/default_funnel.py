"""The funnel of the report: the configured one, else the stages, else what most converted journeys have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from journeymine.analyses.funnel import funnel
from journeymine.errors import NotEnoughDataError
from journeymine.sql import funnel as funnel_sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta

    from journeymine.journeys import Journeys
    from journeymine.log import EventLog
    from journeymine.paths.funnel import Funnel
    from journeymine.spec import Stage

MAX_STEPS = 6
MAX_CANDIDATES = 12
Step = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ReportFunnel:
    """A funnel with the names of its steps and the rule that chose them.

    Attributes
    ----------
    rule
        "configured", "stages" or "common".
    """

    funnel: Funnel
    names: tuple[str, ...]
    rule: str


def report_funnel(
    log: EventLog,
    stages: Sequence[Stage] = (),
    *,
    steps: Sequence[str | Iterable[str]] = (),
    within: str | timedelta | None = None,
    closed: bool = True,
) -> ReportFunnel | None:
    """The funnel that the report shows; None without steps and goal, or if nothing leads to the goal.

    Parameters
    ----------
    log
        A log whose journeys are defined.
    stages
        Stages in journey order.
    steps, within, closed
        What the configuration says.

    Examples
    --------
    >>> import pyarrow as pa
    >>> import journeymine as jm
    >>> events = pa.table({"case": [1, 1, 2, 3, 3], "what": ["see", "buy", "see", "see", "buy"]})
    >>> log = jm.read_log(events, case_id="case", activity="what").journeys("buy")
    >>> found = report_funnel(log)
    >>> found.names, found.rule
    (('see', 'buy'), 'common')
    """
    found = log.found
    if steps:
        named = [(_joined(step), step) for step in steps]
        rule = "configured"
    elif found is None or not found.goal:
        return None
    else:
        goal = tuple(log.activities[code] for code in found.goal)
        rule = "stages" if stages else "common"
        before = _stage_steps(log, stages, goal) if stages else _common_steps(log, found)
        named = [*before, (_joined(goal), goal)]
        if not before:
            return None
    try:
        result = funnel(log, [step for _, step in named], within, closed=closed)
    except NotEnoughDataError:
        if rule == "configured":
            raise
        return None
    return ReportFunnel(result, tuple(name for name, _ in named), rule)


def _joined(step: str | Iterable[str]) -> str:
    return step if isinstance(step, str) else " / ".join(step)


def _stage_steps(log: EventLog, stages: Sequence[Stage], goal: Step) -> list[tuple[str, Step]]:
    """Stages in order up to the one that holds the goal, without the goal and without what the log does not have."""
    known, out = set(log.activities), []
    for stage in stages:
        step = tuple(name for name in stage.activities if name in known and name not in goal)
        if step:
            out.append((stage.name, step))
        if set(goal) & set(stage.activities):
            break
    return out


def _common_steps(log: EventLog, found: Journeys) -> list[tuple[str, Step]]:
    """Activities that at least half of the converted journeys meet before the goal, in this order.

    Taken from the commonest on, each in the order of its mean first place, as long as half of the converted journeys
    still meet all of them in that order.
    """
    engine = log.engine
    n_converted = int(engine.fetch(funnel_sql.n_converted_sql(found.table))["n"][0])
    firsts = engine.create_table("firsts", funnel_sql.common_firsts_sql(log.canonical.events, found.table))
    try:
        rows = engine.fetch_table(funnel_sql.common_codes_sql(firsts)).to_pylist()
        common = [row for row in rows if 2 * row["n"] >= n_converted][:MAX_CANDIDATES]
        place = {row["code"]: (row["places"] / row["n"], row["code"]) for row in common}
        chosen: list[int] = []
        for row in common:
            longer = sorted([*chosen, row["code"]], key=place.__getitem__)
            met = int(engine.fetch(funnel_sql.in_order_sql(firsts, longer))["n"][0])
            if 2 * met >= n_converted and len(longer) < MAX_STEPS:
                chosen = longer
    finally:
        engine.execute(f"DROP TABLE {firsts}")
    return [(log.activities[code], (log.activities[code],)) for code in chosen]
