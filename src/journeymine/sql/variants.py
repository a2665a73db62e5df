"""Variants: distinct activity sequences, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from journeymine.engine.dialect import Dialect


def paths_sql(events: str, dialect: Dialect, n_codes: int) -> str:
    """The path of each case: (case_key, path), path a list of codes."""
    path = dialect.ordered_path("code", "position", n_codes)
    return f"SELECT case_key, {path} AS path FROM {events} GROUP BY case_key"


def variants_sql(paths: str) -> str:
    """Every variant: (path, n)."""
    return f"SELECT path, COUNT(*) AS n FROM {paths} GROUP BY path"


def top_variants_sql(variants: str, top: int) -> str:
    """The most frequent variants: (place, path, n). Ties go by the names of the activities in order."""
    return f"""
        SELECT CAST(ROW_NUMBER() OVER (ORDER BY n DESC, path) - 1 AS INTEGER) AS place, path, n
        FROM (SELECT path, n FROM {variants} ORDER BY n DESC, path LIMIT {int(top)}) AS best"""


def variant_units_sql(paths: str, top: str, journeys: str, state: str) -> str:
    """Cases of each top variant by unit and end state: (place, unit, state, n)."""
    return f"""
        SELECT t.place, j.unit, {state} AS state, COUNT(*) AS n
        FROM {paths} AS p JOIN {top} AS t ON t.path = p.path JOIN {journeys} AS j ON j.case_key = p.case_key
        GROUP BY t.place, j.unit, {state} ORDER BY t.place, j.unit, state"""
