"""Paths of a log from an anchor, and the time from one activity to another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from journeymine._checks import as_tuple, check_choice
from journeymine.analyses.funnel import funnel, funnel_of_table, window_us
from journeymine.counting.anchored import count_anchored
from journeymine.counting.funnel import clock_of
from journeymine.errors import NotEnoughDataError, OptionError, shown
from journeymine.journeys import activity_codes
from journeymine.paths.anchored import AnchoredPaths, FirstAfter, estimate_anchored
from journeymine.sql import anchored as anchored_sql
from journeymine.sql.funnel import funnel_journeys_sql

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    import pandas as pd

    from journeymine.journeys import Journeys
    from journeymine.log import EventLog
    from journeymine.paths.funnel import Funnel
    from journeymine.sql.funnel import Clock

MAX_STEPS = 50


def anchored_paths(
    log: EventLog,
    anchor: str | Iterable[str],
    steps: int = 5,
    within: str | timedelta | None = None,
    direction: str = "after",
) -> AnchoredPaths:
    """Follow each journey from the first occurrence of an anchor.

    Parameters
    ----------
    log
        A log; if its journeys are not defined yet, `log.journeys()` defines them.
    anchor
        An activity, or several of which the first to occur counts.
    steps
        How many events to follow.
    within
        Window around the anchor, for example "30d".
    direction
        "after" or "before" the anchor.

    Examples
    --------
    >>> import pyarrow as pa
    >>> import journeymine as jm
    >>> events = pa.table({"case": [1, 1, 2, 3, 3], "what": ["see", "buy", "see", "see", "buy"]})
    >>> paths = anchored_paths(jm.read_log(events, case_id="case", activity="what"), "see", steps=1)
    >>> paths.edges()[["source", "kind", "n"]].values.tolist()
    [['see', 'dropped', 1], ['see', 'activity', 2]]
    >>> edge = paths.edge(1, "see", "buy")
    >>> edge.n, edge.funnel().n.tolist(), edge.journeys()["case_id"].tolist()
    (2, [3, 2], ['1', '3'])
    """
    check_choice("direction", direction, ("after", "before"))
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MAX_STEPS:
        raise OptionError(f"steps is {shown(steps)}, expected a whole number from 1 to {MAX_STEPS}.")
    log = log if log.found is not None else log.journeys()
    found = log._journeys("anchored paths")  # noqa: SLF001 - the log delegates to this function
    names = _anchor(anchor, "anchor")
    clock = clock_of(log.canonical, found, window_us(log, within))
    after = direction == "after"
    sql = anchored_sql.anchored_paths_sql(
        log.canonical.events,
        found.table,
        activity_codes(log.canonical, names, "anchor"),
        steps,
        clock,
        after=after,
        has_starts=bool(found.start),
    )
    table = log.engine.create_table("anchored", sql)
    try:
        counts = count_anchored(
            log.engine,
            log.canonical,
            found,
            table,
            anchor=names,
            steps=steps,
            within_us=clock.within_us,
            after=after,
        )
    finally:
        log.engine.execute(f"DROP TABLE {table}")
    if not counts.n_anchored:
        raise NotEnoughDataError(f"no journey has the anchor, {shown(' / '.join(names))}.")
    drill = _Drill(log, found, sql, clock if after else anchored_sql.untimed(clock))
    return estimate_anchored(counts, drill.journeys, drill.funnel)


def first_after(
    log: EventLog,
    anchor: str | Iterable[str],
    target: str | Iterable[str],
    within: str | timedelta | None = None,
) -> FirstAfter:
    """From the first occurrence of an activity to the next one of another: how many, how sure, how long.

    What stands before the anchor is counted apart, so that no time is negative.

    Examples
    --------
    >>> import pyarrow as pa
    >>> import journeymine as jm
    >>> events = pa.table({"case": [1, 1, 2, 2], "what": ["see", "buy", "buy", "see"]})
    >>> found = first_after(jm.read_log(events, case_id="case", activity="what"), "see", "buy")
    >>> found.n, found.n_before
    (1, 1)
    """
    log = log if log.found is not None else log.journeys()
    found = log._journeys("first_after")  # noqa: SLF001
    first, second = _anchor(anchor, "anchor"), _anchor(target, "target")
    both = funnel(log, [first, second], within)
    codes = [
        activity_codes(log.canonical, names, role) for names, role in ((first, "anchor"), (second, "target"))
    ]
    before = log.engine.fetch(
        anchored_sql.first_before_sql(
            log.canonical.events, found.table, codes[0], codes[1], has_starts=bool(found.start)
        )
    )
    return FirstAfter(both, int(before["n"][0]))


def _anchor(value: str | Iterable[str], role: str) -> tuple[str, ...]:
    names = as_tuple(value, name=role)
    if not names:
        raise OptionError(
            f"{role} names no activity.", hint=f'pass {role}="..." with an activity of the log.'
        )
    return names


class _Drill:
    """Lists and funnels of edges, from the query that their numbers came from."""

    def __init__(self, log: EventLog, found: Journeys, sql: str, clock: Clock) -> None:
        self.log, self.found, self.sql, self.clock = log, found, sql, clock

    def journeys(self, step: int, source: int, target: int) -> pd.DataFrame:
        condition = anchored_sql.edge_condition(step, source, target)
        rows = self.log.engine.fetch_table(
            funnel_journeys_sql(self.sql, self.log.canonical.case_ids, condition)
        )
        frame: pd.DataFrame = rows.to_pandas()
        return frame

    def funnel(self, step: int, source: int, target: int) -> Funnel:
        if target < 0:
            raise OptionError(
                "the end of a path is not a step of a funnel.", hint=".journeys() lists these journeys."
            )
        names = self.log.activities
        sql = anchored_sql.edge_funnel_sql(self.sql, step, source, target, self.clock)
        whole = replace(self.clock, within_us=None)
        return funnel_of_table(self.log, self.found, sql, ((names[source],), (names[target],)), whole)
