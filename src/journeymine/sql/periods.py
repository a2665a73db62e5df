"""Moves of the conversion chain by period of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.engine.dialect import Dialect


def slice_counts_sql(visits: str, dialect: Dialect, *, origin_us: int, slice_us: int) -> str:
    """Watched visits by slice of time: (slice, n)."""
    when = dialect.floor_div(f"(time_us - {int(origin_us)})", str(int(slice_us)))
    return f"SELECT {when} AS slice, COUNT(*) AS n FROM {visits} WHERE watched GROUP BY {when} ORDER BY slice"


def period_moves_sql(visits: str, begin_us: Sequence[int]) -> str:
    """Watched moves by period of the visit: (unit, period, source, target, n); target is null for a drop.

    Parameters
    ----------
    begin_us
        Where each period but the first begins, in order; the first holds all that is earlier.
    """
    whens = "".join(f" WHEN time_us < {int(at)} THEN {period}" for period, at in enumerate(begin_us))
    period = f"CASE{whens} ELSE {len(begin_us)} END" if whens else "0"
    return f"""
        SELECT unit, period, source, target, COUNT(*) AS n
        FROM (SELECT unit, {period} AS period, code AS source, next_code AS target
              FROM {visits} WHERE watched) AS moves
        GROUP BY unit, period, source, target ORDER BY unit, period, source, target NULLS LAST"""
