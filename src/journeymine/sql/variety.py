"""How varied the paths are: variants by unit, folded to counts of counts so that no path leaves the engine."""

from __future__ import annotations


def path_units_sql(paths: str, cases: str) -> str:
    """Cases of each variant by unit: (path, unit, n)."""
    return f"""
        SELECT p.path, c.unit, COUNT(*) AS n
        FROM {paths} AS p JOIN {cases} AS c ON c.case_key = p.case_key GROUP BY p.path, c.unit"""


def variant_totals_sql(path_units: str) -> str:
    """Every variant: (path, n, n_units)."""
    return f"SELECT path, CAST(SUM(n) AS BIGINT) AS n, COUNT(*) AS n_units FROM {path_units} GROUP BY path"


def sizes_sql(variants: str) -> str:
    """Variants by their cases and units, the most frequent first: (size, spread, n_variants)."""
    return f"""
        SELECT n AS size, n_units AS spread, COUNT(*) AS n_variants
        FROM {variants} GROUP BY n, n_units ORDER BY size DESC, spread DESC"""


def unit_sizes_sql(path_units: str, variants: str) -> str:
    """Variants of each unit, by their cases and units in the log and their cases in the unit.

    (unit, size, spread, own, n_variants)
    """
    return f"""
        SELECT u.unit, v.n AS size, v.n_units AS spread, u.n AS own, COUNT(*) AS n_variants
        FROM {path_units} AS u JOIN {variants} AS v ON v.path = u.path
        GROUP BY u.unit, v.n, v.n_units, u.n ORDER BY u.unit, size DESC, spread DESC, own"""
