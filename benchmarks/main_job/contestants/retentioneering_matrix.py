"""retentioneering: `Eventstream` and the transition matrix on the log as pandas reads it."""

from __future__ import annotations

import sys

# Its telemetry needs this module and does without it.
sys.modules["posthog"] = None  # type: ignore[assignment]

import pandas as pd
from _stages import Stages
from retentioneering.eventstream import Eventstream

SCHEMA = {
    "path_cols": ["case_id"],
    "event_col": "activity",
    "timestamp_col": "timestamp",
    "segment_cols": [],
    "custom_cols": [],
}


def matrix(path: str) -> pd.DataFrame:
    rows = pd.read_parquet(path, columns=["case_id", "activity", "timestamp"])
    return Eventstream(rows, schema=SCHEMA).transition_graph_data(edge_weight="proba_out")


def main() -> None:
    stages = Stages()
    probabilities = stages.time("job", lambda: matrix(sys.argv[1]))
    stages.peak("job")
    inside = [name for name in probabilities.index if name in probabilities.columns]
    stages.found["n_pairs"] = int((probabilities.loc[inside, inside] > 0).sum().sum())
    stages.print()


if __name__ == "__main__":
    main()
