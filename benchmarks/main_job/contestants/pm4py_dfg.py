"""pm4py: `format_dataframe` and `discover_dfg` on the log as pandas reads it."""

from __future__ import annotations

import sys

import pandas as pd
import pm4py
from _stages import Stages


def discover(path: str) -> dict[tuple[str, str], int]:
    rows = pd.read_parquet(path, columns=["case_id", "activity", "timestamp"])
    log = pm4py.format_dataframe(rows, case_id="case_id", activity_key="activity", timestamp_key="timestamp")
    del rows
    edges, _, _ = pm4py.discover_dfg(log)
    return dict(edges)


def main() -> None:
    stages = Stages()
    edges = stages.time("job", lambda: discover(sys.argv[1]))
    stages.peak("job")
    stages.found |= {"n_pairs": len(edges), "n_moves": int(sum(edges.values()))}
    stages.print()


if __name__ == "__main__":
    main()
