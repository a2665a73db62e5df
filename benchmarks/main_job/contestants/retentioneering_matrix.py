"""retentioneering: `Eventstream` and the transition matrix on the log as pandas reads it."""

from __future__ import annotations

import sys
from typing import Any

import pandas as pd
from _stages import Stages

SCHEMA = {
    "path_cols": ["case_id"],
    "event_col": "activity",
    "timestamp_col": "timestamp",
    "segment_cols": [],
    "custom_cols": [],
}
MARKERS = ("path_start", "path_end")
"""Its own marks of begin and end, not activities of the log."""


def eventstream() -> Any:
    """The class; its telemetry needs a module that it can do without, so that module is not there."""
    sys.modules["posthog"] = None  # type: ignore[assignment]
    from retentioneering.eventstream import Eventstream  # type: ignore[import-not-found]

    return Eventstream


def main() -> None:
    stages, make = Stages(), eventstream()

    def matrix() -> pd.DataFrame:
        rows = pd.read_parquet(sys.argv[1], columns=["case_id", "activity", "timestamp"])
        frame: pd.DataFrame = make(rows, schema=SCHEMA).transition_graph_data(edge_weight="proba_out")
        return frame

    probabilities = stages.time("job", matrix)
    stages.peak("job")
    inside = [name for name in probabilities.index if name in probabilities.columns and name not in MARKERS]
    stages.found["n_pairs"] = int((probabilities.loc[inside, inside] > 0).sum().sum())
    stages.print()


if __name__ == "__main__":
    main()
