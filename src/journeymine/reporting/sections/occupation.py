"""Where journeys are over the time since their start, as plain numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.counting.occupation import round_times
from journeymine.reporting.schema_parts import (
    COUNT,
    ESTIMATE_OR_NULL,
    FLAG,
    NUMBER,
    SHARE,
    TEXT,
    Schema,
    array_of,
    object_of,
    or_null,
)

if TYPE_CHECKING:
    from journeymine.analyses.occupation import ReportOccupation
    from journeymine.markov.occupation.occupation_curves import JourneyOccupation
    from journeymine.uncertainty import Estimates

DAY_US, MICRO = 86_400_000_000, 1e-6
PARTS, N_TOLD = (30, 10, 4, 2), 5
"""Times in the table: these parts of the horizon, or as many even steps of a logarithmic axis."""
EVERY = 2
"""Of the even steps of the grid, the picture needs every second one."""


def occupation_section(shown: ReportOccupation | None) -> dict[str, Any] | None:
    """The occupation curves of the report."""
    if shown is None:
        return None
    found, counts = shown.found, shown.found.counts
    k = len(counts.states)
    drawn, told = _points(found, shown.begin)
    share, followed = found.curves.share, counts.followed()
    return {
        "by_stage": shown.by_stage,
        "has_goal": counts.has_goal,
        "horizon_days": float(counts.times_us[told[-1]] / DAY_US),
        "from_s": float(counts.times_us[shown.begin] * MICRO),
        "n_journeys": counts.n_journeys,
        "n_returns": counts.n_returns,
        "n_other": shown.n_other,
        "half_s": found.half_s.at(),
        "times_s": [float(counts.times_us[i] * MICRO) for i in drawn],
        "states": [
            {
                "name": None if shown.n_other and i == k - 1 else name,
                "share": [float(value) for value in share.estimate[drawn, i]],
            }
            for i, name in enumerate(counts.states)
        ],
        "converted": _band(share, drawn, k),
        "dropped": _band(share, drawn, k + 1),
        "at": [
            {
                "time_s": float(counts.times_us[i] * MICRO),
                "n": int(followed[i]),
                "converted": share.at((i, k)),
                "under_way": found.under_way.at(i),
                "dropped": share.at((i, k + 1)),
                "states": [share.at((i, state)) for state in range(k)],
            }
            for i in told
        ],
    }


def _points(found: JourneyOccupation, begin: int) -> tuple[list[int], list[int]]:
    """Points of the grid that are drawn, and those whose numbers stand in the table."""
    times, step = found.counts.times_us, found.counts.step_us
    rounds = np.searchsorted(times, round_times(int(times[-1])))
    horizon = float(times[-1])
    # On either scale: a fifth of the way, two fifths, ...
    targets = [horizon / part for part in PARTS]
    if begin:
        targets = [
            float(horizon ** (i / N_TOLD) * times[begin] ** (1 - i / N_TOLD)) for i in range(1, N_TOLD)
        ]
    told = {int(rounds[np.argmin(np.abs(np.log(times[rounds] / target)))]) for target in targets}
    told.add(len(times) - 1)
    even = (times % step == 0) & (times // step % EVERY != 0)
    drawn = np.union1d(np.flatnonzero(~even), [*told, *rounds])
    return drawn.tolist(), sorted(told)


def _band(share: Estimates, drawn: list[int], state: int) -> dict[str, list[float]]:
    parts = ("estimate", "lower", "upper")
    return {part: [float(value) for value in getattr(share, part)[drawn, state]] for part in parts}


def occupation_schema() -> Schema:
    """Schema of the section."""
    shares = array_of(SHARE)
    band = object_of(estimate=shares, lower=shares, upper=shares)
    at = object_of(
        time_s=NUMBER,
        n={**COUNT, "description": "Journeys that began at least that long before the end of the log."},
        converted=ESTIMATE_OR_NULL,
        under_way=ESTIMATE_OR_NULL,
        dropped=ESTIMATE_OR_NULL,
        states=array_of(ESTIMATE_OR_NULL),
    )
    return or_null(
        object_of(
            by_stage=FLAG,
            has_goal=FLAG,
            horizon_days={"type": "number", "exclusiveMinimum": 0},
            from_s={
                "type": "number",
                "minimum": 0,
                "description": "Where a logarithmic axis begins; 0: it is linear.",
            },
            n_journeys=COUNT,
            n_returns={**COUNT, "description": "Journeys that came back after they were dropped."},
            n_other={
                **COUNT,
                "description": "States that the last one stands for; 0: each stands for itself.",
            },
            half_s={
                **ESTIMATE_OR_NULL,
                "description": "Seconds by which half of those who convert within the horizon have done so.",
            },
            times_s={**array_of(NUMBER), "description": "Seconds since the start, the first is 0."},
            states={
                **array_of(object_of(name=or_null(TEXT), share=shares)),
                "description": "Shares at times_s, open journeys allowed for. No name: all other states.",
            },
            converted=band,
            dropped=band,
            at={**array_of(at), "minItems": 1},
        )
    )
