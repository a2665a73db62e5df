"""Funnels of a log: steps by name in, shares with intervals out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from journeymine._checks import as_tuple, check_choice, duration_us
from journeymine.counting.funnel import clock_of, count_funnel, count_waits
from journeymine.errors import NotEnoughDataError, OptionError, shown
from journeymine.journeys import activity_codes
from journeymine.paths.funnel_estimates import estimate_funnel, incidences, wait_weights
from journeymine.sql import funnel as funnel_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import timedelta

    import pandas as pd

    from journeymine.journeys import Journeys
    from journeymine.log import EventLog
    from journeymine.paths.funnel import Funnel
    from journeymine.sql.funnel import Clock

MAX_STEPS = 20
OUTCOMES = ("reached", "on", "skipped", "lost", "open")


def funnel(
    log: EventLog,
    steps: Sequence[str | Iterable[str]],
    within: str | timedelta | None = None,
    *,
    closed: bool = True,
) -> Funnel:
    """Count how far journeys get along some steps.

    Parameters
    ----------
    log
        A log; if its journeys are not defined yet, `log.journeys()` defines them.
    steps
        Activities in order; a list of activities is one step that any of them meets.
    within
        Window, for example "30d": what happens later does not count. It begins with the first step, or, in an open
        funnel, with the journey.
    closed
        Whether each step must come after the one before.

    Raises
    ------
    OptionError
        There is no step, or a step names an activity that is not in the log.
    NotEnoughDataError
        There is a window but the log has no times, or no journey has the first step.

    Examples
    --------
    >>> import pyarrow as pa
    >>> import journeymine as jm
    >>> events = pa.table({"case": [1, 1, 2, 3, 3], "what": ["see", "buy", "see", "see", "buy"]})
    >>> found = funnel(jm.read_log(events, case_id="case", activity="what"), ["see", "buy"])
    >>> found.n.tolist(), found.reached.estimate.round(3).tolist(), found.journeys(1, "lost")["case_id"].tolist()
    ([3, 2], [1.0, 0.667], ['2'])
    """
    names = checked_steps(steps)
    log = log if log.found is not None else log.journeys()
    found = log._journeys("funnel")  # noqa: SLF001 - the log delegates to this function
    clock = clock_of(log.canonical, found, window_us(log, within))
    codes = [activity_codes(log.canonical, step, "funnel step") for step in names]
    write = funnel_sql.closed_funnel_sql if closed else funnel_sql.open_funnel_sql
    sql = write(log.canonical.events, found.table, codes, clock, has_starts=bool(found.start))
    return funnel_of_table(log, found, sql, names, clock, closed=closed)


def checked_steps(steps: Sequence[str | Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    """Steps as tuples of activities."""
    hint = 'pass steps=["A", "B", ["C", "D"]]: activities in order, a list where any of them will do.'
    if isinstance(steps, str) or not isinstance(steps, (list, tuple)):
        raise OptionError(f"steps is {shown(steps)}, expected a list of activities.", hint=hint)
    names = tuple(as_tuple(step, name="steps") for step in steps)
    if not 0 < len(names) <= MAX_STEPS or not all(names):
        raise OptionError(f"steps has {len(names)} steps, expected 1 to {MAX_STEPS}, none empty.", hint=hint)
    return names


def window_us(log: EventLog, within: str | timedelta | None) -> int | None:
    """Microseconds of a window."""
    if within is None:
        return None
    width = duration_us(within, name="within")
    if log.canonical.last_us is None:
        raise NotEnoughDataError(
            f"within is {shown(within)}, but the log has no times.",
            hint='pass timestamp="...", or no window.',
        )
    return width


def funnel_of_table(
    log: EventLog,
    found: Journeys,
    sql: str,
    names: tuple[tuple[str, ...], ...],
    clock: Clock,
    *,
    closed: bool = True,
) -> Funnel:
    """Funnel from the query of a funnel table: the numbers and the lists of journeys come from the same rows."""
    table = log.engine.create_table("funnel", sql)
    try:
        counts = count_funnel(log.engine, log.canonical, found, table, names, clock=clock, closed=closed)
        if not counts.n_entered:
            raise NotEnoughDataError(
                f"no journey has the first step of the funnel, {shown(' / '.join(names[0]))}.",
                hint="begin with a step that journeys reach.",
            )
        counts = counts if clock.end_us is not None else replace(counts, timed=False)
        shares = incidences(counts)
        waits = None
        if counts.timed:
            waits = count_waits(log.engine, table, counts, wait_weights(counts, shares))
    finally:
        log.engine.execute(f"DROP TABLE {table}")
    return estimate_funnel(counts, shares, waits, _lister(log, sql, len(names), clock, closed=closed))


def _lister(
    log: EventLog, sql: str, n_steps: int, clock: Clock, *, closed: bool
) -> Callable[[int, str], pd.DataFrame]:
    """The list of journeys behind a number, from the query that the number came from."""

    def journeys(step: int, outcome: str) -> pd.DataFrame:
        check_choice("outcome", outcome, OUTCOMES)
        if isinstance(step, bool) or not isinstance(step, int) or not 1 <= step <= n_steps:
            raise OptionError(f"step is {shown(step)}, expected a whole number from 1 to {n_steps}.")
        condition = funnel_sql.outcome_condition(step, n_steps, outcome, clock, closed=closed)
        found: pd.DataFrame = log.engine.fetch_table(
            funnel_sql.funnel_journeys_sql(sql, log.canonical.case_ids, condition)
        ).to_pandas()
        return found

    return journeys
