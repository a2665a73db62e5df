"""Three activities in a row, counted: what decides about loops of length two."""

from __future__ import annotations


def triples_sql(events: str) -> str:
    """How often three activities follow each other directly: (first, second, third, n)."""
    return f"""
        SELECT code AS first, next_code AS second, third, COUNT(*) AS n
        FROM (SELECT code, next_code, LEAD(next_code) OVER (PARTITION BY case_key ORDER BY position) AS third
              FROM {events}) AS moved
        WHERE third IS NOT NULL GROUP BY code, next_code, third ORDER BY first, second, third"""
