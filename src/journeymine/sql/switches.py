"""Visits by the channel they happen on and the channel of the visit before."""

from __future__ import annotations


def switch_counts_sql(visits: str, events: str, raw: str, row: str, channel: str, channels: str) -> str:
    """Visits that had a visit before: (unit, cell, code, before, own, n_all, n, n_drops).

    `before` and `own` number the channels; visits of which one is not known are left out.

    Parameters
    ----------
    visits
        View of the visits before the goal.
    raw, row, channel
        Raw table, its row column, and the channel as text.
    channels
        Table (channel, name).
    """
    own = "(PARTITION BY v.case_key ORDER BY v.position)"
    known = f"""
        SELECT v.unit, v.cell, v.code, v.next_code, v.watched, c.channel AS own,
               LAG(c.channel) OVER {own} AS before
        FROM {visits} AS v JOIN {events} AS e ON e.case_key = v.case_key AND e.position = v.position
        LEFT JOIN (SELECT {row} AS row, {channel} AS channel_name FROM {raw}) AS r ON r.row = e.row
        LEFT JOIN {channels} AS c ON c.name = r.channel_name"""
    return f"""
        SELECT unit, cell, code, before, own, COUNT(*) AS n_all, SUM(CASE WHEN watched THEN 1 ELSE 0 END) AS n,
               SUM(CASE WHEN watched AND next_code IS NULL THEN 1 ELSE 0 END) AS n_drops
        FROM ({known}) AS known WHERE own IS NOT NULL AND before IS NOT NULL
        GROUP BY unit, cell, code, before, own ORDER BY unit, cell, code, before, own"""
