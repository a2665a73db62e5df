"""Journeys that follow a pattern: how many, how they end, who they are, and the log of them alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.canonical import assemble, canonicalise
from journeymine.counting.patterns import count_matches
from journeymine.errors import NotEnoughDataError, shown
from journeymine.journeys import STATES, find_journeys
from journeymine.paths.outcomes import contrast, share_of_all
from journeymine.paths.patterns import read_pattern
from journeymine.readers.raw import MAX_EXAMPLES, ROW, LedgerEntry, cut
from journeymine.sql import patterns as patterns_sql
from journeymine.sql.cases import used_ids_sql
from journeymine.uncertainty import Estimates

if TYPE_CHECKING:
    import pandas as pd

    from journeymine.canonical import Canonical
    from journeymine.counts.patterns import PatternCounts
    from journeymine.journeys import Journeys
    from journeymine.log import EventLog
    from journeymine.readers.raw import RawLog

RULE = "not_matching"


@dataclass(frozen=True, slots=True, eq=False)
class PatternMatch:
    """The journeys that match a pattern.

    Conversion is that of journeys whose outcome is known (over, by their goal or their last event, one `idle`
    before the end of the log). A journey has the pattern for this if its events before the goal match; if the
    pattern says where a journey ends, all its events count. If the pattern names a goal or an end state, or the log
    has no goal, conversion is not available: it would only say the pattern again. The difference is an association:
    who has the pattern has also stayed long enough to have it.

    Attributes
    ----------
    text
        The pattern.
    source
        The log that was asked.
    counts
        The counts behind the numbers.
    share
        Share of journeys that match, with interval.
    conversion, conversion_other
        Share converted of the journeys with the pattern and of those without.
    difference
        `conversion` less `conversion_other`.
    """

    text: str
    source: EventLog
    counts: PatternCounts
    share: Estimates
    conversion: Estimates
    conversion_other: Estimates
    difference: Estimates

    @property
    def n(self) -> int:
        """Journeys that match."""
        return int(self.counts.matching.n.sum())

    @property
    def n_journeys(self) -> int:
        """Journeys that were asked: those that start."""
        return int(self.counts.everyone.n.sum())

    @property
    def log(self) -> EventLog:
        """The log of the journeys that match; journeys and end states stay as they were."""
        return _restricted(self.source, self)

    def to_frame(self) -> pd.DataFrame:
        """One row a journey that matches, by case id: case_id, customer_id, state (none without a goal)."""
        log = self.source.canonical
        found = self.source.found
        states = found.table if found is not None and found.goal else None
        sql = patterns_sql.matching_cases_sql(self.counts.table, log.case_ids, log.cases, states)
        frame: pd.DataFrame = self.source.engine.fetch_table(sql).to_pandas()
        names = dict(enumerate(STATES))
        frame["state"] = [None if s is None or s != s else names[int(s)] for s in frame["state"]]
        return frame

    def customers(self) -> pd.DataFrame:
        """One row a customer with a journey that matches, by id: customer_id, n_journeys."""
        sql = patterns_sql.matching_customers_sql(self.counts.table, self.source.canonical.cases)
        frame: pd.DataFrame = self.source.engine.fetch_table(sql).to_pandas()
        return frame

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain values."""
        return {
            "pattern": self.text,
            "n": self.n,
            "n_journeys": self.n_journeys,
            "share": self.share.at(),
            "conversion": self.conversion.at(),
            "conversion_other": self.conversion_other.at(),
            "difference": self.difference.at(),
        }

    def __repr__(self) -> str:
        share, found = self.share.at(), self.difference.at()
        lines = [f"PatternMatch: {shown(self.text)}", f"  {self.n:,} of {self.n_journeys:,} journeys"]
        if share:
            lines[1] += f", {share['estimate']:.1%} ({share['lower']:.1%} to {share['upper']:.1%})"
        if found:
            own, other = float(self.conversion.estimate), float(self.conversion_other.estimate)
            lines.append(
                f"  {own:.1%} convert, {other:.1%} of the others: {100 * found['estimate']:+.1f} points "
                f"({100 * found['lower']:+.1f} to {100 * found['upper']:+.1f})"
            )
        return "\n".join([*lines, "Next: .log, .to_frame(), .customers()"])


