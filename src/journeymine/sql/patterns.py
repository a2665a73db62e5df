"""Journeys as words, one character an event, and the journeys whose word a regular expression finds.

A word is the mark of the start, the events from the start of the journey to its last event, and the mark of how it
ends. The marks stand below the characters of the activities.

Matches table:  case_key, unit, outcome, matches, before (matches with the events before the goal alone)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journeymine.sql.prefixes import outcome_counts

if TYPE_CHECKING:
    from journeymine.engine.dialect import Dialect

START_MARK: Final = "S"
STATE_MARKS: Final = ("C", "D", "O")
NO_STATE_MARK: Final = "E"
FIRST_POINT: Final = 0x100
"""Character of activity 0: the marks, and all signs of regular expressions, stand before it."""
SURROGATES: Final = (0xD800, 0xE000)
"""Numbers from the first to below the second are no characters: the activities go on behind them."""


def words_sql(events: str, spans: str, dialect: Dialect) -> str:
    """Word of each journey: (case_key, word)."""
    first, (gap, behind) = FIRST_POINT, SURROGATES

    def point(code: str) -> str:
        return f"{code} + CASE WHEN {code} + {first} < {gap} THEN {first} ELSE {first + behind - gap} END"

    word = dialect.word(dialect.ordered_path("e.code", "e.position"), point)
    states = " ".join(f"WHEN {i} THEN {dialect.literal(mark)}" for i, mark in enumerate(STATE_MARKS))
    mark = f"CASE MAX(s.state) {states} ELSE {dialect.literal(NO_STATE_MARK)} END"
    return f"""
        SELECT e.case_key, {dialect.literal(START_MARK)} || {word} || {mark} AS word
        FROM {events} AS e JOIN {spans} AS s ON s.case_key = e.case_key
        WHERE e.position >= s.first_position GROUP BY e.case_key"""


def matches_sql(words: str, spans: str, regex: str, dialect: Dialect) -> str:
    """Every journey and whether it matches: the matches table."""
    to_goal = "substr(w.word, 1, 1 + s.goal_position - s.first_position)"
    before = f"CASE WHEN s.goal_position IS NULL THEN w.word ELSE {to_goal} END"
    return f"""
        SELECT s.case_key, s.unit, s.outcome, {dialect.matches("w.word", regex)} AS matches,
               {dialect.matches(before, regex)} AS before
        FROM {words} AS w JOIN {spans} AS s ON s.case_key = w.case_key"""


def match_units_sql(matches: str) -> str:
    """Journeys by unit and whether they match: (matches, before, unit, n, n_known, n_converted)."""
    flags = ", ".join(f"CASE WHEN {flag} THEN 1 ELSE 0 END AS {flag}" for flag in ("matches", "before"))
    return f"""
        SELECT {flags}, unit, {outcome_counts("1")}
        FROM {matches} AS m GROUP BY m.matches, m.before, unit ORDER BY 1, 2, 3"""


def matching_cases_sql(matches: str, case_ids: str, cases: str, states: str | None) -> str:
    """The journeys that match: (case_id, customer_id, state); `states`: table (case_key, state)."""
    state, join = "CAST(NULL AS INTEGER)", ""
    if states is not None:
        state, join = "t.state", f"JOIN {states} AS t ON t.case_key = m.case_key"
    return f"""
        SELECT i.case_id, c.customer_id, {state} AS state
        FROM {matches} AS m JOIN {case_ids} AS i ON i.case_key = m.case_key
        JOIN {cases} AS c ON c.case_key = m.case_key {join}
        WHERE m.matches ORDER BY i.case_id"""


def matching_customers_sql(matches: str, cases: str) -> str:
    """Customers with a journey that matches, and how many of them: (customer_id, n_journeys)."""
    return f"""
        SELECT c.customer_id, COUNT(*) AS n_journeys
        FROM {matches} AS m JOIN {cases} AS c ON c.case_key = m.case_key
        WHERE m.matches GROUP BY c.customer_id ORDER BY c.customer_id"""


def matching_events_sql(events: str, matches: str) -> str:
    """Canonical events of the journeys that match."""
    return f"SELECT * FROM {events} WHERE case_key IN (SELECT case_key FROM {matches} WHERE matches)"


def other_rows_sql(events: str, matches: str) -> str:
    """Rows of the source whose journey does not match: (row)."""
    return f"SELECT row FROM {events} WHERE case_key NOT IN (SELECT case_key FROM {matches} WHERE matches)"


def rows_but_sql(raw: str, rows: str, row: str) -> str:
    """The raw table without some rows."""
    return f"SELECT * FROM {raw} WHERE {row} NOT IN (SELECT row FROM {rows})"


def other_cases_sql(matches: str, case_ids: str, limit: int) -> str:
    """Ids of cases that do not match, the smallest: (case_id). Journeys that never start are among them."""
    return f"""
        SELECT case_id FROM {case_ids} WHERE case_key NOT IN (SELECT case_key FROM {matches} WHERE matches)
        ORDER BY case_id LIMIT {int(limit)}"""
