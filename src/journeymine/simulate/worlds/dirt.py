"""What real logs have in them: rows twice, bots, clocks that are wrong, rows without a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

DUPLICATES: Final = 0.02
"""Share of the rows that come twice."""
BOTS: Final = 0.004
"""Bots, as a share of the cases."""
BOT_EVENTS: Final = (150, 400)
BOT_SECONDS: Final = 1.5
"""A bot reads a page in so many seconds, and leaves without buying."""
SKEWED: Final = 0.01
SKEW_S: Final = 90.0
"""Share of the rows whose clock is wrong, and by how much at most: neighbouring steps may change places."""
BROKEN: Final = 0.002
"""Share of further rows, copies of others, that have lost their time: a loader must reject them."""


def soiled(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """A clean log with duplicates, bots, skewed clocks and rows without a time."""
    import pandas as pd

    frame = _skewed(frame, rng)
    twice = frame.iloc[np.flatnonzero(rng.random(len(frame)) < DUPLICATES)]
    broken = frame.iloc[np.flatnonzero(rng.random(len(frame)) < BROKEN)].copy()
    broken["timestamp"] = pd.Series(pd.NaT, index=broken.index, dtype=frame["timestamp"].dtype)
    parts = [frame, twice, broken, _bots(frame, rng)]
    whole = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return whole.sort_values("timestamp", kind="stable", ignore_index=True)


def _skewed(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    import pandas as pd

    off = np.where(rng.random(len(frame)) < SKEWED, rng.uniform(-SKEW_S, SKEW_S, len(frame)), 0.0)
    shift = pd.to_timedelta(np.rint(off * 1e6).astype(np.int64), unit="us").as_unit("us")
    return frame.assign(timestamp=frame["timestamp"] + shift)


def _bots(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Journeys of hundreds of steps, seconds apart, over the first steps of sound journeys."""
    import pandas as pd

    cases = frame.drop_duplicates("case_id")
    n = int(np.ceil(BOTS * len(cases)))
    models = cases.iloc[np.sort(rng.choice(len(cases), size=n, replace=False))]
    length = rng.integers(*BOT_EVENTS, n)
    bots = models.iloc[np.repeat(np.arange(n), length)].reset_index(drop=True)
    names = np.repeat(np.array([f"B{i:05d}" for i in range(1, n + 1)], dtype=object), length)
    step = np.concatenate([np.arange(m) for m in length])
    after = pd.to_timedelta(np.rint(step * BOT_SECONDS * 1e6).astype(np.int64), unit="us").as_unit("us")
    return bots.assign(case_id=names, customer_id=names, timestamp=bots["timestamp"] + after, value=np.nan)
