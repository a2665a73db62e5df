"""Where the journeys of a log are some time after their start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine._checks import duration_us
from journeymine.counting.occupation import count_occupation, round_times
from journeymine.errors import NotEnoughDataError, OptionError, shown
from journeymine.markov.occupation.occupation_curves import N_DRAWS, estimate_occupation, point_shares

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from numpy.typing import NDArray

    from journeymine.counts.occupation import OccupationCounts
    from journeymine.log import EventLog
    from journeymine.markov.occupation.occupation_curves import JourneyOccupation

MAX_TIMES = 50
MAX_SHOWN, LEAST_SHOWN = 8, 0.03
"""The report shows this many states, if ever so many journeys are in them at a time; the others together."""


MOVED, LOG_FROM = 0.02, 100
"""The axis is logarithmic if 2 % of the journeys have moved within a hundredth of the horizon."""


@dataclass(frozen=True, slots=True, eq=False)
class ReportOccupation:
    """The curves of the report.

    Attributes
    ----------
    found
        The curves.
    by_stage
        Whether states are stages.
    n_other
        How many states the last one stands for; 0 if every state stands for itself.
    begin
        Point of the grid with which a logarithmic axis begins; 0 where a linear axis shows it all.
    """

    found: JourneyOccupation
    by_stage: bool
    n_other: int
    begin: int


def report_occupation(log: EventLog, *, n_draws: int = N_DRAWS, seed: int = 0) -> ReportOccupation | None:
    """The curves that the report shows, of stages where there are any; None for a log without times.

    Stages stand in their order, activities in the order of the times at which journeys are in them.
    """
    log = log if log.found is not None else log.journeys()
    found = log._journeys("occupation")  # noqa: SLF001 - the log delegates to this function
    groups = _stages(log) if log.stages else []
    try:
        counts = count_occupation(log.engine, log.canonical, found, groups=groups)
    except NotEnoughDataError:
        return None
    if not counts.n_journeys:
        return None
    shares = point_shares(counts)
    begin = _begin(counts, shares)
    kept = _shown(counts, shares, begin, [name for name, _ in groups])
    n_other = len(counts.states) - len(kept)
    shown = counts.fold(kept, f"(other, {n_other} states)")
    result = estimate_occupation(shown, n_draws=n_draws, seed=seed)
    return ReportOccupation(result, bool(groups), n_other, begin)


def _begin(counts: OccupationCounts, shares: NDArray[np.float64]) -> int:
    """Where the axis begins: at a round time before anything has moved, if much happens in the first moments."""
    times = counts.times_us
    moved = np.flatnonzero(np.abs(shares - shares[0]).sum(axis=1) / 2 >= MOVED)
    if not len(moved) or times[-1] < LOG_FROM * times[moved[0]]:
        return 0
    rounds = np.searchsorted(times, round_times(int(times[-1])))
    before = rounds[rounds < moved[0]]
    return int(before[-1]) if len(before) else int(rounds[0])


def _shown(counts: OccupationCounts, shares: NDArray[np.float64], begin: int, stages: list[str]) -> list[int]:
    """States that are shown: those with most of the picture, if they are not always rare."""
    shares = shares[begin:, : len(counts.states)]
    place = counts.times_us[begin:].astype(float)
    place = np.log(place) if begin else place
    middle = (shares[1:] + shares[:-1]) / 2
    steps = np.diff(place)
    spent = steps @ middle
    centre = (steps * (place[1:] - place[0])) @ middle / np.maximum(spent, np.finfo(float).tiny)
    kept = np.lexsort((np.arange(len(spent)), -spent))[:MAX_SHOWN]
    kept = kept[shares[:, kept].max(axis=0) >= LEAST_SHOWN]
    if len(kept) == len(counts.states) - 1:
        # One state alone needs no name for several.
        kept = np.arange(len(counts.states))
    first = {name: i for i, name in reversed(list(enumerate(stages)))}
    keys = {i: (first.get(counts.states[i], len(stages)), float(centre[i]), i) for i in kept.tolist()}
    return sorted(keys, key=keys.__getitem__)


def occupation(
    log: EventLog,
    times: str | timedelta | Iterable[str | timedelta] | None = None,
    *,
    by_stage: bool = False,
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> JourneyOccupation:
    """Estimate where journeys are some time after their start, open ones allowed for.

    A journey is in the state of its last activity; at the goal once it reached it; lost at an `end` activity or once
    nothing happened for `idle`, until it comes back. Journeys are followed to the end of the log.

    Parameters
    ----------
    times
        Durations since the start, such as ["1d", "7d"]; None: 120 steps up to the time by which 95 % of the journeys
        that ended had done so.
    by_stage
        Whether states are the stages of the configuration; activities without one stand for themselves.
    n_draws
        Bootstrap replicates of customers (or of buckets of customers).

    Raises
    ------
    OptionError
        A time is no duration, or there are too many.
    NotEnoughDataError
        The log has no times, no journey was followed that long, or there are no stages.

    Examples
    --------
    Three journeys that end an hour after they began, and one that is still open:

    >>> import pyarrow as pa
    >>> import journeymine as jm
    >>> at = [f"2026-01-01 0{hour}:00" for hour in (0, 1, 0, 1, 0, 1, 5)]
    >>> events = pa.table({"case": [1, 1, 2, 2, 3, 3, 4], "what": ["see", "buy", "see", "buy", "see", "see", "see"],
    ...                    "at": at})
    >>> log = jm.read_log(events, case_id="case", activity="what", timestamp="at").journeys("buy", idle="2h")
    >>> occupation(log, "90min").at("90min")[["state", "estimate", "n"]].round(3).values.tolist()
    [['see', 0.333, 3], ['(goal)', 0.667, 3], ['(dropped)', 0.0, 3]]
    """
    log = log if log.found is not None else log.journeys()
    found = log._journeys("occupation")  # noqa: SLF001 - the log delegates to this function
    wanted = None if times is None else _times_us(times)
    groups = _stages(log) if by_stage else ()
    counts = count_occupation(log.engine, log.canonical, found, wanted, groups=groups)
    return estimate_occupation(counts, n_draws=n_draws, seed=seed)


def _times_us(times: str | timedelta | Iterable[str | timedelta]) -> list[int]:
    """Microseconds of the times."""
    values = list(times) if hasattr(times, "__iter__") and not isinstance(times, str) else [times]
    hint = 'pass durations like times=["1d", "7d"].'
    if not 0 < len(values) <= MAX_TIMES:
        raise OptionError(f"times has {len(values)} values, expected 1 to {MAX_TIMES}.", hint=hint)
    for value in values:
        if isinstance(value, (int, float)):
            raise OptionError(f"times holds {shown(value)}, which has no unit.", hint=hint)
    return [duration_us(value, name="times") for value in values]


def _stages(log: EventLog) -> list[tuple[str, list[int]]]:
    """Name and codes of each stage that has activities in the log, in the order of the configuration."""
    code = {name: i for i, name in enumerate(log.activities)}
    groups = [
        (stage.name or stage.id, [code[name] for name in stage.activities if name in code])
        for stage in log.stages
    ]
    if not log.stages:
        raise NotEnoughDataError(
            "by_stage is set, but the log has no stages.", hint="write [[stage]] into the configuration."
        )
    return [(name, members) for name, members in groups if members]