def match(log: EventLog, pattern: str) -> PatternMatch:
    """The journeys that match a pattern, such as "cart -> not support* -> exit".

    Parameters
    ----------
    pattern
        The language is described in `journeymine.paths.patterns` and in docs/explanation/patterns.md. A journey
        goes from its start (the first event, or the first `start` activity) to its last event; journeys that never
        start are not asked.

    Raises
    ------
    OptionError
        The pattern cannot be read, or names an activity that the log does not have.

    Examples
    --------
    >>> import journeymine as jm
    >>> log = jm.read_log(jm.demo_log_path(), case_id="journey_id", activity="activity", timestamp="timestamp")
    >>> found = match(log.journeys(goal="Order placed"), "Payment declined -> not Payment* -> exit")
    >>> found.n == len(found.to_frame()) == found.log.n_cases
    True
    """
    read = read_pattern(pattern, log.activities)
    codes = {name: code for code, name in enumerate(log.activities)}
    regex = read.regex(codes)
    goal = log.found.goal if log.found else ()
    counts = count_matches(log.engine, log.canonical, log.found, regex, before_goal=not read.names_end())
    compared = contrast(counts.having, counts.lacking)
    says_end = read.names_state() or any(codes[one.name] in goal for one in read.activities())
    own, other, difference = (
        _single(part, hidden=says_end)
        for part in (compared.with_it, compared.without_it, compared.difference)
    )
    share = _single(share_of_all(counts.matching, counts.everyone))
    return PatternMatch(read.text, log, counts, share, own, other, difference)


def matching(log: EventLog, pattern: str) -> EventLog:
    """The log of the journeys that match a pattern; the rows of the others go to the ledger."""
    return match(log, pattern).log


def _single(estimates: Estimates, *, hidden: bool = False) -> Estimates:
    """The first of several estimates; nan if it is hidden."""
    if hidden:
        nothing = np.array(np.nan)
        return Estimates(nothing, nothing, nothing, np.array(0))
    return Estimates(
        np.array(estimates.estimate[0]),
        np.array(estimates.lower[0]),
        np.array(estimates.upper[0]),
        np.array(estimates.n[0]),
    )


def _restricted(log: EventLog, found: PatternMatch) -> EventLog:
    """The log without the journeys that do not match.

    The end of observation stays where it was: who was open is open, who was dropped is dropped.
    """
    if not found.n:
        raise NotEnoughDataError(
            f"no journey matches {shown(found.text)}.",
            hint="loosen the pattern: => allows events in between.",
        )
    raw = _raw_without_others(log, found)
    chosen = _canonical_of(log, raw, found)
    if log.cut is None or log.cut is log.whole:
        whole = chosen
    else:
        whole = _observed(canonicalise(log.engine, raw, log.roles, log.rules), log.whole)
    journeys = None if log.found is None else _found_again(log, raw, chosen, log.found)
    return replace(log, raw=raw, whole=whole, cut=None if log.cut is None else chosen, found=journeys)


def _raw_without_others(log: EventLog, found: PatternMatch) -> RawLog:
    """The source without the rows of the journeys that do not match: whatever is asked next starts from it."""
    engine, table = log.engine, found.counts.table
    others = engine.create_table("others", patterns_sql.other_rows_sql(log.canonical.events, table))
    n = int(engine.fetch(f"SELECT COUNT(*) AS n FROM {others}")["n"][0])
    if not n:
        return log.raw
    view = engine.new_name("matching")
    engine.execute(f"CREATE VIEW {view} AS {patterns_sql.rows_but_sql(log.raw.table, others, ROW)}")
    some = engine.fetch(patterns_sql.other_cases_sql(table, log.canonical.case_ids, MAX_EXAMPLES))["case_id"]
    before = [entry for entry in log.raw.rejected if entry.rule == RULE]
    examples = {cut(str(case)) for case in some} | {e for entry in before for e in entry.examples}
    entry = LedgerEntry(RULE, n + sum(one.n for one in before), tuple(sorted(examples)[:MAX_EXAMPLES]))
    rejected = (*(one for one in log.raw.rejected if one.rule != RULE), entry)
    return replace(log.raw, table=view, n_rows=log.raw.n_rows - n, rejected=rejected)


def _canonical_of(log: EventLog, raw: RawLog, found: PatternMatch) -> Canonical:
    """Canonical events of the journeys that match; codes stay."""
    old, engine = log.canonical, log.engine
    events = engine.create_table("events", patterns_sql.matching_events_sql(old.events, found.counts.table))
    ids = engine.create_table("used_ids", used_ids_sql(old.case_ids, events))
    new = assemble(
        engine, events, ids, activities=old.activities, columns=old.columns, plan=old.time_plan, raw=raw
    )
    return _observed(new, old)


def _observed(new: Canonical, old: Canonical) -> Canonical:
    """The same events, observed for as long as the whole log was."""
    return replace(new, first_us=old.first_us, last_us=old.last_us, cut_names=old.cut_names)


def _found_again(log: EventLog, raw: RawLog, chosen: Canonical, found: Journeys) -> Journeys:
    return find_journeys(
        log.engine,
        raw,
        chosen,
        goal=found.goal,
        end=found.end,
        start=found.start,
        idle=found.idle,
        segments=found.segments,
    )
