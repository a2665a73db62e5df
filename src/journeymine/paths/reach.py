"""Reach: the share of journeys with each activity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.uncertainty import Estimates, share_of_units, unit_column, unit_matrix

if TYPE_CHECKING:
    from journeymine.counts.activities import ActivityCounts


def estimate_reach(counts: ActivityCounts) -> Estimates:
    """Share of all journeys with each activity, with customer-level intervals, shape (k,).

    Examples
    --------
    >>> import journeymine as jm
    >>> log = jm.read_log(jm.demo_log_path(), case_id="journey_id", activity="activity", timestamp="timestamp")
    >>> reach = estimate_reach(log.activity_counts)
    >>> round(float(reach.estimate[log.activities.index("Order placed")]), 3)
    0.246
    """
    k = len(counts.n)
    wins = unit_matrix(counts.unit, counts.code, counts.unit_n_cases, (counts.n_units, k))
    return share_of_units(wins, unit_column(counts.unit_cases), np.zeros(k, int), buckets=counts.buckets)
