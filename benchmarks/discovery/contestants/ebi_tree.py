"""ebi-pm: its inductive miner on the variants, which pandas counts and writes as a stochastic language."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "main_job" / "contestants"))

import ebi
import pandas as pd
from _stages import Stages


def language(path: str) -> str:
    rows = pd.read_parquet(path, columns=["case_id", "activity", "timestamp"]).sort_values(
        ["case_id", "timestamp"]
    )
    variants = rows.groupby("case_id")["activity"].agg(tuple).value_counts()
    total = int(variants.sum())
    traces = [
        "\n".join([f"# trace {i}", f"{n}/{total}", str(len(variant)), *variant])
        for i, (variant, n) in enumerate(variants.items())
    ]
    return "\n".join(["finite stochastic language", str(len(traces)), *traces, ""])


def discover(path: str) -> object:
    return ebi.discover_non_stochastic_inductive_miner(language(path))


def main() -> None:
    stages = Stages()
    tree = stages.time("job", lambda: discover(sys.argv[1]))
    stages.peak("job")
    stages.found["n_leaves"] = str(tree).count("activity ")
    stages.print()


if __name__ == "__main__":
    main()
