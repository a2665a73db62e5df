"""Which column plays which role: guessed from names and from the data, each guess with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from journeymine.errors import MAX_LISTED, LogSchemaError, shown
from journeymine.readers.guess_names import GOAL, NOT_GOAL, SEGMENTS, folded, name_score
from journeymine.readers.guess_profile import (
    Column,
    Profile,
    activity_places,
    constant_share,
    profile,
    unique_within,
)
from journeymine.readers.raw import ROW

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.readers.raw import RawLog

ROLES = (
    "case_id",
    "customer_id",
    "activity",
    "timestamp",
    "end_timestamp",
    "order",
    "channel",
    "value",
    "segments",
    "goal",
)
MAX_SEGMENTS = 6
MAX_GOALS = 3
MAX_ACTIVITIES = 2000
MAX_SEGMENT_VALUES = 12


@dataclass(frozen=True, slots=True)
class Guess:
    """Guessed roles.

    Attributes
    ----------
    roles
        Role -> column; `segments` -> columns; `goal` -> activities that look like success.
    reasons
        Role -> one sentence that says why; `activity` has a reason even where no column was found.
    candidates
        Role -> other columns that could play it.
    """

    roles: Mapping[str, str | tuple[str, ...]]
    reasons: Mapping[str, str]
    candidates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def guess_roles(engine: DuckDBEngine, raw: RawLog) -> Guess:
    """Guess the roles of the columns from their names and the first 100,000 rows.

    Parameters
    ----------
    engine, raw
        The log.

    Raises
    ------
    LogSchemaError
        When no column looks like an id of cases or customers, or neither activity nor time is found.

    Examples
    --------
    >>> import pandas as pd
    >>> from journeymine.engine.duckdb import DuckDBEngine
    >>> from journeymine.readers import open_raw
    >>> days = ["2024-01-01", "2024-01-02", "2024-01-01"]
    >>> frame = pd.DataFrame({"CaseID": [1, 1, 2], "step": ["a", "b", "a"], "at": days})
    >>> engine = DuckDBEngine()
    >>> dict(guess_roles(engine, open_raw(engine, frame)).roles)
    {'case_id': 'CaseID', 'activity': 'step', 'timestamp': 'at'}
    """
    found = profile(engine, raw)
    try:
        return _Guesser(engine, found).run()
    finally:
        engine.execute(f"DROP TABLE IF EXISTS {found.raw.table}")


class _Guesser:
    """Takes the roles one after another; a column plays one role only."""

    def __init__(self, engine: DuckDBEngine, found: Profile) -> None:
        self._engine, self._found = engine, found
        self._roles: dict[str, str | tuple[str, ...]] = {}
        self._reasons: dict[str, str] = {}
        self._candidates: dict[str, tuple[str, ...]] = {}
        self._used: set[str] = set()

    def run(self) -> Guess:
        for role, column in self._found.raw.roles.items():
            self._take(role, column, f"the format fixes it: XES calls it {shown(column)}")
        self._times()
        self._ids()
        group = self._group()
        self._order_and_activity(group)
        self._by_name("channel", lambda c: 2 <= c.n_distinct <= 50 and not c.is_number)
        self._by_name("value", lambda c: c.is_number and c.n_distinct > 1, least=1)
        self._segments(group)
        self._goal(group)
        roles = {role: self._roles[role] for role in ROLES if role in self._roles}
        reasons = {role: self._reasons[role] for role in ROLES if role in self._reasons}
        return Guess(roles, reasons, self._candidates)

    def _take(self, role: str, column: str, reason: str) -> None:
        self._roles[role] = column
        self._reasons[role] = reason[0].upper() + reason[1:] + "."
        self._used.add(column)

    def _free(self) -> list[Column]:
        return [c for c in self._found.columns.values() if c.name not in self._used and c.n_filled]

    def _by_name(self, role: str, fits: Callable[[Column], bool], least: int = 3) -> None:
        """Give a role to the column whose name says it best, if its values fit."""
        if role in self._roles:
            return
        scored = [(name_score(role, c.name), c) for c in self._free() if fits(c)]
        ranked = sorted((s for s in scored if s[0] >= least), key=lambda s: -s[0])
        if ranked:
            score, best = ranked[0]
            how = "its name says so" if score == 3 else "a word in its name says so"
            self._take(role, best.name, f"{how}, and it has {best.n_distinct:,} different values")
            self._candidates[role] = tuple(c.name for _, c in ranked[1:])

    def _times(self) -> None:
        times = [c for c in self._free() if c.time]
        ends = [c for c in times if name_score("end_timestamp", c.name) == 3]
        if "timestamp" not in self._roles and times:
            others = [c for c in times if c not in ends] or times
            best = max(others, key=lambda c: (self._time_score(c), c.n_filled, c.n_distinct))
            self._take("timestamp", best.name, f"its values can be read as times ({best.time})")
            self._candidates["timestamp"] = tuple(c.name for c in others if c is not best)
        starts = folded(str(self._roles.get("timestamp", "")))
        if (
            ends
            and ends[0].name not in self._used
            and ("start" in starts or "begin" in starts or "debut" in starts)
        ):
            self._take(
                "end_timestamp", ends[0].name, f"its name says so, and it holds times ({ends[0].time})"
            )

    def _time_score(self, column: Column) -> int:
        return max(name_score("timestamp", column.name), name_score("start_timestamp", column.name))

    def _ids(self) -> None:
        if "case_id" not in self._roles:
            self._by_name("case_id", self._fits_id)
        self._by_name("customer_id", self._fits_id)
        for role in ("case_id", "customer_id"):
            if not {"case_id", "customer_id"} & set(self._roles):
                self._by_name(role, self._fits_id, least=1)
        if not {"case_id", "customer_id"} & set(self._roles):
            self._id_by_data()

    def _fits_id(self, column: Column) -> bool:
        """An id repeats, has many values, and is no measurement."""
        many = column.n_distinct > 1 or self._found.n_rows < 50
        return many and not column.time and (not column.is_number or column.is_whole)

    def _id_by_data(self) -> None:
        rows = self._found.n_rows
        fitting = [
            c
            for c in self._free()
            if self._fits_id(c)
            and 10 * c.n_filled >= 9 * rows
            and 1 < c.n_distinct <= rows / 2
            and 50 * c.n_distinct >= rows
        ]
        if not fitting or "timestamp" not in self._roles:
            raise self._nothing("an id of cases or customers")
        best = max(fitting, key=lambda c: c.n_distinct)
        each = best.n_filled / best.n_distinct
        self._take(
            "case_id",
            best.name,
            f"it has the most different values that still repeat ({best.n_distinct:,}, {each:.1f} rows each)",
        )
        self._candidates["case_id"] = tuple(c.name for c in fitting if c is not best)

    def _group(self) -> str:
        return str(self._roles.get("case_id") or self._roles["customer_id"])

    def _order(self) -> str:
        """What puts the rows of a journey in order: time, order column, place in the source."""
        time, order = self._roles.get("timestamp"), self._roles.get("order")
        parts = [self._found.columns[time].time_sql] if isinstance(time, str) else []
        if isinstance(order, str):
            parts.append(f"TRY_CAST({self._engine.dialect.quote(order)} AS BIGINT)")
        return ", ".join([part for part in parts if part] + [ROW])

    def _order_and_activity(self, group: str) -> None:
        """`step` may count or name: a column that never repeats within a journey counts."""
        orders = [
            c
            for c in self._free()
            if c.is_whole and c.n_filled == self._found.n_rows and name_score("order", c.name)
        ]
        counting = [c for c in orders if unique_within(self._engine, self._found, group, c.name) > 0.999]
        if counting:
            best = max(counting, key=lambda c: name_score("order", c.name))
            self._take(
                "order",
                best.name,
                "it is a whole number that never repeats within a journey, and its name says so",
            )
        if "activity" not in self._roles:
            self._activity(group)
        if not {"timestamp", "order", "activity"} & set(self._roles):
            raise self._nothing("an activity or a time")

    def _activity(self, group: str) -> None:
        fitting = [c for c in self._free() if self._fits_activity(c)]
        shares = constant_share(self._engine, self._found, group, [c.name for c in fitting], self._order())
        scored = []
        for c in fitting:
            varies = 1 - shares[c.name][0]
            name = name_score("activity", c.name)
            if name == 3 or (varies > 0.2 and not c.is_number):
                scored.append((name, round(varies, 2) + round(c.n_filled / self._found.n_rows, 2), c))
        ranked = sorted(scored, key=lambda s: (-s[0], s[2].is_number, -s[1], s[2].n_distinct))
        if not ranked:
            self._reasons["activity"] = (
                "No column looks like an activity; every row would be an event of the same kind."
            )
            return
        score, _, best = ranked[0]
        varies = 1 - shares[best.name][0]
        how = {3: "its name says so", 1: "a word in its name says so"}.get(score, "it is text that repeats")
        self._take(
            "activity",
            best.name,
            f"{how}; it has {best.n_distinct:,} different values and varies within {varies:.0%} of the journeys",
        )
        self._candidates["activity"] = tuple(c.name for _, _, c in ranked[1:6])

    def _fits_activity(self, column: Column) -> bool:
        few = column.n_distinct <= MAX_ACTIVITIES and (
            column.n_distinct <= 30 or 5 * column.n_distinct <= self._found.n_rows
        )
        fractional = column.is_number and not column.is_whole
        return few and not column.time and not fractional and 2 * column.n_filled >= self._found.n_rows

    def _segments(self, group: str) -> None:
        few = [
            c
            for c in self._free()
            if not c.time and 2 <= c.n_distinct <= MAX_SEGMENT_VALUES and name_score("activity", c.name) < 3
        ]
        shares = constant_share(self._engine, self._found, group, [c.name for c in few], self._order())
        steady = [c for c in few if shares[c.name][0] >= 0.95 and shares[c.name][1] >= 0.8]
        channel = self._roles.get("channel")
        if isinstance(channel, str) and self._found.columns[channel].n_distinct <= MAX_SEGMENT_VALUES:
            share = constant_share(self._engine, self._found, group, [channel], self._order())[channel]
            steady = (
                [self._found.columns[channel], *steady]
                if min(share[0] - 0.95, share[1] - 0.8) >= 0
                else steady
            )
        ranked = sorted(steady, key=lambda c: not SEGMENTS.search(folded(c.name)))[:MAX_SEGMENTS]
        if ranked:
            names = tuple(c.name for c in ranked)
            self._roles["segments"] = names
            self._reasons["segments"] = "They have 2 to 12 values and almost never change within a journey."

    def _goal(self, group: str) -> None:
        activity = self._roles.get("activity")
        if not isinstance(activity, str):
            return
        good = []
        for name, n, last, place in activity_places(
            self._engine, self._found, group, activity, self._order()
        ):
            words = folded(name)
            if GOAL.search(words) and not NOT_GOAL.search(words) and (place >= 0.6 or last >= 0.3):
                good.append((last >= 0.3, n, name))
        ends = [g for g in good if g[0]] or good
        goals = tuple(name for _, _, name in sorted(ends, key=lambda g: (-g[1], g[2]))[:MAX_GOALS])
        if goals:
            self._roles["goal"] = goals
            self._reasons["goal"] = "Their names sound like success, and they come late in the journey."

    def _nothing(self, what: str) -> LogSchemaError:
        columns = list(self._found.columns.values())
        shown_columns = [f"{c.name} ({', '.join(c.examples[:3]) or 'empty'})" for c in columns[:MAX_LISTED]]
        more = f" and {len(columns) - MAX_LISTED} more" if len(columns) > MAX_LISTED else ""
        return LogSchemaError(
            f"no column looks like {what}.",
            found="; ".join(shown_columns) + more + ".",
            hint='name the columns: case_id="…" (or customer_id), activity="…", timestamp="…".',
        )
