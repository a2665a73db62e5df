"""Journeys as sequences of watched visits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from journeymine.engine.dialect import Dialect


def watched_paths_sql(visits: str, dialect: Dialect, n_codes: int) -> str:
    """The watched visits of each journey: (unit, cell, path, last); `last` follows them, null for a drop.

    Watched visits come first in a journey, so the last of them is the one of the highest position.
    """
    path = dialect.ordered_path("code", "position", n_codes)
    return f"""
        SELECT p.unit, p.cell, p.path, v.next_code AS last
        FROM (SELECT case_key, unit, cell, {path} AS path, MAX(position) AS position
              FROM {visits} WHERE watched GROUP BY case_key, unit, cell) AS p
        JOIN {visits} AS v ON v.case_key = p.case_key AND v.position = p.position"""


def sequences_sql(paths: str) -> str:
    """Sequences by unit and cell: (unit, cell, path, last, n)."""
    return f"""
        SELECT unit, cell, path, last, COUNT(*) AS n FROM ({paths}) AS watched GROUP BY unit, cell, path, last
        ORDER BY unit, cell, path, last NULLS LAST"""
