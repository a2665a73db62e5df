"""An event log as dashboards see it: journeys, their steps and what came next; who did not convert was lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from journeymine.bench.facts import Facts

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.fixes.fix import Fix

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

NOBODY: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Steps in the order of journey and time; shape (n_steps,) unless it says otherwise.

    Attributes
    ----------
    events
        The rows, with columns of segments.
    names
        Activities, without goals and ends.
    case
        Number of the journey.
    activity
        Index in `names`.
    next
        Index of the next activity; `goal` and `drop` (the two last columns of a matrix) where there is none.
    first
        Whether the step is the first of its journey.
    time_us
        Microseconds since 1970 UTC.
    wait_s
        Seconds to the next event; nan where there is none.
    switched
        Whether the step came by another channel than the one before.
    converted
        Whether the journey reached the goal; shape (n_cases,).
    """

    events: pd.DataFrame
    names: tuple[str, ...]
    case: Ints
    activity: Ints
    next: Ints
    first: Bools
    time_us: Ints
    wait_s: Floats
    switched: Bools
    converted: Bools

    @property
    def goal(self) -> int:
        """Column of the goal."""
        return len(self.names)

    @property
    def drop(self) -> int:
        """Column of those lost."""
        return len(self.names) + 1

    @property
    def n_cases(self) -> int:
        """Journeys."""
        return len(self.converted)

    def code(self, name: str | None) -> int:
        """Index of an activity; `NOBODY` if nobody did it."""
        return self.names.index(name) if name in self.names else NOBODY

    def at(self, fix: Fix) -> Bools:
        """Steps that a habit would look at: the activity of the fix, of a loop what it runs through, in its scope."""
        where = fix.target if fix.kind == "loop" and fix.target is not None else fix.activity
        return np.asarray(self.scope(fix) & (self.activity == self.code(where)))

    def scope(self, fix: Fix) -> Bools:
        """Steps in the segment and the period of a fix."""
        inside = np.ones(len(self.case), bool)
        if isinstance(fix.segment, tuple):
            column, value = fix.segment
            inside &= np.asarray(self.events[column].astype(str) == value)
        if fix.period_us is not None:
            inside &= (self.time_us >= fix.period_us[0]) & (self.time_us < fix.period_us[1])
        if fix.kind == "channel_switch":
            inside &= self.switched
        return np.asarray(inside, bool)

    def met(self, steps: Bools) -> Bools:
        """Journeys that have such a step; shape (n_cases,)."""
        return np.asarray(np.bincount(self.case[steps], minlength=self.n_cases) > 0)


def steps_of(events: pd.DataFrame) -> Steps:
    """Sort, cut after the first goal, leave ends out; open journeys count as lost, as they do on dashboards.

    Examples
    --------
    >>> import pandas as pd
    >>> events = pd.DataFrame({"case_id": [1, 1, 1, 2], "activity": ["Visit", "Pay", "Order", "Visit"],
    ...     "timestamp": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-01"], utc=True)})
    >>> events.attrs["goal"] = ["Order"]
    >>> steps = steps_of(events)
    >>> steps.names, steps.activity.tolist(), steps.next.tolist(), steps.converted.tolist()
    (('Pay', 'Visit'), [1, 0, 1], [0, 2, 3], [True, False])
    """
    facts = Facts.of(events)
    sorted_ = _until_the_goal(events, facts)
    is_goal = sorted_["activity"].isin(facts.goal).to_numpy()
    is_step = ~is_goal & ~sorted_["activity"].isin(facts.end).to_numpy()
    kept = sorted_[is_step].reset_index(drop=True)
    cases = kept["case_id"].factorize()[0].astype(np.int64)
    won = kept["case_id"].isin(sorted_.loc[is_goal, "case_id"]).to_numpy()
    names = tuple(sorted(kept["activity"].unique()))
    activity = np.searchsorted(np.array(names, dtype=object), kept["activity"].to_numpy(dtype=object)).astype(
        np.int64
    )
    same = cases[1:] == cases[:-1]
    follows = np.append(same, False)
    next_ = np.where(follows, np.append(activity[1:], 0), np.where(won, len(names), len(names) + 1))
    channel = kept["channel"].astype(str).to_numpy() if "channel" in kept else np.full(len(kept), "")
    return Steps(
        events=kept,
        names=names,
        case=cases,
        activity=activity,
        next=next_.astype(np.int64),
        first=np.append(True, ~same)[: len(kept)],
        time_us=_micro(kept["timestamp"]),
        wait_s=_waits(sorted_)[is_step],
        switched=np.append(False, same & (channel[1:] != channel[:-1]))[: len(kept)],
        converted=np.bincount(cases[won], minlength=int(cases.max(initial=-1)) + 1) > 0,
    )


def _until_the_goal(events: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Rows with a case, an activity and a time, in order; nothing after the first goal of a journey."""
    rows = events.dropna(subset=["case_id", "activity", "timestamp"])
    rows = rows.assign(activity=rows["activity"].astype(str))
    rows = rows.sort_values(["case_id", "timestamp", "activity"], kind="stable").reset_index(drop=True)
    goal = rows["activity"].isin(facts.goal)
    return rows[goal.groupby(rows["case_id"]).cumsum() - goal.astype(int) == 0].reset_index(drop=True)


def _micro(times: pd.Series) -> Ints:
    from pandas import to_datetime

    utc = to_datetime(times, utc=True).dt.tz_localize(None)
    return utc.to_numpy().astype("datetime64[us]").astype(np.int64)


def _waits(rows: pd.DataFrame) -> Floats:
    """Seconds to the next event of the journey, goals and ends included."""
    time = _micro(rows["timestamp"])
    wait = np.full(len(rows), np.nan)
    same = (rows["case_id"].to_numpy()[1:] == rows["case_id"].to_numpy()[:-1]).astype(bool)
    wait[:-1][same] = np.diff(time)[same] / 1e6
    return wait
