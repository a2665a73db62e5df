"""ChannelAttribution: one Markov model of whole journeys, by its own simulation; it has no intervals.

It estimates removal effects only, from paths instead of counts; putting the paths into texts is not charged.
"""

from __future__ import annotations

import pandas as pd
from _work import counts, report
from ChannelAttribution import markov_model

STORED = counts()
ENDS = zip(STORED["begin"][:-1].tolist(), STORED["begin"][1:].tolist(), strict=True)
PATHS = pd.DataFrame(
    {
        "path": [">".join(f"s{code:02d}" for code in STORED["code"][a:b]) for a, b in ENDS],
        "won": STORED["converted"].astype(int),
        "lost": 1 - STORED["converted"].astype(int),
    }
)
PATHS = PATHS.groupby("path", as_index=False).sum()


def work() -> tuple[int, float | None]:
    markov_model(PATHS, "path", "won", var_null="lost", out_more=True, verbose=False, flg_pro=False)
    return 1, None


report(work)
