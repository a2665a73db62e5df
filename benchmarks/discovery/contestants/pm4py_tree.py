"""pm4py: from the frame to a process tree, the way of its documentation: the log, then IM."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "main_job" / "contestants"))

import pandas as pd
import pm4py
from _stages import Stages
from pm4py.objects.dfg.obj import DFG


def frame(path: str) -> pd.DataFrame:
    rows = pd.read_parquet(path, columns=["case_id", "activity", "timestamp"])
    return pm4py.format_dataframe(rows, case_id="case_id", activity_key="activity", timestamp_key="timestamp")


def from_log(path: str) -> object:
    return pm4py.discover_process_tree_inductive(frame(path))


def from_graph(path: str) -> object:
    return pm4py.discover_process_tree_inductive(DFG(*pm4py.discover_dfg(frame(path))))


def main(discover: object = None) -> None:
    stages = Stages()
    tree = stages.time("job", lambda: (discover or from_log)(sys.argv[1]))  # type: ignore[operator]
    stages.peak("job")
    stages.found["n_leaves"] = str(tree).count("'") // 2
    stages.print()


if __name__ == "__main__":
    main()
